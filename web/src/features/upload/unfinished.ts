// Uploads that an earlier visit to the page left unfinished. The browser forgets the file on a
// reload, so that the person has to choose it again; what the server has stored is kept.

import { useCallback, useEffect, useState } from "react";
import { defaultOptions, type PreviousUpload, Upload } from "tus-js-client";

export interface Unfinished {
  key: string;
  name: string;
  url: string;
  bytesStored: number;
  size: number;
}

interface UnfinishedUploads {
  list: Unfinished[];
  /** Takes lines off the list whose files were chosen again. */
  drop: (isChosen: (it: Unfinished) => boolean) => void;
  /** Gives the upload up, here and on the server. */
  discard: (it: Unfinished) => void;
}

export function useUnfinished(): UnfinishedUploads {
  const [list, setList] = useState<Unfinished[]>([]);

  useEffect(() => {
    let wanted = true;
    void findUnfinished().then((found) => {
      if (wanted) setList(found);
    });
    return () => {
      wanted = false;
    };
  }, []);

  const drop = useCallback((isChosen: (it: Unfinished) => boolean) => {
    setList((all) => (all.some(isChosen) ? all.filter((it) => !isChosen(it)) : all));
  }, []);

  const discard = useCallback((it: Unfinished) => {
    setList((all) => all.filter((other) => other.key !== it.key));
    void defaultOptions.urlStorage.removeUpload(it.key);
    // If the request fails, the server expires the abandoned upload by itself.
    Upload.terminate(it.url).catch(() => {});
  }, []);

  return { list, drop, discard };
}

async function findUnfinished(): Promise<Unfinished[]> {
  const stored = await defaultOptions.urlStorage.findAllUploads();
  const checked = await Promise.all(stored.map(check));
  return checked.filter((it) => it !== null);
}

async function check(stored: PreviousUpload): Promise<Unfinished | null> {
  const { uploadUrl, urlStorageKey, metadata, size } = stored;
  if (uploadUrl === null || size === null) return null;
  const offset = await storedBytes(uploadUrl);
  if (offset === "unknown") return null;
  if (offset === "gone" || offset >= size) {
    await defaultOptions.urlStorage.removeUpload(urlStorageKey);
    return null;
  }
  const name = metadata.filename ?? "A file";
  return { key: urlStorageKey, name, url: uploadUrl, bytesStored: offset, size };
}

async function storedBytes(url: string): Promise<number | "gone" | "unknown"> {
  try {
    const answer = await fetch(url, { method: "HEAD", headers: { "tus-resumable": "1.0.0" } });
    if (answer.status === 404 || answer.status === 410) return "gone";
    const offset = Number(answer.headers.get("upload-offset") ?? Number.NaN);
    return answer.ok && Number.isFinite(offset) ? offset : "unknown";
  } catch {
    return "unknown";
  }
}
