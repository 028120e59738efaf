// The icons, drawn as strokes and fills on a 24-unit square. Decoration only: the button that holds
// one has the name.

import type { ReactNode } from "react";

const FILL = { fill: "currentColor", stroke: "none" } as const;

const DRAWINGS = {
  play: (
    <path
      d="M8 5.3v13.4a1 1 0 0 0 1.5.9l11-6.7a1 1 0 0 0 0-1.8l-11-6.7A1 1 0 0 0 8 5.3Z"
      {...FILL}
    />
  ),
  pause: (
    <>
      <rect x="6" y="5" width="4.2" height="14" rx="1.2" {...FILL} />
      <rect x="13.8" y="5" width="4.2" height="14" rx="1.2" {...FILL} />
    </>
  ),
  replay: <path d="M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5" />,
  volume: (
    <>
      <path d="M4 9.5v5h3.5L12 18.500V5.500L7.5 9.500Z" {...FILL} />
      <path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.500a7.8 7.8 0 0 1 0 11" />
    </>
  ),
  muted: (
    <>
      <path d="M4 9.500v5h3.500L12 18.500V5.500L7.5 9.500Z" {...FILL} />
      <path d="m16 9.5 5 5m0-5-5 5" />
    </>
  ),
  quality: <path d="M4 7h9m5 0h2M4 12h3m5 0h8M4 17h9m5 0h2M15.5 5v4M9.5 10v4M15.5 15v4" />,
  speed: <path d="M4.5 17.500a9 9 0 1 1 15 0M12 14l4-5" />,
  audio: (
    <path d="M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z" />
  ),
  captions: (
    <>
      <rect x="3" y="5" width="18" height="14" rx="2.5" />
      <path d="M10.5 10.500a2.2 2.2 0 1 0 0 3M17 10.500a2.2 2.2 0 1 0 0 3" />
    </>
  ),
  fullscreen: <path d="M4 9V4.500h4.500M20 9V4.500h-4.500M4 15v4.500h4.500M20 15v4.500h-4.5" />,
  shrink: <path d="M8.5 4.500V9H4M15.5 4.500V9H20M8.5 19.500V15H4M15.5 19.500V15H20" />,
  pip: (
    <>
      <rect x="3" y="5" width="18" height="14" rx="2.5" />
      <rect x="11.5" y="11" width="7" height="5.5" rx="1" {...FILL} />
    </>
  ),
  upload: <path d="M12 16V5m-5 5 5-5 5 5M4.5 15.500v2a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-2" />,
  edit: (
    <path d="m4.5 19.5.8-4L16 4.800a1.7 1.7 0 0 1 2.4 0l.8.8a1.7 1.7 0 0 1 0 2.400L8.5 18.700Z" />
  ),
  trash: (
    <path d="M4.5 7h15M9.5 7V4.500h5V7M6.5 7l.8 12a1 1 0 0 0 1 .9h7.400a1 1 0 0 0 1-.9l.8-12M10 11v5m4-5v5" />
  ),
  close: <path d="m6 6 12 12M18 6 6 18" />,
  check: <path d="m5 12.5 4.5 4.500L19 7.5" />,
  copy: (
    <>
      <rect x="9" y="9" width="11" height="11" rx="2" />
      <path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3" />
    </>
  ),
  alert: (
    <path d="M12 8v5m0 3.200v.1M10.4 4.2 2.9 17.300A1.8 1.8 0 0 0 4.5 20h15a1.8 1.8 0 0 0 1.6-2.700L13.6 4.200a1.8 1.8 0 0 0-3.2 0Z" />
  ),
  keyboard: (
    <>
      <rect x="2.5" y="6" width="19" height="12" rx="2" />
      <path d="M6 10h.1m3.9 0h.1m3.9 0h.1m3.9 0h.1M8 14h8" />
    </>
  ),
  film: (
    <>
      <rect x="3.5" y="5" width="17" height="14" rx="2" />
      <path d="M8 5v14M16 5v14M3.5 12h17M3.5 8.500H8M3.5 15.500H8M16 8.500h4.500M16 15.500h4.5" />
    </>
  ),
  person: (
    <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.500 8.500c.6-3.600 3.600-5.500 7.500-5.500s6.900 1.900 7.500 5.500" />
  ),
  search: <path d="M10.5 17.500a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 5 5" />,
  chevron: <path d="m6 9.5 6 6 6-6" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {DRAWINGS[name]}
    </svg>
  );
}
