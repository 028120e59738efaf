// A button with a menu of which one entry is chosen, after the ARIA menu button pattern: arrows move,
// Enter chooses, Escape closes and gives the focus back.

import { type FocusEvent, type KeyboardEvent, useEffect, useId, useRef } from "react";
import { Icon, type IconName } from "../shared/icons.tsx";
import { destination } from "../shared/menu-keys.ts";
import controls from "./controls.module.css";
import styles from "./menu.module.css";

interface Entry<T> {
  id: T;
  label: string;
  /** Shown beside the label and not part of the entry's name. */
  note?: string;
}

interface MenuProps<T> {
  name: string;
  icon: IconName;
  active?: boolean;
  choices: Entry<T>[];
  chosen: T;
  onChoose: (id: T) => void;
  /** Kept by the player, whose stage rises above the page in the same commit: copied there by an effect, it would come
   * a task later, and the menu would first be drawn beneath what follows the stage. */
  open: boolean;
  onOpen: (name: string) => void;
  onClose: (name: string) => void;
}

export function Menu<T extends number | string | null>(props: MenuProps<T>) {
  const { name, icon, active = false, choices, chosen, onChoose, open, onOpen, onClose } = props;
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const items = entries(list.current);
    (items.find((it) => it.ariaChecked === "true") ?? items[0])?.focus({ preventScroll: true });
    const pressElsewhere = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) onClose(name);
    };
    window.addEventListener("pointerdown", pressElsewhere);
    return () => window.removeEventListener("pointerdown", pressElsewhere);
  }, [open, name, onClose]);

  // A menu may go while it is open, as with the controls of a video that fails.
  useEffect(() => () => onClose(name), [name, onClose]);

  const close = () => {
    onClose(name);
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
      event.stopPropagation();
      close();
    }
  };

  const leave = (event: FocusEvent) => {
    // A null target is a press on something without focus, which `pressElsewhere` judges.
    if (event.relatedTarget !== null && !root.current?.contains(event.relatedTarget)) {
      onClose(name);
    }
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only watches the focus leave
    <div ref={root} className={styles.root} onBlur={leave}>
      <button
        ref={button}
        type="button"
        className={controls.control}
        data-active={active}
        aria-label={name}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        title={name}
        onClick={() => (open ? onClose(name) : onOpen(name))}
      >
        <Icon name={icon} size={22} />
      </button>
      {open && (
        <div
          ref={list}
          id={id}
          className={styles.menu}
          role="menu"
          aria-label={name}
          tabIndex={-1}
          onKeyDown={move}
        >
          <div className={styles.title} aria-hidden="true">
            {name}
          </div>
          {choices.map((entry) => (
            <button
              key={String(entry.id)}
              type="button"
              className={styles.item}
              role="menuitemradio"
              aria-checked={entry.id === chosen}
              aria-label={entry.label}
              {...(entry.note && { "aria-description": entry.note })}
              tabIndex={-1}
              onClick={() => {
                onChoose(entry.id);
                close();
              }}
            >
              <span className={styles.mark}>
                {entry.id === chosen && <Icon name="check" size={16} />}
              </span>
              <span dir="auto">{entry.label}</span>
              {entry.note && <span className={styles.note}>{entry.note}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function entries(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role=menuitemradio]") ?? [])];
}
