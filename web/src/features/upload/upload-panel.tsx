// The panel that follows this page's uploads from the first byte to the last rendition.

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { bytes, percent } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { DiscardDialog } from "./discard-dialog.tsx";
import { FileButton } from "./file-button.tsx";
import type { Item, UploadQueue } from "./queue.ts";
import { type Unfinished, useUnfinished } from "./unfinished.ts";
import styles from "./upload.module.css";
import { UploadRow } from "./upload-row.tsx";
import { useSentVideos } from "./use-sent-videos.ts";

interface UploadPanelProps {
  queue: UploadQueue;
  /** Folded to its head at first, where it would cover something more important. */
  folded: boolean;
}

export function UploadPanel({ queue, folded }: UploadPanelProps) {
  const items = useSyncExternalStore(queue.subscribe, queue.items);
  const { list: unfinished, drop, discard } = useUnfinished();
  const [open, setOpen] = useState(!folded);
  useEffect(() => setOpen(!folded), [folded]);
  const [discarding, setDiscarding] = useState<Unfinished | null>(null);
  const forgetVideo = useCallback((id: string) => queue.forget(id), [queue]);
  const ids = items.map((it) => it.videoId).filter((it) => it !== null);
  const videos = useSentVideos(ids, forgetVideo);

  useEffect(() => {
    // One that is being sent again has a line of its own.
    drop((it) => items.some((item) => isSame(item, it)));
  }, [items, drop]);

  if (items.length === 0 && unfinished.length === 0) return null;
  return (
    <section className={styles.panel} aria-label="Uploads">
      <header className={styles.head}>
        <h2>{summary(items)}</h2>
        <button
          type="button"
          className="icon-button"
          aria-expanded={open}
          aria-label={open ? "Fold the uploads" : "Show the uploads"}
          onClick={() => setOpen(!open)}
        >
          <span className={styles.fold} data-open={open}>
            <Icon name="chevron" />
          </span>
        </button>
      </header>
      {open && (
        <ul className={styles.rows}>
          {items.map((item) => (
            <UploadRow
              key={item.key}
              item={item}
              video={item.videoId === null ? null : (videos.get(item.videoId) ?? null)}
              queue={queue}
            />
          ))}
          {unfinished.map((it) => (
            <li key={it.key} className={styles.row}>
              <p className={styles.name} dir="auto">
                {it.name}
              </p>
              <ProgressBar label={it.name} fraction={it.bytesStored / it.size} still />
              <p className={styles.note}>
                Unfinished: {bytes(it.bytesStored)} of {bytes(it.size)} (
                {percent(it.bytesStored / it.size)}) are stored. Choose the same file to go on.
              </p>
              <div className={styles.ways}>
                <FileButton quiet onFiles={(files) => queue.add(files)}>
                  Choose file
                </FileButton>
                <button
                  type="button"
                  className="button quiet small"
                  onClick={() => setDiscarding(it)}
                >
                  Discard
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {discarding !== null && (
        <DiscardDialog
          name={discarding.name}
          bytesStored={discarding.bytesStored}
          onClose={() => setDiscarding(null)}
          onDiscard={() => {
            discard(discarding);
            setDiscarding(null);
          }}
        />
      )}
    </section>
  );
}

function isSame(item: Item, unfinished: Unfinished): boolean {
  return item.name === unfinished.name && item.size === unfinished.size;
}

function summary(items: readonly Item[]): string {
  const under = items.filter((it) => it.state === "uploading" || it.state === "waiting");
  if (under.length === 0) return "Uploads";
  return under.length === 1 ? "Uploading 1 file" : `Uploading ${under.length} files`;
}
