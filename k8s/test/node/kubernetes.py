"""Kubernetes on this node: etcd, the API server, the controllers, the scheduler, the kubelet, the proxy and the policies."""

import json
import secrets

from node import network, runtime
from node.command import output, works
from node.folder import LOGS

API = f"https://{network.NODE}:6443"
_ETCD = "http://127.0.0.1:2379"


class Kubernetes:
    """The programs of one run, in their order."""

    def __init__(self, processes, folder, programs, cgroup):
        self._processes, self._folder, self._programs, self._cgroup = processes, folder, programs, cgroup
        self.kubeconfig = folder / "kubeconfig"

    def start(self):
        """Starts all and waits until the node is ready."""
        self._write()
        self._start_etcd()
        self._start_api()
        for start in (self._start_controllers, self._start_scheduler, self._start_kubelet, self._start_proxy, self._start_policies):
            start()
        self._processes.wait_until("the node is ready", self._node_is_ready, 120)

    def _write(self):
        """Writes the keys and the files of settings: nobody but the processes of this run reaches the API, so one token is enough."""
        token, folder = secrets.token_hex(16), self._folder
        (folder / "tokens").write_text(f"{token},admin,admin,system:masters\n")
        output(["openssl", "genrsa", "-out", str(folder / "accounts.key"), "2048"])
        cluster = {"server": API, "insecure-skip-tls-verify": True}
        _write_json(self.kubeconfig, {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin", "namespace": "clipcut"}}],
        })
        (folder / "resolv.conf").write_text("")
        _write_json(folder / "kubelet.json", {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{runtime.SOCKET}",
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self._cgroup}", "failCgroupV1": False, "enforceNodeAllocatable": [],
            "failSwapOn": False,
            # The disk of a machine that builds is fuller than a node's: no pod is evicted and no image removed for it.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%", "memory.available": "50Mi"},
            "clusterDNS": [network.NAMES], "clusterDomain": "cluster.local", "resolvConf": str(folder / "resolv.conf"),
            "podLogsDir": str(LOGS / "pods"), "readOnlyPort": 0,
        })
        _write_json(folder / "proxy.json", {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(self.kubeconfig)}, "mode": "nftables", "clusterCIDR": network.PODS,
            "hostnameOverride": "node1", "conntrack": {"maxPerCore": 0},
        })

    def _start_etcd(self):
        self._processes.start("etcd", ["etcd", "--data-dir", self._folder / "etcd", "--log-level", "warn"], {"ETCD_UNSUPPORTED_ARCH": ""})
        self._processes.wait_until("etcd answers", lambda: works(["curl", "-sf", f"{_ETCD}/health"]), 60)

    def _start_api(self):
        folder = self._folder
        self._part(
            "kube-apiserver", f"--etcd-servers={_ETCD}", f"--cert-dir={folder}/certificates", "--secure-port=6443",
            f"--advertise-address={network.NODE}", f"--token-auth-file={folder}/tokens", "--authorization-mode=RBAC",
            f"--service-account-key-file={folder}/accounts.key", f"--service-account-signing-key-file={folder}/accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-cluster-ip-range={network.SERVICES}", "--kubelet-preferred-address-types=InternalIP",
        )
        self._processes.wait_until("the API server is ready", lambda: works([*self.kubectl(), "get", "--raw", "/readyz"]), 120)

    def _start_controllers(self):
        folder = self._folder
        self._part(
            "kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
            f"--service-account-private-key-file={folder}/accounts.key", f"--root-ca-file={folder}/certificates/apiserver.crt",
        )

    def _start_scheduler(self):
        self._part("kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false")

    def _start_kubelet(self):
        folder = self._folder
        self._part(
            "kubelet", f"--kubeconfig={self.kubeconfig}", f"--config={folder}/kubelet.json", f"--root-dir={folder}/kubelet",
            "--hostname-override=node1", f"--node-ip={network.NODE}",
        )

    def _start_proxy(self):
        self._part("kube-proxy", f"--config={self._folder}/proxy.json")

    def _start_policies(self):
        program, queue = self._programs["policies"], network.POLICY_QUEUE
        self._processes.start("policies", [program, "--kubeconfig", self.kubeconfig, "--node", "node1", "--queue", queue])

    def _part(self, name, *flags):
        """Starts a part of Kubernetes."""
        self._processes.start(name, [self._link(name), *flags])

    def _link(self, name):
        """Returns the one program by a part's name."""
        link = self._folder / "bin" / name
        if not link.exists():
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(self._programs["kubernetes"])
        return link

    def kubectl(self):
        """Returns the beginning of a kubectl command line."""
        return [str(self._link("kubectl")), "--kubeconfig", str(self.kubeconfig)]

    def _node_is_ready(self):
        return works([*self.kubectl(), "wait", "--for=condition=Ready", "node/node1", "--timeout=5s"])


def _write_json(path, value):
    path.write_text(json.dumps(value))
