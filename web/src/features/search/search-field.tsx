// The search field of the header: Enter or a pause opens the results, "/" moves the focus here.

import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { Icon } from "../../shared/icons.tsx";
import { navigate } from "../../shared/navigation.tsx";
import { searchPath } from "../../shared/route.ts";
import styles from "./search.module.css";

/** The most characters that the server takes. */
const MOST = 500;

export function SearchField({ words }: { words: string }) {
  const [typed, setTyped] = useState(words);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();

  // Back, Forward and links to results change what is searched for without this field.
  useEffect(() => setTyped(words), [words]);

  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
      const modified = event.metaKey || event.ctrlKey || event.altKey;
      if (event.key !== "/" || typing || modified || event.defaultPrevented) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = typed.trim();
    if (wanted !== "") navigate(searchPath(wanted));
  };

  return (
    <search className={styles.search}>
      <form className={styles.form} onSubmit={submit} action="/search">
        <label htmlFor={id} className="visually-hidden">
          Search videos and what is said in them
        </label>
        <input
          ref={field}
          id={id}
          type="search"
          name="q"
          dir="auto"
          placeholder="Search"
          maxLength={MOST}
          autoComplete="off"
          enterKeyHint="search"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" className={`icon-button ${styles.submit}`} aria-label="Search">
          <Icon name="search" size={18} />
        </button>
      </form>
    </search>
  );
}
