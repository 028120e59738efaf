// One upload: its bytes while they go out, then its encoding.

import { useState } from "react";
import type { Video } from "../../api/document.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { bytes, percent, remaining, speed } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { Link } from "../../shared/navigation.tsx";
import { playback, progress } from "../../shared/progress.ts";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { RenditionList } from "../../shared/rendition-list.tsx";
import { watchPath } from "../../shared/route.ts";
import { DiscardDialog } from "./discard-dialog.tsx";
import type { Item, UploadQueue } from "./queue.ts";
import styles from "./upload.module.css";

interface UploadRowProps {
  item: Item;
  video: Video | null;
  queue: UploadQueue;
}

export function UploadRow({ item, video, queue }: UploadRowProps) {
  const { key, name, size, state } = item;
  const [asking, setAsking] = useState(false);
  return (
    <li className={styles.row}>
      <div className={styles.top}>
        <p className={styles.name} title={name} dir="auto">
          {name}
        </p>
        {state === "uploading" && (
          <Act label={`Pause ${name}`} icon="pause" onClick={() => queue.pause(key)} />
        )}
        {state === "paused" && (
          <Act label={`Resume ${name}`} icon="play" onClick={() => queue.resume(key)} />
        )}
        {state === "sent" ? (
          <Act label={`Dismiss ${name}`} icon="close" onClick={() => queue.dismiss(key)} />
        ) : (
          <Act
            label={`Cancel ${name}`}
            icon="close"
            onClick={() => (item.bytesSent > 0 ? setAsking(true) : queue.cancel(key))}
          />
        )}
      </div>
      {/* It stays when it is full, so that the encoding's bar does not look like an upload that fell back. */}
      <ProgressBar
        label={`Upload of ${name}`}
        fraction={size === 0 ? 0 : item.bytesSent / size}
        still={state !== "uploading"}
      />
      {state === "sent" ? (
        <Encoding video={video} />
      ) : (
        <p className={styles.note}>{sending(item)}</p>
      )}
      {asking && (
        <DiscardDialog
          name={name}
          bytesStored={item.bytesSent}
          onClose={() => setAsking(false)}
          onDiscard={() => queue.cancel(key)}
        />
      )}
      {state === "failed" && item.refusal !== null && (
        <>
          <ErrorText text={item.refusal.message} />
          {item.refusal.retriable && (
            <div className={styles.ways}>
              <button
                type="button"
                className="button quiet small"
                onClick={() => queue.resume(key)}
              >
                Try again
              </button>
            </div>
          )}
        </>
      )}
    </li>
  );
}

function Encoding({ video }: { video: Video | null }) {
  if (video === null) return <p className={styles.note}>Uploaded</p>;
  const work = progress(video);
  return (
    <>
      {work !== null && <ProgressBar label={work.label} fraction={work.fraction} />}
      {video.state === "failed" ? (
        <p className="error-text">
          <Message text={video.error?.message ?? "It could not be encoded."} />
        </p>
      ) : (
        <div className={styles.top}>
          <p className={styles.note}>{work?.label ?? "Ready"}</p>
          {playback(video) !== null && (
            <Link to={watchPath(video.id)} className={styles.watch}>
              Watch
            </Link>
          )}
        </div>
      )}
      {work !== null && video.renditions.length > 0 && (
        <RenditionList renditions={video.renditions} />
      )}
    </>
  );
}

interface ActProps {
  label: string;
  icon: "pause" | "play" | "close";
  onClick: () => void;
}

function Act({ label, icon, onClick }: ActProps) {
  return (
    <button type="button" className="icon-button" aria-label={label} onClick={onClick}>
      <Icon name={icon} size={18} />
    </button>
  );
}

function sending({ state, bytesSent, size, bytesPerSecond }: Item): string {
  const done = `${bytes(bytesSent)} of ${bytes(size)}`;
  switch (state) {
    case "waiting":
      return "Waiting for its turn";
    case "paused":
      return `Paused at ${percent(bytesSent / size)}, ${done}`;
    case "failed":
      return size === 0 ? "" : `Stopped, ${done}`;
    default: {
      if (bytesPerSecond === null || bytesPerSecond <= 0) return done;
      const left = remaining((size - bytesSent) / bytesPerSecond);
      return `${done} · ${speed(bytesPerSecond)} · ${left}`;
    }
  }
}
