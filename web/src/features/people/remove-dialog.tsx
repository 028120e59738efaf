// The question before an administrator removes an account, for nothing brings it back.

import { useId, useState } from "react";
import { type Person, removePerson } from "../../api/people.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { FateOfVideos, type Heir } from "../../shared/fate-of-videos.tsx";
import { Form } from "../../shared/form.tsx";

interface RemoveDialogProps {
  person: Person;
  /** All accounts, one of which may get the videos. */
  people: Person[];
  onClose: () => void;
  onRemoved: () => void;
}

export function RemoveDialog({ person, people, onClose, onRemoved }: RemoveDialogProps) {
  const others = people.filter((it) => it.id !== person.id);
  const [heir, setHeir] = useState<Heir>(null);
  const id = useId();
  return (
    <Dialog title={`Remove ${person.name}?`} onClose={onClose}>
      <p>
        The account <strong dir="auto">{person.email}</strong> ends with its sessions and tokens.
        This cannot be undone.
      </p>
      <Form
        name={`Remove ${person.name}`}
        action="Remove for good"
        send={() => removePerson(person.id, heir)}
        onDone={onRemoved}
        onCancel={onClose}
      >
        <FateOfVideos
          heir={heir}
          onChoose={(chosen) => setHeir(chosen === null ? null : (others[0]?.id ?? ""))}
        >
          <div className="field">
            <label htmlFor={id}>New owner</label>
            <select
              id={id}
              name="heir"
              value={heir ?? ""}
              onChange={(event) => setHeir(event.target.value)}
            >
              {others.map((it) => (
                <option key={it.id} value={it.id}>
                  {`${it.name} (${it.email})`}
                </option>
              ))}
            </select>
          </div>
        </FateOfVideos>
      </Form>
    </Dialog>
  );
}
