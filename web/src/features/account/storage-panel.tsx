// The storage of a person's videos, and its limit.

import { type Storage, showStorage } from "../../api/account.ts";
import { bytes } from "../../shared/format.ts";
import { Panel } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";

export function StoragePanel() {
  const { value, reload } = useLoaded(showStorage, "storage");
  return (
    <Panel title="Storage">
      {value.state === "failed" && <Trouble problem={value.problem} onRetry={reload} />}
      {value.state === "ready" && <p>{sentenceOf(value.value)}</p>}
    </Panel>
  );
}

function sentenceOf({ usage, quota }: Storage): string {
  const size = quota.bytes === null ? "" : ` of ${bytes(quota.bytes)}`;
  const length = quota.minutes === null ? "" : ` of ${quota.minutes}`;
  return `Your videos take ${bytes(usage.bytes)}${size} and ${Math.round(usage.minutes)}${length} minutes.`;
}
