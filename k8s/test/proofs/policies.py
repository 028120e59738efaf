"""NetworkPolicies and pod security, tried from inside of the pods."""

import subprocess
import sys

from node import network
from node.failure import Failure
from node.report import say, table
from node.site import EDGE_PORT

# A host outside answers here: the port that transcribers may fetch models by.
_HTTPS = 443
# The seconds that a connection waits: one that a policy drops gets no answer.
_TRIES_S = 3
_REFUSED, _REACHED = "refused", "reached"


def prove(cluster):
    """Tries each way, allowed and not, and a pod that pod security must refuse."""
    server = [sys.executable, "-m", "http.server", "--bind", network.OUTSIDE, str(_HTTPS), "--directory", str(cluster.folder / "home")]
    listener = subprocess.Popen(network.at("outside", server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rows = [[role, place, wanted, _try(cluster.kubectl, role, url)] for role, place, url, wanted in _ways(cluster)]
    finally:
        listener.kill()
    table(["from", "to", "wanted", "found"], rows)
    wrong = [f"{role} to {place}" for role, place, wanted, found in rows if wanted != found]
    if wrong:
        raise Failure(f"the policies do not hold: {', '.join(wrong)}")
    _refuse_plain_pod(cluster.kubectl)


def _ways(cluster):
    outside = f"http://{network.OUTSIDE}:{_HTTPS}"
    edge, origin = f"http://edge:{EDGE_PORT}", "http://origin:8080"
    admin = f"http://{cluster.kubectl.pods('origin')[0]['status']['podIP']}:9090"
    yield "packager", "the outside", outside, _REFUSED
    yield "packager", "an edge", edge, _REFUSED
    yield "packager", "PostgreSQL", "http://postgres:5432", _REACHED
    yield "edge", "PostgreSQL", "http://postgres:5432", _REFUSED
    yield "edge", "MongoDB", "http://mongodb:27017", _REFUSED
    yield "edge", "Redis", "http://redis:6379", _REFUSED
    yield "edge", "an origin", origin, _REACHED
    yield "edge", "an origin's operators' port", admin, _REFUSED
    yield "edge", "the outside", outside, _REFUSED
    accounts = "http://accounts:8080"
    yield "edge", "accounts", accounts, _REACHED
    yield "accounts", "PostgreSQL", "http://postgres:5432", _REACHED
    yield "accounts", "MongoDB", "http://mongodb:27017", _REFUSED
    # Webhooks, mail and OpenID leave by components/outward alone, which this overlay has not.
    yield "accounts", "the outside", outside, _REFUSED
    yield "origin", "the outside", outside, _REFUSED
    yield "packager", "accounts", accounts, _REFUSED
    yield "transcriber", "the outside, for models", outside, _REACHED
    yield "transcriber", "an origin", origin, _REFUSED
    yield "origin", "an edge, for purges", f"http://edge-peers:{EDGE_PORT}", _REACHED


def _try(kubectl, role, url):
    """Returns whether a connection is made from a pod of a role."""
    pod = kubectl.pods(role)[0]["metadata"]["name"]
    # curl 7: refused; 28: no answer in time. 0, 1, 52 and 56 speak of bytes that came: the connection was made.
    script = f"curl -s -o /dev/null --connect-timeout {_TRIES_S} --max-time {_TRIES_S + 2} {url}; echo $?"
    code = kubectl.execute(pod, "sh", "-c", script).strip()
    if code == "6":
        raise Failure(f"{role} does not know the name of {url}")
    return _REFUSED if code in {"7", "28"} else _REACHED


def _refuse_plain_pod(kubectl):
    """Fails where a pod without a security context is taken."""
    container = {"name": "plain", "image": "localhost/clipcut:test", "imagePullPolicy": "Never"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain", "namespace": "clipcut"}, "spec": {"containers": [container]}}
    try:
        kubectl.apply(pod)
    except Failure as refused:
        if "violates PodSecurity" in refused.details:
            say("a pod without a security context is refused")
            return
        raise
    raise Failure("a pod without a security context was taken: pod security is not enforced")
