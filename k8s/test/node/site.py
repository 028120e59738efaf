"""Clip Cut in the cluster: names, Secrets, `k8s/overlays/test`, and an account with a token."""

import base64
import secrets

from node.folder import ROOT, TEST
from node.kubectl import NAMESPACE

ROLES = ("origin", "accounts", "packager", "transcriber", "edge")
SERVERS = ("postgres", "mongodb", "redis")
EDGE_PORT = 8080
_EMAIL = "anna@example.org"


def deploy(kubectl):
    """Applies everything and waits until every role is ready."""
    kubectl.apply((TEST / "node/names.yaml").read_text())
    kubectl.run("apply", "--filename", str(ROOT / "k8s/base/namespace.yaml"))
    _make_secrets(kubectl)
    kubectl.run("apply", "--kustomize", str(ROOT / "k8s/overlays/test"))
    kubectl.wait_for_rollout("deployment/coredns", namespace="kube-system")
    for server in SERVERS:
        kubectl.wait_for_rollout(f"statefulset/{server}")
    kubectl.wait_for_job("migrate")
    for role in ROLES:
        kubectl.wait_for_rollout(f"deployment/{role}")


def _make_secrets(kubectl):
    password = secrets.token_hex(12)
    # FerretDB knows no users of its own: the policies decide who reaches it.
    settings = f"""
        postgres = "postgres://clipcut:{password}@postgres/clipcut"
        mongodb = "mongodb://mongodb/clipcut"
        redis = "redis://:{password}@redis"
    """
    ticket_key = base64.b64encode(secrets.token_bytes(32)).decode()
    for name, files in {
        "clipcut-passwords": {"password": password, "redis.conf": f"requirepass {password}\n"},
        "clipcut-servers": {"clipcut.toml": settings},
        "clipcut-edge": {"secret": secrets.token_hex(24), "ticket-keys": f"1 {ticket_key}\n"},
    }.items():
        metadata = {"name": name, "namespace": NAMESPACE}
        kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": files})


def address(kubectl):
    """Returns the URL of the edges' Service."""
    return f"http://{kubectl.get('service', 'edge')['spec']['clusterIP']}:{EDGE_PORT}"


def make_token(kubectl):
    """Makes the administrator's account and a token of theirs, in a pod as an operator would: from there the line is private."""
    password = secrets.token_hex(12)
    pod = kubectl.pods("origin")[0]["metadata"]["name"]
    kubectl.execute(pod, "clipcut", "user", "add", "--admin", "--name", "Anna", _EMAIL, text=f"{password}\n")
    login = f"XDG_CONFIG_HOME=/tmp/home clipcut login {_EMAIL} --server http://localhost:8080 >/dev/null && cat /tmp/home/clipcut/tokens/*"
    return kubectl.execute(pod, "sh", "-c", login, text=f"{password}\n").strip()
