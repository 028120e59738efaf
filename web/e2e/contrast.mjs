// The contrast of two colours as browsers write them, `rgb(1, 2, 3)`.

/** Returns the contrast of two colours as WCAG 2.2 defines it. */
export function contrast(...colors) {
  const [low, high] = colors.map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color) {
  const [r, g, b] = color.match(/\d+/g).map((it) => {
    const part = Number(it) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
