// All accounts, each to be disabled, enabled, promoted and demoted, and given limits of its own.

import { useState } from "react";
import { editPerson, listPeople, type Person, type PersonEdit } from "../../api/people.ts";
import { sentence } from "../../api/request.ts";
import type { User } from "../../api/session.ts";
import { Badge } from "../../shared/badge.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { age } from "../../shared/format.ts";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { QuotaDialog } from "./quota-dialog.tsx";
import { RemoveDialog } from "./remove-dialog.tsx";

export function AccountsPanel({ user }: { user: User }) {
  const { value: people, reload, change } = useLoaded(listPeople, "people");
  return (
    <Panel title="Accounts">
      {people.state === "failed" && <Trouble problem={people.problem} onRetry={reload} />}
      {people.state === "ready" && (
        <Rows name="Accounts">
          {people.value.map((it) => (
            <PersonRow
              key={it.id}
              person={it}
              people={people.value}
              self={it.id === user.id}
              onChanged={(person) =>
                change((all) => all.map((other) => (other.id === person.id ? person : other)))
              }
              onRemoved={() => change((all) => all.filter((other) => other.id !== it.id))}
            />
          ))}
        </Rows>
      )}
    </Panel>
  );
}

interface PersonRowProps {
  person: Person;
  people: Person[];
  /** The administrator's own, which they can neither disable nor demote by mistake. */
  self: boolean;
  onChanged: (person: Person) => void;
  onRemoved: () => void;
}

function PersonRow({ person, people, self, onChanged, onRemoved }: PersonRowProps) {
  const [failure, setFailure] = useState("");
  const [limits, setLimits] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { id, name, email, role, disabled, created } = person;
  const edit = async (change: PersonEdit) => {
    const outcome = await editPerson(id, change);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") onChanged(outcome.value);
  };
  return (
    <Row
      title={
        <>
          {name}
          {self && <Badge>You</Badge>}
          {role === "administrator" && <Badge>Administrator</Badge>}
          {disabled && <Badge>Disabled</Badge>}
        </>
      }
      facts={`${email} · joined ${age(created, Date.now())}`}
    >
      <button
        type="button"
        className="button quiet small"
        aria-label={`Limits of ${name}`}
        onClick={() => setLimits(true)}
      >
        Limits
      </button>
      {limits && (
        <QuotaDialog person={person} onClose={() => setLimits(false)} onChanged={onChanged} />
      )}
      {!self && (
        <>
          <button
            type="button"
            className="button quiet small"
            aria-label={
              role === "user" ? `Make ${name} an administrator` : `Make ${name} no administrator`
            }
            onClick={() => edit({ role: role === "user" ? "administrator" : "user" })}
          >
            {role === "user" ? "Make administrator" : "Make user"}
          </button>
          <button
            type="button"
            className="button quiet small"
            aria-label={`${disabled ? "Enable" : "Disable"} ${name}`}
            onClick={() => edit({ disabled: !disabled })}
          >
            {disabled ? "Enable" : "Disable"}
          </button>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Remove ${name}`}
            onClick={() => setRemoving(true)}
          >
            Remove
          </button>
          {removing && (
            <RemoveDialog
              person={person}
              people={people}
              onClose={() => setRemoving(false)}
              onRemoved={onRemoved}
            />
          )}
          <ErrorText text={failure} />
        </>
      )}
    </Row>
  );
}
