// The menu of the person who is signed in.

import { useCallback, useId, useState } from "react";
import { signOut, type User } from "../api/session.ts";
import { Icon } from "../shared/icons.tsx";
import { Link } from "../shared/navigation.tsx";
import { ACCOUNT, JOBS, LIBRARY, MINE, PEOPLE, SHARED } from "../shared/route.ts";
import { useMenu } from "../shared/use-menu.ts";
import styles from "./account-menu.module.css";

const OF_ADMINISTRATORS = [
  { path: PEOPLE, label: "People" },
  { path: JOBS, label: "Jobs" },
];

export function AccountMenu({ user }: { user: User }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const close = useCallback(() => setOpen(false), []);
  const { root, button, list, move, leave } = useMenu({ open, close });

  const leaveSite = async () => {
    await signOut();
    // From the server anew: nothing of the person may stay in the page.
    window.location.assign(LIBRARY);
  };

  const places = [
    { path: MINE, label: "My videos" },
    { path: SHARED, label: "Shared with me" },
    { path: ACCOUNT, label: "My account" },
    ...(user.role === "administrator" ? OF_ADMINISTRATORS : []),
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
