// The second factor: turned on by the app's first code, and off again by the password.

import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import {
  beginSecondFactor,
  type NewSecondFactor,
  showSecondFactor,
  turnOffSecondFactor,
} from "../../api/second-factor.ts";
import { Panel } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { PasswordDialog } from "./password-dialog.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { SecondFactorForm } from "./second-factor-form.tsx";

type Step = "rest" | "password" | "off" | NewSecondFactor;

export function SecondFactorPanel({ email }: { email: string }) {
  const { value: factor, reload, change } = useLoaded(showSecondFactor, "second factor");
  const [step, setStep] = useState<Step>("rest");
  const [codes, setCodes] = useState<string[] | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const rest = () => {
    // At once: a dialog that closes gives the focus back to where it was, and must not do so later.
    flushSync(() => setStep("rest"));
    heading.current?.focus();
  };
  const on = factor.state === "ready" && factor.value.on;
  return (
    <Panel title="Second factor" heading={heading}>
      {factor.state === "failed" && <Trouble problem={factor.problem} onRetry={reload} />}
      {codes !== null && (
        <RecoveryCodes
          codes={codes}
          onCopied={() => {
            setCodes(null);
            rest();
          }}
        />
      )}
      {factor.state === "ready" && !on && (
        <p>
          With an authenticator app, a sign-in asks for a code of your phone besides the password.
        </p>
      )}
      {on && <p>A sign-in asks for a code of your app. {left(factor.value.recoveryCodesLeft)}</p>}
      {factor.state === "ready" && step === "rest" && (
        <button
          type="button"
          className={on ? "button quiet small" : "button small"}
          onClick={() => setStep(on ? "off" : "password")}
        >
          {on ? "Turn off" : "Set up"}
        </button>
      )}
      {typeof step === "object" && (
        <SecondFactorForm
          factor={step}
          onClose={rest}
          onDone={(made) => {
            setCodes(made);
            setStep("rest");
            change(() => ({ on: true, recoveryCodesLeft: made.length }));
          }}
        />
      )}
      {step === "password" && (
        <PasswordDialog
          title="Set up a second factor"
          action="Go on"
          email={email}
          send={beginSecondFactor}
          onClose={rest}
          onDone={setStep}
        />
      )}
      {step === "off" && (
        <PasswordDialog
          title="Turn the second factor off?"
          action="Turn off"
          email={email}
          send={turnOffSecondFactor}
          onClose={rest}
          onDone={() => {
            setCodes(null);
            change(() => ({ on: false, recoveryCodesLeft: 0 }));
            rest();
          }}
        >
          <p>Your password alone signs you in from then on, and the recovery codes are void.</p>
        </PasswordDialog>
      )}
    </Panel>
  );
}

function left(codes: number): string {
  return codes === 1 ? "1 recovery code is left." : `${codes} recovery codes are left.`;
}
