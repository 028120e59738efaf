// The limits of one account, set by an administrator.

import { useState } from "react";
import { editPerson, type Person } from "../../api/people.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Field, Form } from "../../shared/form.tsx";

interface QuotaDialogProps {
  person: Person;
  onClose: () => void;
  onChanged: (person: Person) => void;
}

const BYTES_OF_GB = 1_000_000_000;

export function QuotaDialog({ person, onClose, onChanged }: QuotaDialogProps) {
  const [gigabytes, setGigabytes] = useState(written(person.quotaBytes, BYTES_OF_GB));
  const [minutes, setMinutes] = useState(written(person.quotaMinutes, 1));
  const send = () =>
    editPerson(person.id, {
      quota_bytes: read(gigabytes, BYTES_OF_GB),
      quota_minutes: read(minutes, 1),
    });
  return (
    <Dialog
      title={
        <>
          Limits of <bdi>{person.name}</bdi>
        </>
      }
      onClose={onClose}
    >
      <Form
        name="Limits"
        action="Save"
        send={send}
        onDone={(changed) => {
          onChanged(changed);
          onClose();
        }}
        onCancel={onClose}
      >
        <Field
          label="Gigabytes"
          name="quota_bytes"
          type="number"
          min="0"
          step="any"
          hint="All files of their videos together. Empty: the limit of this site."
          value={gigabytes}
          onChange={setGigabytes}
        />
        <Field
          label="Minutes"
          name="quota_minutes"
          type="number"
          min="0"
          hint="All their videos together. Empty: the limit of this site."
          value={minutes}
          onChange={setMinutes}
        />
      </Form>
    </Dialog>
  );
}

function written(limit: number | null, unit: number): string {
  return limit === null ? "" : String(limit / unit);
}

function read(typed: string, unit: number): number | null {
  return typed.trim() === "" ? null : Math.round(Number(typed) * unit);
}
