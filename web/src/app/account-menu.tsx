// The menu of the person who is signed in, after the ARIA menu button pattern: arrows move, Enter chooses, Escape
// closes and gives the focus back.

import { type FocusEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { signOut, type User } from "../api/session.ts";
import { Icon } from "../shared/icons.tsx";
import { destination } from "../shared/menu-keys.ts";
import { Link } from "../shared/navigation.tsx";
import { ACCOUNT, LIBRARY, MINE, PEOPLE } from "../shared/route.ts";
import styles from "./account-menu.module.css";

export function AccountMenu({ user }: { user: User }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    entries(list.current)[0]?.focus({ preventScroll: true });
    const pressElsewhere = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", pressElsewhere);
    return () => window.removeEventListener("pointerdown", pressElsewhere);
  }, [open]);

  const move = (event: KeyboardEvent) => {
    const items = entries(list.current);
    const at = items.indexOf(document.activeElement as HTMLElement);
    const target = destination(event.key, at, items.length);
    if (target !== null) {
      event.preventDefault();
      items[target]?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    }
  };

  const leave = (event: FocusEvent) => {
    // A null target is a press on something without focus, which `pressElsewhere` judges.
    if (event.relatedTarget !== null && !root.current?.contains(event.relatedTarget)) {
      setOpen(false);
    }
  };

  const leaveSite = async () => {
    await signOut();
    // From the server anew: nothing of the person may stay in the page.
    window.location.assign(LIBRARY);
  };

  const places = [
    { path: MINE, label: "My videos" },
    { path: ACCOUNT, label: "My account" },
    ...(user.role === "administrator" ? [{ path: PEOPLE, label: "People" }] : []),
  ];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only watches the focus leave
    <div ref={root} className={styles.root} onBlur={leave}>
      <button
        ref={button}
        type="button"
        className={`button quiet ${styles.button}`}
        aria-label={`Account of ${user.name}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon name="person" />
        <span className={styles.name} dir="auto">
          {user.name}
        </span>
        <Icon name="chevron" size={16} />
      </button>
      {open && (
        <div
          ref={list}
          id={id}
          className={styles.menu}
          role="menu"
          aria-label="Account"
          tabIndex={-1}
          onKeyDown={move}
        >
          <p className={styles.who} aria-hidden="true">
            <strong dir="auto">{user.name}</strong>
            <span>{user.email}</span>
          </p>
          {places.map(({ path, label }) => (
            <Link
              key={path}
              to={path}
              className={styles.item}
              role="menuitem"
              tabIndex={-1}
              onClick={() => setOpen(false)}
            >
              {label}
            </Link>
          ))}
          <button
            type="button"
            className={styles.item}
            role="menuitem"
            tabIndex={-1}
            onClick={leaveSite}
          >
            Sign out
          </button>
        </div>
      )}
    </div>
  );
}

function entries(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}
