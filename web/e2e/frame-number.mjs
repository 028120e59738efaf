// A picture that shows its frame's number: ten boxes along the top, the binary digits of its number.
// A player that shows frame 117 at the time of frame 116 is found out, at any size and in any codec.

export const DIGITS = 10;

/** Returns the part of a picture, from its top, that the digits fill. */
export const STRIP = 1 / 6;

/** Adds the digits to one of ffmpeg's sources. */
export function numbered(source) {
  const strip = `drawbox=x=0:y=0:w=iw:h=ih*${STRIP}:color=black:t=fill`;
  const digits = Array.from({ length: DIGITS }, (_, digit) => {
    const lit = `gte(mod(n\\,${2 ** (digit + 1)})\\,${2 ** digit})`;
    const box = `x=iw*${digit}/${DIGITS}:y=0:w=iw/${DIGITS}:h=ih*${STRIP}`;
    return `drawbox=${box}:color=white:t=fill:enable=${lit}`;
  });
  return [source, strip, ...digits].join(",");
}

/** Reads the number from a grey strip of one pixel's height and any width. */
export function readNumber(pixels) {
  let number = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const middle = Math.floor(((digit + 0.5) / DIGITS) * pixels.length);
    if (pixels[middle] > 127) number += 2 ** digit;
  }
  return number;
}
