// The tokens by which programs act for this person.

import { deleteToken, listTokens, type NewToken, type Token } from "../../api/account.ts";
import { age, until } from "../../shared/format.ts";
import { Row } from "../../shared/panel.tsx";
import { SecretsPanel } from "./secrets-panel.tsx";
import { TokenForm } from "./token-form.tsx";

export function TokensPanel() {
  return (
    <SecretsPanel<Token, NewToken>
      title="API tokens"
      intro={
        <>
          A token lets a program act for you: uploads by script, tus clients, curl.{" "}
          <a href="/api/docs">What programs can do</a>
        </>
      }
      load={listTokens}
      row={(it, { askToDelete }) => (
        <Row key={it.id} title={it.name} facts={factsOf(it)}>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Delete the token ${it.name}`}
            onClick={askToDelete}
          >
            Delete
          </button>
        </Row>
      )}
      make="New token"
      form={(close, onMade) => <TokenForm onClose={close} onMade={onMade} />}
      secret={{
        name: "Token",
        copy: ({ name }) => (
          <>
            Copy the token <strong dir="auto">{name}</strong> now: it is not shown again.
          </>
        ),
      }}
      deletion={{
        title: "Delete this token?",
        send: deleteToken,
        text: ({ name }) => (
          <>
            Programs that use <strong dir="auto">{name}</strong> are refused from then on.
          </>
        ),
      }}
    />
  );
}

function factsOf({ scopes, expires, lastUsed }: Token): string {
  const now = Date.now();
  const end = expires === null ? "never ends" : `ends ${until(expires, now)}`;
  const used = lastUsed === null ? "never used" : `last used ${age(lastUsed, now)}`;
  return `May ${scopes.join(", ")} · ${end} · ${used}`;
}
