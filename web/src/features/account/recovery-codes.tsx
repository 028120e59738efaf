// The recovery codes of a second factor, shown once.

import styles from "./account.module.css";

interface RecoveryCodesProps {
  codes: string[];
  onCopied: () => void;
}

export function RecoveryCodes({ codes, onCopied }: RecoveryCodesProps) {
  return (
    <div className={styles.once}>
      <p role="status">
        Keep these recovery codes where you find them without your phone: each signs you in once,
        and they are not shown again.
      </p>
      <ul className={styles.codes} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="actions">
        <button type="button" className="button quiet small" onClick={onCopied}>
          I have kept them
        </button>
      </div>
    </div>
  );
}
