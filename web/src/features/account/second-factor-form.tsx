// The setting up of a second factor: the picture for the app's camera, and its first code.

import { useState } from "react";
import { type NewSecondFactor, turnOnSecondFactor } from "../../api/second-factor.ts";
import { CopyField } from "../../shared/copy-field.tsx";
import { Field, Form } from "../../shared/form.tsx";
import styles from "./account.module.css";

interface SecondFactorFormProps {
  factor: NewSecondFactor;
  onClose: () => void;
  onDone: (recoveryCodes: string[]) => void;
}

// Scanners find the code by the light margin around it.
const MARGIN = 4;

export function SecondFactorForm({ factor, onClose, onDone }: SecondFactorFormProps) {
  const [code, setCode] = useState("");
  const { size, path } = factor.picture;
  const side = size + 2 * MARGIN;
  return (
    <>
      <p>Scan this picture with your authenticator app, or type the key into it.</p>
      <svg
        className={styles.picture}
        viewBox={`${-MARGIN} ${-MARGIN} ${side} ${side}`}
        role="img"
        aria-label="QR code with the key below"
        shapeRendering="crispEdges"
      >
        <path d={path} fill="currentColor" />
      </svg>
      <CopyField name="Key" text={factor.secret} />
      <div className={styles.part}>
        <Form
          name="Second factor"
          action="Turn on"
          send={() => turnOnSecondFactor(code)}
          onDone={onDone}
          onCancel={onClose}
        >
          <Field
            label="Code"
            name="code"
            autoComplete="one-time-code"
            inputMode="numeric"
            hint="The six digits that the app shows now."
            required
            begins
            value={code}
            onChange={setCode}
          />
        </Form>
      </div>
    </>
  );
}
