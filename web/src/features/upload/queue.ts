// The uploads of this page: at most two at once, each paused, resumed and cancelled on its own. Lives
// beside React, so that uploads go on while pages come and go.

import { Upload } from "tus-js-client";
import { Reconnect } from "../../shared/reconnect.ts";
import { foreignKind, HEAD_BYTES } from "./file-head.ts";
import { nextPieceBytes, pieceLimitBytes } from "./piece.ts";
import { Rate } from "./rate.ts";
import { isProxyLimit, type Refusal, refusal, retriesByItself } from "./refusal.ts";

export type ItemState = "waiting" | "uploading" | "paused" | "failed" | "sent";

export interface Item {
  key: number;
  name: string;
  size: number;
  state: ItemState;
  bytesSent: number;
  bytesPerSecond: number | null;
  /** Known once the server has created the upload. */
  videoId: string | null;
  refusal: Refusal | null;
}

const ENDPOINT = "/api/v1/uploads";

// What every server of ours answers to everybody.
const ANSWERED = "/api/v1/session";

const PARALLEL = 2;

// A refusal of the file by its first bytes deletes the upload too; its answer comes about with the event.
const REASON_MS = 1000;

const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000];

interface Job {
  file: File;
  upload: Upload;
  rate: Rate;
}

export class UploadQueue {
  #items: Item[] = [];
  readonly #jobs = new Map<number, Job>();
  readonly #listeners = new Set<() => void>();
  #nextKey = 1;
  /** The largest body that goes out in one request. */
  #pieceBytes = Number.POSITIVE_INFINITY;
  readonly #reconnect = new Reconnect();
  readonly #signIn: () => Promise<boolean>;

