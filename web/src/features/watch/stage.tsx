// The placeholder of the player, until there is something to play.

import { useState } from "react";
import type { Video } from "../../api/document.ts";
import { type Problem, sentence } from "../../api/request.ts";
import { retryVideo } from "../../api/videos.ts";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { progress, retryHelps } from "../../shared/progress.ts";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { RenditionList } from "../../shared/rendition-list.tsx";
import styles from "./watch.module.css";

interface StageProps {
  video: Video;
  onRetried: (video: Video) => void;
}

export function Stage({ video, onRetried }: StageProps) {
  const work = progress(video);
  return (
    <div className={styles.stage}>
      {video.poster !== null && <img src={video.posterSmall ?? video.poster} alt="" />}
      <div className={styles.curtain}>
        {work === null ? (
          <Failed video={video} onRetried={onRetried} />
        ) : (
          <>
            <p className={styles.big}>{work.label}</p>
            <ProgressBar label={work.label} fraction={work.fraction} />
            <p>It plays here by itself as soon as its first part is ready.</p>
            {video.renditions.length > 0 && <RenditionList renditions={video.renditions} />}
          </>
        )}
      </div>
    </div>
  );
}

function Failed({ video, onRetried }: StageProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const retry = async () => {
    const outcome = await retryVideo(video.id);
    if (outcome.state === "ready") onRetried(outcome.value);
    else setProblem(outcome.problem);
  };
  return (
    <div className={styles.failed} role="alert">
      <Icon name="alert" size={36} />
      <p className={styles.big}>This video could not be encoded</p>
      <p>
        <Message text={video.error?.message ?? ""} />
      </p>
      {problem !== null && (
        <p>
          <Message text={sentence(problem)} />
        </p>
      )}
      {video.mayEdit && retryHelps(video) && (
        <button type="button" className="button" onClick={retry}>
          <Icon name="replay" /> Retry
        </button>
      )}
    </div>
  );
}
