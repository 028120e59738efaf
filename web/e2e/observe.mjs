// Runs inside a page before its own scripts: keeps the media element's own account of what it shows,
// so that no test has to trust the page's word.

/** Fills `window.seen`; must stand alone, for its source is sent to the browser. */
export function observe({ digits, strip }) {
  const canvas = document.createElement("canvas");
  canvas.width = digits * 8;
  canvas.height = 1;
  const paper = canvas.getContext("2d", { willReadFrequently: true });

  // The digits' strip, one pixel high; see frame-number.mjs.
  const pixels = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    paper.drawImage(video, 0, (height * strip) / 2, width, 1, 0, 0, canvas.width, 1);
    const { data } = paper.getImageData(0, 0, canvas.width, 1);
    return Array.from({ length: canvas.width }, (_, x) => data[x * 4 + 1]);
  };

  // A picture so small that two encodings of one frame are nearly equal in it.
  const thumbnail = (video, [width, height]) => {
    const small = new OffscreenCanvas(width, height).getContext("2d");
    small.imageSmoothingQuality = "high";
    small.drawImage(video, 0, 0, width, height);
    const { data } = small.getImageData(0, 0, width, height);
    return Array.from(data).filter((_, at) => at % 4 !== 3);
  };

  const follow = (video) => {
    const seen = { video, frames: [], events: [], thumbnail: (size) => thumbnail(video, size) };
    window.seen = seen;
    for (const name of ["ended", "error", "waiting", "seeked", "playing", "ratechange"]) {
      video.addEventListener(name, () => seen.events.push({ name, at: video.currentTime }));
    }
    const frame = (_, { mediaTime, presentedFrames, width, height }) => {
      seen.frames.push({ mediaTime, presentedFrames, width, height, pixels: pixels(video) });
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };

  new MutationObserver(() => {
    const video = document.querySelector("video");
    if (video !== null && video !== window.seen?.video) follow(video);
  }).observe(document, { childList: true, subtree: true });

  document.addEventListener("securitypolicyviolation", (it) => {
    window.tellViolation(`${it.violatedDirective} forbids ${it.blockedURI}`);
  });
}
