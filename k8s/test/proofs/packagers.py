"""Two packagers against one on the same node: both work on one video, by the segments that each published."""

import re
import time

from node.failure import Failure
from node.report import table
from proofs import clip
from proofs.api import Api
from proofs.upload import Upload

SECONDS = 120
_SEGMENTS = re.compile(r'^clipcut_jobs_segments_total\{[^}]*kind="video"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)


def prove(cluster):
    """Encodes the same clip with one packager, then with two."""
    api = Api(cluster.url, cluster.token)
    source = clip.make(cluster.folder / "long.mp4", SECONDS)
    rows = []
    try:
        for replicas in (1, 2):
            _scale(cluster.kubectl, replicas)
            rows.append([replicas, *_encode(cluster, api, source)])
    finally:
        _scale(cluster.kubectl, 1)
    table(["packagers", "seconds to ready", "segments by pod"], [[n, f"{s:.1f}", ", ".join(map(str, each))] for n, s, each in rows])
    if min(rows[1][2]) == 0:
        raise Failure("of two packagers only one worked")


def _scale(kubectl, replicas):
    kubectl.run("scale", "deployment/packager", f"--replicas={replicas}")
    kubectl.wait_for_rollout("deployment/packager")


def _encode(cluster, api, source):
    before = _published(cluster.kubectl)
    upload = Upload(cluster, source)
    video, begun = upload.id(), time.monotonic()
    api.wait_until(video, "ready", lambda it: it["state"] == "ready", 600)
    seconds = time.monotonic() - begun
    upload.wait()
    after = _published(cluster.kubectl)
    return seconds, [int(after[pod] - before.get(pod, 0)) for pod in after]


def _published(kubectl):
    """Returns the segments that each packager has published since its start."""
    counts = {}
    for pod in kubectl.pods("packager"):
        name = pod["metadata"]["name"]
        metrics = kubectl.execute(name, "curl", "-sf", "http://127.0.0.1:9090/metrics")
        counts[name] = sum(float(count) for count in _SEGMENTS.findall(metrics))
    return counts
