// The frame around every page, and the one place that knows all features.

import { lazy, Suspense, useCallback, useState } from "react";
import { UNREACHABLE } from "../api/request.ts";
import { Library } from "../features/library/library.tsx";
import { SearchField } from "../features/search/search-field.tsx";
import { SearchPage } from "../features/search/search-page.tsx";
import { DropZone } from "../features/upload/drop-zone.tsx";
import { FileButton } from "../features/upload/file-button.tsx";
import { UploadQueue } from "../features/upload/queue.ts";
import { UploadPanel } from "../features/upload/upload-panel.tsx";
import { Link, usePath, useQuery } from "../shared/navigation.tsx";
import { decodeRoute, LIBRARY, type Route, startOf, wordsOf } from "../shared/route.ts";
import { Trouble } from "../shared/trouble.tsx";
import styles from "./app.module.css";
import { ConnectionNotice } from "./connection-notice.tsx";
import { Logo } from "./logo.tsx";

// The library plays nothing: the player and its page are a chunk of their own. A chunk that cannot be had, for the
// server is gone or has a newer page, must not leave an empty window.
export const loadWatch = () =>
  import("../features/watch/watch.tsx").then(
    (it) => ({ default: it.Watch }),
    () => ({ default: Unloaded }),
  );

const Watch = lazy(loadWatch);

function Unloaded(_: { id: string; from: number }) {
  return <Trouble problem={UNREACHABLE} onRetry={() => window.location.reload()} />;
}

export function App() {
  const route = decodeRoute(usePath());
  const query = useQuery();
  const [queue] = useState(() => new UploadQueue());
  const upload = useCallback((files: File[]) => queue.add(files), [queue]);

  return (
    <>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.header}>
        <Link to={LIBRARY} className={styles.home} aria-label="Clip Cut, to the library">
          <Logo />
        </Link>
        <SearchField words={route.page === "search" ? wordsOf(query) : ""} />
        <FileButton onFiles={upload}>Upload</FileButton>
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        <Page route={route} query={query} onFiles={upload} />
      </main>
      <ConnectionNotice />
      <UploadPanel queue={queue} folded={route.page === "watch"} />
      <DropZone onFiles={upload} />
    </>
  );
}

interface PageProps {
  route: Route;
  query: string;
  onFiles: (files: File[]) => void;
}

function Page({ route, query, onFiles }: PageProps) {
  switch (route.page) {
    case "library":
      return <Library invitation={<FileButton onFiles={onFiles}>Choose files</FileButton>} />;
    case "search":
      return <SearchPage words={wordsOf(query)} />;
    case "watch":
      return (
        <Suspense fallback={<div className={styles.loading} role="status" aria-label="Loading" />}>
          <Watch id={route.id} from={startOf(query)} />
        </Suspense>
      );
    case "unknown":
      return (
        <div className={styles.lost}>
          <h1>There is no such page</h1>
          <Link to={LIBRARY} className="button">
            To the library
          </Link>
        </div>
      );
  }
}
