// The browsers that are signed in to this account, each to be signed out from here.

import { useRef, useState } from "react";
import { endSession, listSessions, type OpenSession } from "../../api/account.ts";
import { sentence } from "../../api/request.ts";
import { Badge } from "../../shared/badge.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { age } from "../../shared/format.ts";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { deviceName } from "./device.ts";

export function SessionsPanel() {
  const { value: sessions, reload, change } = useLoaded(listSessions);
  const [failure, setFailure] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);

  const end = async ({ id }: OpenSession) => {
    const outcome = await endSession(id);
    if (outcome.state === "failed" && outcome.problem.status !== 404) {
      setFailure(sentence(outcome.problem));
      return;
    }
    setFailure("");
    change((all) => all.filter((it) => it.id !== id));
    heading.current?.focus();
  };

  return (
    <Panel title="Sessions" heading={heading}>
      {sessions.state === "failed" && <Trouble problem={sessions.problem} onRetry={reload} />}
      {sessions.state === "ready" && (
        <Rows name="Sessions">
          {sessions.value.map((it) => (
            <Row
              key={it.id}
              title={
                <>
                  <span title={it.userAgent}>{deviceName(it.userAgent)}</span>
                  {it.current && <Badge>This browser</Badge>}
                </>
              }
              facts={`Signed in ${age(it.created, Date.now())}, last seen ${age(it.lastSeen, Date.now())}`}
            >
              {!it.current && (
                <button
                  type="button"
                  className="button quiet small"
                  aria-label={`End the session of ${deviceName(it.userAgent)}`}
                  onClick={() => end(it)}
                >
                  End
                </button>
              )}
            </Row>
          ))}
        </Rows>
      )}
      <ErrorText text={failure} />
    </Panel>
  );
}
