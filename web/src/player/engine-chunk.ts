// The chunk of hls.js, the largest file of the page: loaded when a video is opened, and as early as that is known.

export const loadEngine = () => import("./hls-engine.ts");

/** Begins to load the engine before there is a source, so that both come at once. */
export function prefetchEngine() {
  loadEngine().catch(() => {
    // The start asks again, and shows why it fails.
  });
}
