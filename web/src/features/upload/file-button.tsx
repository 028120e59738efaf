// A button that opens the file chooser.

import { type ReactNode, useRef } from "react";
import { Icon } from "../../shared/icons.tsx";

// Some systems know no type for these containers and would grey them out.
const ACCEPT = "video/*,audio/*,.mkv,.ts,.m2ts,.mts,.flv,.avi,.mxf,.wmv,.vob,.ogv";

interface FileButtonProps {
  children: ReactNode;
  quiet?: boolean;
  onFiles: (files: File[]) => void;
}

export function FileButton({ children, quiet = false, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className={quiet ? "button quiet small" : "button"}
        onClick={() => input.current?.click()}
      >
        {!quiet && <Icon name="upload" />}
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={ACCEPT}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file may be chosen again after a failure.
          event.target.value = "";
        }}
      />
    </>
  );
}
