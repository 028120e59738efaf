// The heading of a page: it names the browser's tab, and takes the focus of a person who has come by a link within
// the page, so that a screen reader begins there.

import { type ReactNode, useEffect, useRef } from "react";
import { hasMoved } from "./navigation.tsx";
import { usePageTitle } from "./page-title.ts";

export function Heading({ title, children }: { title: string; children?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  usePageTitle(title);
  useEffect(() => {
    // A field that has the focus already is the better place.
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (hasMoved() && lost) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
