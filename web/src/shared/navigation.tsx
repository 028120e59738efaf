// Moving between pages over the History API; three routes need no library.

import { type ComponentProps, type MouseEvent, useSyncExternalStore } from "react";

const MOVED = "clipcut:moved";

let moved = false;

export function navigate(path: string) {
  window.history.pushState(null, "", path);
  arrive();
}

/** Goes to a page in place of this one, which Back then passes by. */
export function replacePage(path: string) {
  window.history.replaceState(null, "", path);
  arrive();
}

/** Returns whether the person has come to this page by a link of another one of ours. */
export function hasMoved(): boolean {
  return moved;
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}

/** Returns the query of the address, with its question mark if there is one. */
export function useQuery(): string {
  return useSyncExternalStore(subscribe, () => window.location.search);
}

function arrive() {
  moved = true;
  window.dispatchEvent(new Event(MOVED));
  window.scrollTo(0, 0);
}

type LinkProps = Omit<ComponentProps<"a">, "href"> & { to: string };

/** A link that moves within the page; modified clicks stay with the browser (new tab, download). */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || event.button !== 0 || modified) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  window.addEventListener(MOVED, changed);
  return () => {
    window.removeEventListener("popstate", changed);
    window.removeEventListener(MOVED, changed);
  };
}
