"""Kubectl: what the proofs ask the cluster, and what is said of a pod that does not get ready."""

import json

from node.command import output, works
from node.failure import Failure

NAMESPACE = "clipcut"
_FIRST = "app.kubernetes.io/name"


class Kubectl:
    """The cluster of one run."""

    def __init__(self, argv, processes):
        self._argv, self._processes = argv, processes

    def run(self, *words, text=None, seconds=120):
        """Returns what a command prints."""
        return output([*self._argv, *words], text=text, seconds=seconds)

    def get(self, *words):
        """Returns resources as JSON."""
        return json.loads(self.run("get", *words, "--output", "json"))

    def apply(self, manifest):
        """Applies a manifest: a text, or JSON."""
        self.run("apply", "--filename", "-", text=manifest if isinstance(manifest, str) else json.dumps(manifest))

    def pods(self, role):
        """Returns the pods of a role that are not about to end."""
        found = self.get("pods", "--selector", f"{_FIRST}={role}")["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def execute(self, pod, *argv, text=None, seconds=60):
        """Returns what a command in a pod prints."""
        stdin = ["--stdin"] if text is not None else []
        return self.run("exec", *stdin, pod, "--", *argv, text=text, seconds=seconds)

    def wait_for_rollout(self, what, seconds=180, namespace=NAMESPACE):
        """Waits until all pods of a workload are ready; else says of each that is not why."""
        self._wait(what, ["rollout", "status", what], seconds, namespace)

    def wait_for_job(self, name, seconds=180):
        """Waits until a job is done."""
        self._wait(f"job {name}", ["wait", "--for=condition=complete", f"job/{name}"], seconds, NAMESPACE)

    def _wait(self, what, words, seconds, namespace):
        argv = [*self._argv, *words, "--namespace", namespace, "--timeout=3s"]
        try:
            self._processes.wait_until(f"{what} is ready", lambda: works(argv), seconds)
        except Failure as failure:
            raise Failure(f"{failure}", failure.details or self.explain()) from None

    def explain(self):
        """Returns, of each pod that is not ready, its last events and its last lines."""
        lines = []
        for pod in self.get("pods")["items"]:
            if pod["status"].get("phase") == "Succeeded" or is_ready(pod):
                continue
            name = pod["metadata"]["name"]
            lines.append(f"{name} is not ready:")
            lines += self._events(name) + self._last_lines(name)
        return "\n".join(lines)

    def _events(self, pod):
        events = self.get("events", "--field-selector", f"involvedObject.name={pod}", "--sort-by", ".lastTimestamp")["items"]
        return [f"  {event['reason']}: {event['message']}" for event in events[-3:]]

    def _last_lines(self, pod):
        lines = []
        for more in (["--previous"], []):
            try:
                lines += self.run("logs", pod, "--all-containers", "--tail=3", *more).splitlines()
            except Failure:
                continue
        return [f"  {line[:300]}" for line in lines]


def is_ready(pod):
    """Returns whether a pod takes requests."""
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
