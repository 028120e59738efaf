// The browsers that are signed in to this account, each to be signed out from here.

import { endSession, listSessions } from "../../api/account.ts";
import { Badge } from "../../shared/badge.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { age } from "../../shared/format.ts";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useEnding } from "../../shared/use-ending.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import { deviceName } from "./device.ts";

export function SessionsPanel() {
  const { value: sessions, reload, change } = useLoaded(listSessions, "sessions");
  const { end, failure, heading } = useEnding(endSession, change);

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
                  onClick={() => end(it.id)}
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
