// The links that open a video to whoever has them, each to be ended on its own.

import { useCallback, useId, useState } from "react";
import { sentence } from "../../api/request.ts";
import { addShare, endShare, listShares } from "../../api/shares.ts";
import { CopyField } from "../../shared/copy-field.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { daysFrom, until } from "../../shared/format.ts";
import { useEnding } from "../../shared/use-ending.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./share-links.module.css";

const DAYS = [
  { days: "1", name: "a day" },
  { days: "7", name: "a week" },
  { days: "30", name: "30 days" },
  { days: "", name: "until it is ended" },
] as const;

export function ShareLinks({ video }: { video: string }) {
  const load = useCallback(() => listShares(video), [video]);
  const { value: shares, change } = useLoaded(load);
  const [days, setDays] = useState<string>("7");
  const [busy, setBusy] = useState(false);
  const { end, failure, setFailure, heading } = useEnding(
    (share) => endShare(video, share),
    change,
  );
  const id = useId();

  const add = async () => {
    setBusy(true);
    const expires = days === "" ? null : daysFrom(Date.now(), Number(days));
    const outcome = await addShare(video, expires);
    setBusy(false);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") change((all) => [outcome.value, ...all]);
  };
  return (
    <section className={styles.shares} aria-labelledby={`${id}-heading`}>
      <h3 id={`${id}-heading`} ref={heading} tabIndex={-1}>
        Share links
      </h3>
      <p>Whoever has one may watch this video without an account, even while it is private.</p>
      {shares.state === "failed" && <ErrorText text={sentence(shares.problem)} />}
      {shares.state === "ready" && shares.value.length > 0 && (
        <ul aria-label="Share links">
          {shares.value.map((it, at) => {
            const name = `Link ${shares.value.length - at}`;
            return (
              <li key={it.id}>
                <CopyField name={name} text={new URL(it.link, window.location.origin).href} />
                <p className={styles.end}>
                  {it.expires === null
                    ? "Works until it is ended"
                    : `Ends ${until(it.expires, Date.now())}`}
                  <button
                    type="button"
                    className="button quiet small"
                    aria-label={`End ${name}`}
                    onClick={() => end(it.id)}
                  >
                    End
                  </button>
                </p>
              </li>
            );
          })}
        </ul>
      )}
      <div className={styles.add}>
        <label htmlFor={`${id}-days`}>A new link for</label>
        <select id={`${id}-days`} value={days} onChange={(event) => setDays(event.target.value)}>
          {DAYS.map((it) => (
            <option key={it.days} value={it.days}>
              {it.name}
            </option>
          ))}
        </select>
        <button type="button" className="button quiet small" disabled={busy} onClick={add}>
          Make link
        </button>
      </div>
      <ErrorText text={failure} />
    </section>
  );
}
