// The queue: jobs that run and jobs that wait. The work on a video can be cancelled.

import { useState } from "react";
import { type Job, type Queue, showQueue } from "../../api/jobs.ts";
import { sentence } from "../../api/request.ts";
import { cancelVideo } from "../../api/videos.ts";
import { Badge } from "../../shared/badge.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Link } from "../../shared/navigation.tsx";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { watchPath } from "../../shared/route.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { usePolled } from "../../shared/use-polled.ts";
import { countOf, factsOf } from "./job-words.ts";

const NOTHING: Queue = { running: 0, waiting: 0, jobs: [] };

export function QueuePanel() {
  const { value: queue, problem, reload } = usePolled(showQueue, "queue");
  if (queue.state === "loading") return null;
  const { running, waiting, jobs } = queue.state === "ready" ? queue.value : NOTHING;
  return (
    <Panel title={queue.state === "ready" ? `Queue: ${countOf(running, waiting)}` : "Queue"}>
      {problem !== null && <Trouble problem={problem} onRetry={reload} />}
      {jobs.length > 0 && (
        <Rows name="Jobs">
          {jobs.map((job) => (
            <JobRow
              key={`${job.video.id} ${job.kind} ${job.tracks.join(" ")} ${job.firstSegment}`}
              job={job}
              onCancelled={reload}
            />
          ))}
        </Rows>
      )}
    </Panel>
  );
}

function JobRow({ job, onCancelled }: { job: Job; onCancelled: () => void }) {
  const [failure, setFailure] = useState("");
  const { video } = job;
  // Captions are cancelled on the watch page, where they are; what is not encoding ends by itself in a moment.
  const cancels = ["prepare", "video", "audio"].includes(job.kind);
  const cancel = async () => {
    const outcome = await cancelVideo(video.id);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    onCancelled();
  };
  return (
    <Row
      title={
        <>
          <Link to={watchPath(video.id)}>{video.title}</Link>
          {job.running && <Badge>Running</Badge>}
        </>
      }
      facts={factsOf(job, Date.now())}
    >
      {cancels && (
        <>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Cancel the encoding of ${video.title}`}
            onClick={cancel}
          >
            Cancel
          </button>
          <ErrorText text={failure} />
        </>
      )}
    </Row>
  );
}
