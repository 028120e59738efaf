// Reads fragmented MP4 (ISO/IEC 14496-12) as far as the tests need: what stands in a segment and when.

// Boxes that hold nothing but boxes.
const CONTAINERS = new Set(["moov", "trak", "mdia", "moof", "traf"]);

const TFHD = { baseOffset: 0x1, description: 0x2, duration: 0x8, size: 0x10 };
const TRUN = {
  offset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  cts: 0x800,
};

// ITU-T H.264 table 7-1.
const SLICE = 1;
const IDR_SLICE = 5;

/** Returns the ticks per second of the only track of an init segment. */
export function timescale(init) {
  const { body } = all(init).find((it) => it.type === "mdhd");
  return body.readUInt32BE(body[0] === 1 ? 20 : 12);
}

/**
 * Returns the fragments of a segment: `{ start, time, ticks, samples, sequence, first }`, where `first`
 * is the first sample with the `size` that it should have and the `data` that is there.
 */
export function fragments(segment) {
  const found = [];
  let current = null;
  for (const { type, body, start } of all(segment)) {
    if (type === "moof") {
      current = { start, time: 0, ticks: 0, samples: 0, sequence: 0, first: null };
      found.push(current);
    } else if (type === "mfhd") current.sequence = body.readUInt32BE(4);
    else if (type === "tfhd") current.defaults = tfhd(body);
    else if (type === "tfdt") {
      current.time = body[0] === 1 ? Number(body.readBigUInt64BE(4)) : body.readUInt32BE(4);
    } else if (type === "trun") addRun(current, body, segment);
  }
  return found;
}

/** Returns whether the first coded picture of a sample in AVCC form is an IDR picture. */
export function startsWithIdr(sample) {
  for (let at = 0; at + 5 <= sample.length; at += 4 + sample.readUInt32BE(at)) {
    const type = sample[at + 4] & 0x1f;
    if (type >= SLICE && type <= IDR_SLICE) return type === IDR_SLICE;
  }
  return false;
}

function tfhd(body) {
  const flags = body.readUInt32BE(0);
  let at = 8;
  if (flags & TFHD.baseOffset) at += 8;
  if (flags & TFHD.description) at += 4;
  const defaults = { duration: 0, size: 0 };
  for (const name of ["duration", "size"]) {
    if ((flags & TFHD[name]) === 0) continue;
    defaults[name] = body.readUInt32BE(at);
    at += 4;
  }
  return defaults;
}

function addRun(fragment, body, segment) {
  const flags = body.readUInt32BE(0);
  const samples = body.readUInt32BE(4);
  let at = 8;
  const next = () => {
    at += 4;
    return body.readUInt32BE(at - 4);
  };
  // Offsets count from the start of the moof box (default-base-is-moof).
  const data = fragment.start + (flags & TRUN.offset ? next() : 0);
  if (flags & TRUN.firstFlags) next();
  for (let i = 0; i < samples; i += 1) {
    fragment.ticks += flags & TRUN.duration ? next() : fragment.defaults.duration;
    const size = flags & TRUN.size ? next() : fragment.defaults.size;
    if (flags & TRUN.flags) next();
    if (flags & TRUN.cts) next();
    fragment.first ??= { size, data: segment.subarray(data, data + size) };
  }
  fragment.samples += samples;
}

function all(bytes, from = 0, to = bytes.length) {
  const found = [];
  let at = from;
  while (at < to) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    // The byte range of a key frame ends with that frame, in the midst of its mdat.
    const fits = at + size <= to || type === "mdat";
    // None of ours is large enough for a 64-bit size.
    if (size < 8 || !fits) throw new Error(`a box of ${size} bytes at ${at} of ${to}`);
    found.push({ type, start: at, body: bytes.subarray(at + 8, at + size) });
    if (CONTAINERS.has(type)) found.push(...all(bytes, at + 8, at + size));
    at += size;
  }
  return found;
}
