// The people with accounts who may watch a video while it is private, each to be taken off the list on their own.

import { useCallback, useId, useState } from "react";
import { addGrant, endGrant, type Grant, listGrants } from "../../api/grants.ts";
import { sentence } from "../../api/request.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { useEnding } from "../../shared/use-ending.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./share-links.module.css";

export function SharedPeople({ video }: { video: string }) {
  const load = useCallback(() => listGrants(video), [video]);
  const { value: people, change } = useLoaded(load);
  const [person, setPerson] = useState("");
  const { end, failure, heading } = useEnding((grant) => endGrant(video, grant), change);
  const id = useId();

  return (
    <section className={styles.shares} aria-labelledby={`${id}-heading`}>
      <h3 id={`${id}-heading`} ref={heading} tabIndex={-1}>
        People
      </h3>
      <p>They may watch this video while it is private, and find it in their library.</p>
      {people.state === "failed" && <ErrorText text={sentence(people.problem)} />}
      {people.state === "ready" && people.value.length > 0 && (
        <ul aria-label="People">
          {people.value.map((it) => (
            <li key={it.id} className={styles.end}>
              <span dir="auto">{nameOf(it)}</span>
              <button
                type="button"
                className="button quiet small"
                aria-label={`Stop sharing with ${nameOf(it)}`}
                onClick={() => end(it.id)}
              >
                End
              </button>
            </li>
          ))}
        </ul>
      )}
      <ErrorText text={failure} />
      <Form
        name="Share with a person"
        action="Share"
        send={() => addGrant(video, person.trim())}
        onDone={(grant) => {
          setPerson("");
          change((all) => [grant, ...all.filter((it) => it.id !== grant.id)]);
        }}
      >
        <Field
          label="E-mail or account id"
          name="person"
          required
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          hint="Of somebody who has an account here. Whether an address has one is not said."
          value={person}
          onChange={setPerson}
        />
      </Form>
    </section>
  );
}

function nameOf({ email, user }: Grant): string {
  return email ?? user?.name ?? "";
}
