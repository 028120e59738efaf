// The videos that have failed, with the reason, each to be tried again.

import { useState } from "react";
import type { Video } from "../../api/document.ts";
import { listFailed } from "../../api/jobs.ts";
import { sentence } from "../../api/request.ts";
import { retryVideo } from "../../api/videos.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { Link } from "../../shared/navigation.tsx";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { retryHelps } from "../../shared/progress.ts";
import { watchPath } from "../../shared/route.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { usePolled } from "../../shared/use-polled.ts";

export function FailedPanel() {
  const { value: failed, problem, reload } = usePolled(listFailed, "failed");
  if (failed.state === "loading") return null;
  return (
    <Panel title="Failed videos">
      {problem !== null && <Trouble problem={problem} onRetry={reload} />}
      {failed.state === "ready" && failed.value.length === 0 && <p>No video has failed.</p>}
      {failed.state === "ready" && failed.value.length > 0 && (
        <Rows name="Failed videos">
          {failed.value.map((video) => (
            <FailedRow key={video.id} video={video} onRetried={reload} />
          ))}
        </Rows>
      )}
    </Panel>
  );
}

function FailedRow({ video, onRetried }: { video: Video; onRetried: () => void }) {
  const [failure, setFailure] = useState("");
  const retry = async () => {
    const outcome = await retryVideo(video.id);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    onRetried();
  };
  return (
    <Row
      title={<Link to={watchPath(video.id)}>{video.title}</Link>}
      facts={video.error?.message ?? ""}
    >
      {retryHelps(video) && (
        <button
          type="button"
          className="button quiet small"
          aria-label={`Try ${video.title} again`}
          onClick={retry}
        >
          Try again
        </button>
      )}
      <ErrorText text={failure} />
    </Row>
  );
}
