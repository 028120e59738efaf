// The table of keyboard shortcuts, opened by "?".

import { Dialog } from "../shared/dialog.tsx";
import { HELP } from "./keyboard.ts";
import styles from "./player.module.css";

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="Keyboard shortcuts">
      <table className={styles.keys}>
        <tbody>
          {HELP.map(([keys, meaning]) => (
            <tr key={keys}>
              <th scope="row">{keys}</th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
