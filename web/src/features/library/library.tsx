// The library: every video as a card, in the order that the address names.

import { type ReactNode, useState } from "react";
import type { Video } from "../../api/document.ts";
import { sentence } from "../../api/request.ts";
import { type Collected, SORTS, type Sort } from "../../api/videos.ts";
import { DeleteDialog } from "../../shared/delete-dialog.tsx";
import { EditDialog } from "../../shared/edit-dialog.tsx";
import { Heading } from "../../shared/heading.tsx";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { replacePage } from "../../shared/navigation.tsx";
import { sortedPath } from "../../shared/route.ts";
import { Trouble } from "../../shared/trouble.tsx";
import styles from "./library.module.css";
import { useLibrary } from "./use-library.ts";
import { VideoCard } from "./video-card.tsx";

interface LibraryProps {
  /** The videos: all that this person may see, their own, or those that are shared with them. */
  collected: Collected;
  /** The one tag that they have; null: any or none. */
  tag: string | null;
  sort: Sort;
  /** The upload button of an empty library; uploading belongs to another feature. */
  invitation: ReactNode;
}

// As many columns as the page's width holds.
const FIRST_ROW = 4;

const TITLES = { all: null, own: "My videos", shared: "Shared with me" };
const EMPTY = {
  all: "No videos yet",
  own: "No videos yet",
  shared: "Nothing is shared with you",
};

type Open = { dialog: "edit" | "delete"; video: Video } | null;

export function Library({ collected, tag, sort, invitation }: LibraryProps) {
  const { collection, dispatch, refresh, more } = useLibrary(collected, tag, sort);
  const { videos, loaded, loading, next, problem } = collection;
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const title = tag === null ? TITLES[collected] : `Tagged ${tag}`;
  const heading = tag !== null && (
    <>
      Tagged <bdi>{tag}</bdi>
    </>
  );

  return (
    <>
      <div className={styles.head}>
        {title === null ? (
          <h1 className="visually-hidden">Library</h1>
        ) : (
          <Heading title={title}>{heading || title}</Heading>
        )}
        {/* Its place is kept while the list loads, or what is below would move. */}
        {!(loaded && videos.length === 0) && <SortChoice sort={sort} />}
      </div>
      {!loaded &&
        (problem === null ? <Skeleton /> : <Trouble problem={problem} onRetry={refresh} />)}
      {loaded && videos.length === 0 && (
        <div className={styles.empty}>
          <Icon name="film" size={56} />
          <h2>{tag === null ? EMPTY[collected] : "No video has this tag"}</h2>
          {invitation && (
            <p>
              Drop a video anywhere on this page. You can watch it as soon as its first part is
              encoded.
            </p>
          )}
          {invitation}
        </div>
      )}
      {loaded && videos.length > 0 && (
        <ul className={styles.grid} aria-label="Videos">
          {videos.map((video, at) => (
            <VideoCard
              key={video.id}
              first={at < FIRST_ROW}
              lead={at === 0}
              video={video}
              onEdit={() => setOpen({ dialog: "edit", video })}
              onDelete={() => setOpen({ dialog: "delete", video })}
              onRetried={(it) => dispatch({ type: "video", video: it })}
            />
          ))}
        </ul>
      )}
      {loaded && problem !== null && (
        <p className={`error-text ${styles.below}`} role="alert">
          <Message text={sentence(problem)} />{" "}
          <button type="button" className="button quiet small" onClick={refresh}>
            Try again
          </button>
        </p>
      )}
      {next !== null && (
        <div className={styles.below}>
          <button type="button" className="button quiet" disabled={loading} onClick={more}>
            {loading ? "Loading…" : "Load more"}
          </button>
        </div>
      )}
      {open?.dialog === "edit" && (
        <EditDialog
          // As the events keep it: its poster may change while the dialog is open.
          video={videos.find((it) => it.id === open.video.id) ?? open.video}
          onClose={close}
          onSaved={(video) => dispatch({ type: "video", video })}
        />
      )}
      {open?.dialog === "delete" && (
        <DeleteDialog
          video={open.video}
          onClose={close}
          onDeleted={(id) => dispatch({ type: "deleted", id })}
        />
      )}
    </>
  );
}

const ORDERS: Record<Sort, string> = {
  newest: "Newest first",
  oldest: "Oldest first",
  title: "Title",
  views: "Most watched",
  longest: "Longest first",
};

function SortChoice({ sort }: { sort: Sort }) {
  const choose = (word: string) => {
    const chosen = SORTS.find((it) => it === word) ?? "newest";
    replacePage(sortedPath(window.location.pathname, window.location.search, chosen));
  };
  return (
    <label className={styles.sort}>
      Order
      <select value={sort} onChange={(event) => choose(event.target.value)}>
        {SORTS.map((it) => (
          <option key={it} value={it}>
            {ORDERS[it]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Skeleton() {
  return (
    <div className={styles.grid} role="status" aria-label="Loading the library">
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={index} className={styles.placeholder} />
      ))}
    </div>
  );
}
