// The frame around every page, and the one place that knows all features.

import { useCallback, useState } from "react";
import { Library } from "../features/library/library.tsx";
import { DropZone } from "../features/upload/drop-zone.tsx";
import { FileButton } from "../features/upload/file-button.tsx";
import { UploadQueue } from "../features/upload/queue.ts";
import { UploadPanel } from "../features/upload/upload-panel.tsx";
import { Watch } from "../features/watch/watch.tsx";
import { Link, usePath } from "../shared/navigation.tsx";
import { decodeRoute, LIBRARY, type Route } from "../shared/route.ts";
import styles from "./app.module.css";
import { ConnectionNotice } from "./connection-notice.tsx";
import { Logo } from "./logo.tsx";

export function App() {
  const route = decodeRoute(usePath());
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
        <FileButton onFiles={upload}>Upload</FileButton>
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        <Page route={route} onFiles={upload} />
      </main>
      <ConnectionNotice />
      <UploadPanel queue={queue} folded={route.page === "watch"} />
      <DropZone onFiles={upload} />
    </>
  );
}

function Page({ route, onFiles }: { route: Route; onFiles: (files: File[]) => void }) {
  switch (route.page) {
    case "library":
      return <Library invitation={<FileButton onFiles={onFiles}>Choose files</FileButton>} />;
    case "watch":
      return <Watch id={route.id} />;
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
