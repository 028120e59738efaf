// Entries of a list that are ended one by one: sessions, links, invitations, people.

import { useRef, useState } from "react";
import { type Outcome, sentence } from "../api/request.ts";

/** Returns how an entry is ended by `send`. The focus goes to the list's heading, for the entry's button is gone with it. */
export function useEnding<T extends { id: string }>(
  send: (id: string) => Promise<Outcome<true>>,
  change: (change: (all: T[]) => T[]) => void,
) {
  const [failure, setFailure] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  const end = async (id: string) => {
    const outcome = await send(id);
    // An entry that is not there has ended already.
    if (outcome.state === "failed" && outcome.problem.status !== 404) {
      setFailure(sentence(outcome.problem));
      return;
    }
    setFailure("");
    change((all) => all.filter((it) => it.id !== id));
    heading.current?.focus();
  };
  return { end, failure, setFailure, heading };
}
