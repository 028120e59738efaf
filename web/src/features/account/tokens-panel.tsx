// The tokens by which programs act for this person.

import { useRef, useState } from "react";
import { deleteToken, listTokens, type NewToken, type Token } from "../../api/account.ts";
import { ConfirmDialog } from "../../shared/confirm-dialog.tsx";
import { CopyField } from "../../shared/copy-field.tsx";
import { age, until } from "../../shared/format.ts";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./account.module.css";
import { TokenForm } from "./token-form.tsx";

export function TokensPanel() {
  const { value: tokens, reload, change } = useLoaded(listTokens);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewToken | null>(null);
  const [deleting, setDeleting] = useState<Token | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  return (
    <Panel title="API tokens" heading={heading}>
      <p>
        A token lets a program act for you: uploads by script, tus clients, curl.{" "}
        <a href="/api/docs">What programs can do</a>
      </p>
      {made !== null && (
        <div className={styles.once}>
          <p role="status">
            Copy the token <strong dir="auto">{made.name}</strong> now: it is not shown again.
          </p>
          <CopyField name="Token" text={made.secret} />
          <div className="actions">
            <button
              type="button"
              className="button quiet small"
              onClick={() => {
                setMade(null);
                heading.current?.focus();
              }}
            >
              I have copied it
            </button>
          </div>
        </div>
      )}
      {tokens.state === "failed" && <Trouble problem={tokens.problem} onRetry={reload} />}
      {tokens.state === "ready" && tokens.value.length > 0 && (
        <Rows name="API tokens">
          {tokens.value.map((it) => (
            <Row key={it.id} title={it.name} facts={factsOf(it)}>
              <button
                type="button"
                className="button quiet small"
                aria-label={`Delete the token ${it.name}`}
                onClick={() => setDeleting(it)}
              >
                Delete
              </button>
            </Row>
          ))}
        </Rows>
      )}
      {making ? (
        <div className={styles.part}>
          <TokenForm
            onClose={() => {
              setMaking(false);
              heading.current?.focus();
            }}
            onMade={(token) => {
              setMaking(false);
              setMade(token);
              change((all) => [token, ...all]);
            }}
          />
        </div>
      ) : (
        <button type="button" className="button small" onClick={() => setMaking(true)}>
          New token
        </button>
      )}
      {deleting !== null && (
        <ConfirmDialog
          title="Delete this token?"
          action="Delete"
          keep="Keep it"
          send={() => deleteToken(deleting.id)}
          onClose={() => setDeleting(null)}
          onDone={() => {
            change((all) => all.filter((it) => it.id !== deleting.id));
            if (made?.id === deleting.id) setMade(null);
            setDeleting(null);
            requestAnimationFrame(() => heading.current?.focus());
          }}
        >
          <p>
            Programs that use <strong dir="auto">{deleting.name}</strong> are refused from then on.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function factsOf({ scopes, expires, lastUsed }: Token): string {
  const now = Date.now();
  const end = expires === null ? "never ends" : `ends ${until(expires, now)}`;
  const used = lastUsed === null ? "never used" : `last used ${age(lastUsed, now)}`;
  return `May ${scopes.join(", ")} · ${end} · ${used}`;
}
