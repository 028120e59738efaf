// A button with a menu of which one entry is chosen.

import { useCallback, useEffect, useId } from "react";
import { Icon, type IconName } from "../shared/icons.tsx";
import { useMenu } from "../shared/use-menu.ts";
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
  const id = useId();
  const shut = useCallback(() => onClose(name), [name, onClose]);
  const { root, button, list, move, leave, giveBack } = useMenu({ open, close: shut });

  // A menu may go while it is open, as with the controls of a video that fails.
  useEffect(() => shut, [shut]);

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
        onClick={() => (open ? shut() : onOpen(name))}
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
                giveBack();
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
