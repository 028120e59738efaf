// A button's menu, after the ARIA menu button pattern: arrows move, Escape closes and gives the focus back, a press or a
// focus elsewhere closes. Whether it is open is kept by the component above.

import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef } from "react";
import { destination } from "./menu-keys.ts";

interface MenuState {
  open: boolean;
  /** The same function from one render to the next. */
  close: () => void;
}

export interface Menu {
  /** Around the button and its list. */
  root: RefObject<HTMLDivElement | null>;
  button: RefObject<HTMLButtonElement | null>;
  list: RefObject<HTMLDivElement | null>;
  /** Keys within the list. */
  move: (event: KeyboardEvent) => void;
  /** The focus that leaves something within the root. */
  leave: (event: FocusEvent) => void;
  /** Closes, with the focus on the button again. */
  giveBack: () => void;
}

export function useMenu({ open, close }: MenuState): Menu {
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    const items = entries(list.current);
    (items.find((it) => it.ariaChecked === "true") ?? items[0])?.focus({ preventScroll: true });
    const pressElsewhere = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) close();
    };
    window.addEventListener("pointerdown", pressElsewhere);
    return () => window.removeEventListener("pointerdown", pressElsewhere);
  }, [open, close]);

  const giveBack = () => {
    close();
    button.current?.focus();
  };
  const move = (event: KeyboardEvent) => {
    const items = entries(list.current);
    const at = items.indexOf(document.activeElement as HTMLElement);
    const target = destination(event.key, at, items.length);
    if (target !== null) {
      event.preventDefault();
      items[target]?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      // The dialog around it has an Escape of its own.
      event.stopPropagation();
      giveBack();
    }
  };
  const leave = (event: FocusEvent) => {
    // A null target is a press on something without focus, which `pressElsewhere` judges.
    if (event.relatedTarget !== null && !root.current?.contains(event.relatedTarget)) close();
  };
  return { root, button, list, move, leave, giveBack };
}

function entries(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
}
