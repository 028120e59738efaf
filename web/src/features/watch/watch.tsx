// The page of one video: the player or what it waits for, and what is known about it.

import { useEffect, useState } from "react";
import type { Video } from "../../api/document.ts";
import { Player } from "../../player/player.tsx";
import { DeleteDialog } from "../../shared/delete-dialog.tsx";
import { EditDialog } from "../../shared/edit-dialog.tsx";
import { age, clock } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link, navigate } from "../../shared/navigation.tsx";
import { playback, progress } from "../../shared/progress.ts";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { RenditionList } from "../../shared/rendition-list.tsx";
import { LIBRARY } from "../../shared/route.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { PlayElsewhere } from "./play-elsewhere.tsx";
import { Stage } from "./stage.tsx";
import { useVideo } from "./use-video.ts";
import styles from "./watch.module.css";

export function Watch({ id }: { id: string }) {
  const { video, deleted, refresh, replace } = useVideo(id);
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const title = video.state === "ready" ? video.value.title : null;

  useEffect(() => {
    if (title !== null) document.title = `${title} · Clip Cut`;
    return () => {
      document.title = "Clip Cut";
    };
  }, [title]);

  if (video.state === "loading")
    return <div className={styles.placeholder} role="status" aria-label="Loading" />;
  const missing = video.state === "failed" && video.problem.status === 404;
  if (deleted || missing) return <Gone />;
  if (video.state === "failed") return <Trouble problem={video.problem} onRetry={refresh} />;

  const { value } = video;
  const addresses = playback(value);
  return (
    <article className={styles.page}>
      {addresses === null ? (
        <Stage video={value} onRetried={replace} />
      ) : (
        <Player
          key={value.id}
          url={addresses.hls}
          poster={value.poster}
          autoplay
          title={value.title}
          qualityCount={qualityCount(value)}
        />
      )}
      <header className={styles.head}>
        <div>
          <h1>{value.title}</h1>
          <p className={styles.meta}>{facts(value)}</p>
        </div>
        <div className={styles.tools}>
          <button type="button" className="button quiet small" onClick={() => setDialog("edit")}>
            <Icon name="edit" size={18} /> Edit
          </button>
          <button type="button" className="button quiet small" onClick={() => setDialog("delete")}>
            <Icon name="trash" size={18} /> Delete
          </button>
        </div>
      </header>
      <div className={styles.columns}>
        <div>
          {value.description !== "" && <p className={styles.description}>{value.description}</p>}
          <Work video={value} />
        </div>
        {addresses !== null && <PlayElsewhere playback={addresses} />}
      </div>
      {dialog === "edit" && (
        <EditDialog video={value} onClose={() => setDialog(null)} onSaved={replace} />
      )}
      {dialog === "delete" && (
        <DeleteDialog
          video={value}
          onClose={() => setDialog(null)}
          onDeleted={() => navigate(LIBRARY)}
        />
      )}
    </article>
  );
}

function Work({ video }: { video: Video }) {
  const work = progress(video);
  // Before there is a player, the stage itself tells how far it is.
  if (work === null || playback(video) === null) return null;
  return (
    <section className={styles.work} aria-label="Encoding">
      <p className={styles.meta}>{work.label}</p>
      <ProgressBar label={work.label} fraction={work.fraction} />
      <RenditionList renditions={video.renditions} />
    </section>
  );
}

function Gone() {
  return (
    <div className={styles.gone}>
      <Icon name="film" size={48} />
      <h1>This video is not here</h1>
      <p>It may have been deleted, or the address is mistyped.</p>
      <Link to={LIBRARY} className="button">
        To the library
      </Link>
    </div>
  );
}

function qualityCount({ state, renditions }: Video): number {
  return state === "ready" ? renditions.filter((it) => it.kind === "video").length : 0;
}

function facts({ durationSeconds, createdAt, renditions }: Video): string {
  const best = renditions.find((it) => it.kind === "video");
  const parts = [
    durationSeconds === null ? "" : clock(durationSeconds),
    age(createdAt, Date.now()),
    best?.frameRate ? `${Number(best.frameRate.toFixed(2))} frames per second` : "",
  ];
  return parts.filter((it) => it !== "").join(" · ");
}
