// Bit rates as RFC 8216 §4.1 defines them, from the sizes of the files themselves.

/** Returns the average segment bit rate of `[{ bytes, seconds }]`. */
export function average(segments) {
  const { bytes, seconds } = sum(segments);
  return (bytes * 8) / seconds;
}

/**
 * Returns the peak segment bit rate: the largest of any contiguous set of segments that lasts from a
 * half to one and a half times the target duration.
 */
export function peak(segments, targetSeconds) {
  let highest = 0;
  for (let from = 0; from < segments.length; from += 1) {
    for (let to = from + 1; to <= segments.length; to += 1) {
      const set = segments.slice(from, to);
      const { seconds } = sum(set);
      if (seconds >= targetSeconds * 0.5 && seconds <= targetSeconds * 1.5) {
        highest = Math.max(highest, average(set));
      }
    }
  }
  return highest;
}

function sum(segments) {
  return segments.reduce(
    (all, { bytes, seconds }) => ({ bytes: all.bytes + bytes, seconds: all.seconds + seconds }),
    { bytes: 0, seconds: 0 },
  );
}