  /** `signIn` asks for a sign-in and resolves to whether the person may go on; without accounts, to false. */
  constructor(signIn: () => Promise<boolean>) {
    this.#signIn = signIn;
    window.addEventListener("online", this.#resumeOffline);
    window.addEventListener("beforeunload", (event) => {
      const busy = this.#items.some((it) => it.state === "uploading" || it.state === "waiting");
      if (busy) event.preventDefault();
    });
  }

  readonly #resumeOffline = () => {
    for (const item of this.#items) if (item.refusal?.offline) this.resume(item.key);
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly items = (): Item[] => this.#items;

  add(files: Iterable<File>) {
    for (const file of files) {
      // The same file twice would resume one upload from two sides.
      if (this.#isUnderWay(file)) continue;
      const key = this.#nextKey++;
      this.#jobs.set(key, { file, upload: this.#upload(key, file), rate: new Rate() });
      this.#items = [
        ...this.#items,
        {
          key,
          name: file.name,
          size: file.size,
          state: "waiting",
          bytesSent: 0,
          bytesPerSecond: null,
          videoId: null,
          refusal: null,
        },
      ];
      if (file.size === 0) this.#refuse(key, EMPTY_FILE);
    }
    this.#startWaiting();
  }

  pause(key: number) {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    void job.upload.abort();
    job.rate.reset();
    this.#change(key, { state: "paused", bytesPerSecond: null });
    this.#startWaiting();
  }

  /** Goes on after a pause or a failure, from the offset that the server has stored. */
  resume(key: number) {
    const item = this.#items.find((it) => it.key === key);
    if (item?.state !== "paused" && item?.state !== "failed") return;
    this.#change(key, { state: "waiting", refusal: null });
    this.#startWaiting();
  }

  /** Takes the file back, and with it what the server has stored of it. */
  cancel(key: number) {
    const job = this.#jobs.get(key);
    const terminate = job !== undefined && job.upload.url !== null;
    // If the request fails, the server expires the abandoned upload by itself.
    job?.upload.abort(terminate).catch(() => {});
    this.dismiss(key);
  }

  /** Takes the line off the list; a video that was sent stays. */
  dismiss(key: number) {
    this.#jobs.delete(key);
    this.#items = this.#items.filter((it) => it.key !== key);
    this.#notify();
    this.#startWaiting();
  }

  /** Stops whatever still feeds a video that was deleted. The line of a refused file stays: it has the reason. */
  forget(videoId: string) {
    for (const { key, videoId: id, state } of this.#items) {
      if (id !== videoId) continue;
      if (state === "uploading") window.setTimeout(() => this.#drop(key), REASON_MS);
      else this.#drop(key);
    }
  }

  #drop(key: number) {
    const item = this.#items.find((it) => it.key === key);
    if (item === undefined || item.refusal?.retriable === false) return;
    this.#jobs
      .get(key)
      ?.upload.abort()
      .catch(() => {});
    this.dismiss(key);
  }

  #isUnderWay(file: File): boolean {
    return this.#items.some((item) => {
      const known = this.#jobs.get(item.key)?.file;
      const same =
        known?.name === file.name &&
        known.size === file.size &&
        known.lastModified === file.lastModified;
      return same && item.state !== "sent" && item.state !== "failed";
    });
  }

  #startWaiting() {
    for (const key of nextToStart(this.#items, PARALLEL)) {
      this.#change(key, { state: "uploading" });
      void this.#begin(key);
    }
  }

  async #begin(key: number) {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    const { file, upload } = job;
    // Browsers tell of a file that was changed or moved on the disk as of a network that failed.
    if (upload.url !== null && !(await isReadable(file))) return this.#refuse(key, CHANGED_FILE);
    if (upload.url === null) {
      const kind = foreignKind(await readHead(file));
      if (kind !== null) return this.#refuse(key, foreignFile(kind));
      const previous = await upload.findPreviousUploads();
      // The person may have paused or cancelled while the storage was read.
      if (this.#items.find((it) => it.key === key)?.state !== "uploading") return;
      const latest = previous.at(-1);
      if (latest !== undefined) upload.resumeFromPreviousUpload(latest);
    }
    upload.start();
  }

  #upload(key: number, file: File): Upload {
    const upload = new Upload(file, {
      endpoint: ENDPOINT,
      chunkSize: this.#pieceBytes,
      retryDelays: RETRY_DELAYS_MS,
      metadata: { filename: file.name, filetype: file.type },
      removeFingerprintOnSuccess: true,
      // Of the request that creates or finds the upload: the first piece comes behind it.
      onAfterResponse: (_, response) => {
        const limit = pieceLimitBytes(response.getHeader("upload-limit"));
        const piece = upload.options.chunkSize ?? Number.POSITIVE_INFINITY;
        if (limit !== null && limit < piece) upload.options.chunkSize = limit;
      },
      onShouldRetry: (error) => retriesByItself(error.originalResponse?.getStatus() ?? 0),
      onUploadUrlAvailable: () => this.#change(key, { videoId: lastPart(upload.url) }),
      onProgress: (bytesSent) => {
        const rate = this.#jobs.get(key)?.rate;
        rate?.add(bytesSent, performance.now());
        this.#change(key, { bytesSent, bytesPerSecond: rate?.bytesPerSecond() ?? null });
      },
      onSuccess: () => {
        this.#change(key, { state: "sent", bytesSent: file.size, videoId: lastPart(upload.url) });
        this.#startWaiting();
      },
      onError: (error) => {
        if (this.#retriesInPieces(upload, error)) return;
        const reason = refusal(error);
        this.#refuse(key, reason);
        if (reason.signIn) void this.#resumeSignedIn(key);
        if (reason.offline) this.#reconnect.start(ANSWERED, this.#resumeOffline);
      },
    });
    return upload;
  }

  async #resumeSignedIn(key: number) {
    if (await this.#signIn()) this.resume(key);
  }

  /** Goes on in smaller pieces when a proxy on the way refuses a body of this size. */
  #retriesInPieces(upload: Upload, error: Error): boolean {
    if (!isProxyLimit(error)) return false;
    const refused = upload.options.chunkSize ?? Number.POSITIVE_INFINITY;
    // What another upload of this page has learnt holds for this one: they go the same way.
    const smaller = this.#pieceBytes < refused ? this.#pieceBytes : nextPieceBytes(refused);
    if (smaller === null) return false;
    this.#pieceBytes = smaller;
    upload.options.chunkSize = smaller;
    upload.start();
    return true;
  }

  #refuse(key: number, reason: Refusal) {
    this.#jobs.get(key)?.rate.reset();
    this.#change(key, { state: "failed", refusal: reason, bytesPerSecond: null });
    this.#startWaiting();
  }

  #change(key: number, change: Partial<Item>) {
    this.#items = this.#items.map((it) => (it.key === key ? { ...it, ...change } : it));
    this.#notify();
  }

  #notify() {
    for (const listener of this.#listeners) listener();
  }
}

/** Returns the keys of the waiting uploads that may start now, the oldest first. */
export function nextToStart(items: readonly Pick<Item, "key" | "state">[], parallel: number) {
  const running = items.filter((it) => it.state === "uploading").length;
  const waiting = items.filter((it) => it.state === "waiting");
  return waiting.slice(0, Math.max(0, parallel - running)).map((it) => it.key);
}

async function readHead(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    // A folder, or a file that was moved away: the upload itself finds the words for it.
    return new Uint8Array();
  }
}

async function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}

function foreignFile(kind: string): Refusal {
  const message = `This is ${kind}, not a video and not a sound. Choose another file.`;
  return { message, retriable: false, offline: false, signIn: false };
}

const CHANGED_FILE: Refusal = {
  message: "The file was changed or moved meanwhile, and can no longer be read. Choose it again.",
  retriable: false,
  offline: false,
  signIn: false,
};

const EMPTY_FILE: Refusal = {
  message: "This file is empty, or it is a folder.",
  retriable: false,
  offline: false,
  signIn: false,
};

// The last part of an upload's address is the id of the video that it becomes.
function lastPart(url: string | null): string | null {
  return (
    url
      ?.split(/[?#]/)[0]
      ?.split("/")
      .findLast((it) => it !== "") ?? null
  );
}
