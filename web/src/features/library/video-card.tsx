// One video in the library: its picture, its title, and how far it is.

import { useState } from "react";
import type { Video } from "../../api/document.ts";
import { type Problem, sentence } from "../../api/request.ts";
import { retryVideo } from "../../api/videos.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { age, clock, viewCount } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { Link } from "../../shared/navigation.tsx";
import { progress, retryHelps } from "../../shared/progress.ts";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { RenditionList } from "../../shared/rendition-list.tsx";
import { watchPath } from "../../shared/route.ts";
import { VISIBILITY } from "../../shared/visibility.ts";
import styles from "./library.module.css";

interface VideoCardProps {
  video: Video;
  /** In the first row, which is in sight at once. */
  first: boolean;
  /** The first of all: its poster is what the page's coming is measured by. */
  lead: boolean;
  onEdit: () => void;
  onDelete: () => void;
  onRetried: (video: Video) => void;
}

export function VideoCard({ video, first, lead, onEdit, onDelete, onRetried }: VideoCardProps) {
  const { title, state, durationSeconds, createdAt, owner, visibility, views, mayEdit } = video;
  return (
    <li className={styles.card} data-state={state}>
      <div className={styles.frame}>
        <Poster video={video} first={first} lead={lead} />
        {state !== "ready" && <span className={styles.badge}>{badge(video)}</span>}
        {durationSeconds !== null && (
          <span className={styles.duration}>{clock(durationSeconds)}</span>
        )}
      </div>
      <div className={styles.body}>
        <h2 className={styles.title}>
          <Link to={watchPath(video.id)} title={title} dir="auto">
            {title}
          </Link>
        </h2>
        {mayEdit && (
          <div className={styles.tools}>
            <button
              type="button"
              className="icon-button"
              aria-label={`Edit ${title}`}
              onClick={onEdit}
            >
              <Icon name="edit" size={18} />
            </button>
            {/* A failed one has a button of that name next to its error. */}
            {state !== "failed" && (
              <button
                type="button"
                className="icon-button"
                aria-label={`Delete ${title}`}
                onClick={onDelete}
              >
                <Icon name="trash" size={18} />
              </button>
            )}
          </div>
        )}
        <p className={styles.meta}>
          {owner !== null && (
            <>
              <bdi>{owner.name}</bdi> ·{" "}
            </>
          )}
          <time dateTime={createdAt}>{age(createdAt, Date.now())}</time>
          {views > 0 && ` · ${viewCount(views)}`}
          {visibility !== "public" && ` · ${VISIBILITY[visibility].name}`}
        </p>
        <Work video={video} />
        {state === "failed" && <Failed video={video} onDelete={onDelete} onRetried={onRetried} />}
      </div>
    </li>
  );
}

// The card's width in the grid of library.module.css: one to four columns, of the window less its margins and gaps.
const CARD_WIDTHS = [
  "(min-width: 1188px) calc((min(100vw, 1320px) - 100px) / 4)",
  "(min-width: 896px) calc((100vw - 80px) / 3)",
  "(min-width: 604px) calc((100vw - 60px) / 2)",
  // A picture that is a seventh too small is not seen to be; the larger one has four times the bytes, on phones' lines.
  "calc((100vw - 28px) * 0.85)",
].join(", ");

function Poster({ video, first, lead }: Pick<VideoCardProps, "video" | "first" | "lead">) {
  const [broken, setBroken] = useState(false);
  if (video.poster === null || broken) {
    const soundOnly =
      video.renditions.length > 0 && video.renditions.every((it) => it.kind !== "video");
    return <Icon name={soundOnly ? "audio" : "film"} size={40} />;
  }
  // The title right below names the video.
  return (
    <img
      {...(video.posterSmall !== null && {
        // The widths of the packager's two sizes; a small source has one picture, whose density then matters to nobody.
        srcSet: `${video.posterSmall} 640w, ${video.poster} 1280w`,
        sizes: CARD_WIDTHS,
      })}
      src={video.poster}
      alt=""
      // Lazy pictures wait for the layout, which costs the first ones the time that Largest Contentful Paint counts.
      loading={first ? "eager" : "lazy"}
      {...(lead && { fetchPriority: "high" as const })}
      decoding="async"
      onError={() => setBroken(true)}
    />
  );
}

function Work({ video }: { video: Video }) {
  const work = progress(video);
  if (work === null) return null;
  return (
    <div className={styles.work}>
      <p className={styles.meta}>{work.label}</p>
      <ProgressBar label={`${video.title}: ${work.label}`} fraction={work.fraction} />
      {video.renditions.length > 0 && (
        <details className={styles.details}>
          <summary>
            <Icon name="chevron" size={16} /> Renditions
          </summary>
          <RenditionList renditions={video.renditions} />
        </details>
      )}
    </div>
  );
}

interface FailedProps {
  video: Video;
  onDelete: () => void;
  onRetried: (video: Video) => void;
}

function Failed({ video, onDelete, onRetried }: FailedProps) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const retry = async () => {
    setAsking(true);
    const outcome = await retryVideo(video.id);
    setAsking(false);
    if (outcome.state === "ready") onRetried(outcome.value);
    else setProblem(outcome.problem);
  };

  return (
    <div className={styles.failed}>
      <p>
        <Message text={video.error?.message ?? "It could not be encoded."} />
      </p>
      <ErrorText text={problem === null ? "" : sentence(problem)} />
      {video.mayEdit && (
        <div className={styles.ways}>
          {retryHelps(video) && (
            <button
              type="button"
              className="button quiet small"
              aria-label={`Retry ${video.title}`}
              disabled={asking}
              onClick={retry}
            >
              Retry
            </button>
          )}
          <button
            type="button"
            className="button quiet small"
            aria-label={`Delete ${video.title}`}
            onClick={onDelete}
          >
            Delete
          </button>
        </div>
      )}
    </div>
  );
}

function badge({ state }: Video): string {
  switch (state) {
    case "uploading":
      return "Uploading";
    case "uploaded":
      return "In the queue";
    case "planned":
      return "Encoding";
    case "playable":
      return "Playable";
    case "failed":
      return "Failed";
    case "ready":
      return "Ready";
  }
}
