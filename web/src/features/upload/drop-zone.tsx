// Files may be dropped anywhere on the page.

import { useEffect, useState } from "react";
import { Icon } from "../../shared/icons.tsx";
import styles from "./upload.module.css";

export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false);

  useEffect(() => {
    // Entering a child comes before leaving its parent: only the count shows when the page is left.
    let depth = 0;
    const show = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const allow = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const hide = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const take = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    };
    window.addEventListener("dragenter", show);
    window.addEventListener("dragover", allow);
    window.addEventListener("dragleave", hide);
    window.addEventListener("drop", take);
    return () => {
      window.removeEventListener("dragenter", show);
      window.removeEventListener("dragover", allow);
      window.removeEventListener("dragleave", hide);
      window.removeEventListener("drop", take);
    };
  }, [onFiles]);

  if (!over) return null;
  return (
    <div className={styles.drop} aria-hidden="true">
      <div>
        <Icon name="upload" size={56} />
        <p>Drop to upload</p>
      </div>
    </div>
  );
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
