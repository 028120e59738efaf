"""Faults under ten players, an upload and an encode: what viewers meet, how long players stand still, and what is lost."""

import time

from node import site
from node.failure import Failure
from node.report import complain, say, table
from proofs import clip, media
from proofs.api import Api
from proofs.audience import Audience
from proofs.upload import Upload

# A clip for each fault: long enough to be still on its way, by the slow line, when the fault comes.
SECONDS = 24
# Viewers are watched for this long after all is ready again: a player notices at its next segment.
SETTLE_S = 6
FREEZE_S = 20
# These faults must not be noticed by anybody: the edges are two.
_UNNOTICED = "none"
# These take a server away, and what is in no cache waits for it.
_WAITING = "waits"
_NEVER = "never"


def prove(cluster):
    """Runs every fault and prints the table."""
    api = Api(cluster.url, cluster.token)
    source = clip.make(cluster.folder / "fault.mp4", SECONDS)
    watched = _first_video(cluster, api, source)
    audience = Audience(cluster, watched)
    try:
        outcomes = [_try(cluster, source, audience, fault) for fault in _faults(cluster)]
    finally:
        audience.end()
    rows = [[it.name, it.player_errors, it.page_errors, f"{it.stall:.1f} s", it.recovery, _lost(api, it)] for it in outcomes]
    table(["fault", "players' errors", "page's errors", "longest stall", "all ready after", "lost"], rows)
    _judge(outcomes, rows)


def _first_video(cluster, api, source):
    upload = Upload(cluster, source)
    video = upload.id()
    api.wait_until(video, "ready", lambda it: it["state"] == "ready", 300)
    upload.wait()
    return video


class Fault:
    """Something that is done to the cluster, and that ends when all is ready again."""

    def __init__(self, name, do, kind=_UNNOTICED):
        self.name, self.do, self.kind = name, do, kind


class Outcome:
    """What one fault did."""

    def __init__(self, fault, account, recovery, upload):
        self.name, self.kind, self.recovery, self.upload = fault.name, fault.kind, recovery, upload
        self.player_errors, self.page_errors = len(account.player_errors), len(account.page_errors)
        self.stall, self.samples = account.longest_stall, account.player_errors[:3] + account.page_errors[:3]


def _faults(cluster):
    kubectl = cluster.kubectl
    for role in site.ROLES:
        yield Fault(f"delete each pod of {role}", lambda role=role: _delete_each(kubectl, role))
    for role in site.ROLES:
        yield Fault(f"roll {role}", lambda role=role: _roll(kubectl, role))
    yield Fault("drain the node, then uncordon it", lambda: _drain(kubectl))
    yield Fault(f"etcd frozen for {FREEZE_S} s", lambda: cluster.processes.freeze("etcd", FREEZE_S))
    yield Fault("restart redis", lambda: _restart(kubectl, "redis"))
    yield Fault("restart postgres", lambda: _restart(kubectl, "postgres"), _WAITING)
    yield Fault("restart mongodb", lambda: _restart(kubectl, "mongodb"), _WAITING)


def _delete_each(kubectl, role):
    for pod in kubectl.pods(role):
        kubectl.run("delete", "pod", pod["metadata"]["name"])
        kubectl.wait_for_rollout(f"deployment/{role}")


def _roll(kubectl, role):
    kubectl.run("rollout", "restart", f"deployment/{role}")
    kubectl.wait_for_rollout(f"deployment/{role}")


def _drain(kubectl):
    """Drains the roles: there is no other node, so the budgets of disruption have to keep one pod of each that has two."""
    roles = "app.kubernetes.io/part-of=clipcut,app.kubernetes.io/component!=server"
    try:
        kubectl.run("drain", "node1", "--pod-selector", roles, "--delete-emptydir-data", "--timeout=30s")
    except Failure as refused:
        if "disruption budget" not in refused.details:
            raise
    finally:
        kubectl.run("uncordon", "node1")
    _wait_for_all(kubectl)


def _restart(kubectl, server):
    kubectl.run("delete", "pod", f"{server}-0")
    _wait_for_all(kubectl)


def _wait_for_all(kubectl):
    for server in site.SERVERS:
        kubectl.wait_for_rollout(f"statefulset/{server}")
    for role in site.ROLES:
        kubectl.wait_for_rollout(f"deployment/{role}")


def _try(cluster, source, audience, fault):
    upload = Upload(cluster, source, host="slow")
    time.sleep(2)
    begun = time.monotonic()
    try:
        fault.do()
        recovery = f"{time.monotonic() - begun:.0f} s"
    except Failure as failure:
        # The faults after it are worth a look all the same.
        complain(failure)
        recovery = _NEVER
    video = upload.id()
    time.sleep(SETTLE_S)
    outcome = Outcome(fault, audience.since(begun), recovery, (upload, video))
    say(f"{fault.name}: {outcome.player_errors} + {outcome.page_errors} errors, {outcome.stall:.1f} s stall, ready after {recovery}")
    for sample in outcome.samples:
        say(f"    {sample}")
    return outcome


def _lost(api, outcome):
    """Returns what is missing of the video that was uploaded while the fault was there."""
    upload, video = outcome.upload
    try:
        upload.wait()
        document = api.wait_until(video, "ready", lambda it: it["state"] == "ready", 300)
        master = document["playback"]["hls"]
        for playlist in media.renditions(api, master):
            for segment in media.segments(api, playlist):
                api.bytes(segment)
    except Failure as failure:
        return f"{failure}"
    return "nothing"


def _judge(outcomes, rows):
    noticed = [it.name for it in outcomes if it.recovery == _NEVER]
    noticed += [it.name for it in outcomes if it.kind == _UNNOTICED and (it.player_errors or it.page_errors)]
    lost = [row[0] for row in rows if row[-1] != "nothing"]
    if noticed or lost:
        raise Failure(f"not ready again or noticed by viewers: {', '.join(noticed) or 'nothing'}; lost something: {', '.join(lost) or 'nothing'}")
