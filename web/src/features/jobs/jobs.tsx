// The administrator's page of work: what is being done and what waits, and the videos that have failed.

import { Heading } from "../../shared/heading.tsx";
import { Panels } from "../../shared/panel.tsx";
import { FailedPanel } from "./failed-panel.tsx";
import { QueuePanel } from "./queue-panel.tsx";

export function Jobs() {
  return (
    <Panels>
      <Heading title="Jobs" />
      <QueuePanel />
      <FailedPanel />
    </Panels>
  );
}
