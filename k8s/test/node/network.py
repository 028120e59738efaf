"""Addresses of the node and of hosts outside of it, and the way of new connections to the policies.

All of it is in the node's own network namespace: no address here is one of this machine's, and none leads out of it.
"""

from node.command import output

NODE = "192.0.2.1"
# A host that is neither pod nor node: viewers are there, and what a packager must not reach.
OUTSIDE = "192.0.2.2"
# One on a slow line, whose uploads take a while.
SLOW = "198.51.100.2"
_SLOW_RATE = "3mbit"
PODS = "10.88.0.0/16"
SERVICES = "10.96.0.0/16"
NAMES = "10.96.0.10"
POLICY_QUEUE = 100


def set_up():
    """Links the node with the hosts outside and sends new connections to the queue that kube-network-policies judges."""
    _run("""
        ip link set lo up
        sysctl -qw net.ipv4.ip_forward=1
    """)
    _link("outside", NODE, OUTSIDE)
    _link("slow", "198.51.100.1", SLOW)
    _run(f"""
        tc -n slow qdisc add dev uplink root tbf rate {_SLOW_RATE} burst 32kb latency 400ms
        ip route add default via {OUTSIDE}
        iptables -t mangle -A POSTROUTING -m owner --uid-owner 0 -j RETURN
        iptables -t mangle -A POSTROUTING -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
        iptables -t mangle -A POSTROUTING -j NFQUEUE --queue-num {POLICY_QUEUE}
    """)


def _link(name, here, there):
    """Makes a host `name` with a link of its own to the node."""
    _run(f"""
        ip netns add {name}
        ip link add name to-{name} type veth peer name uplink netns {name}
        ip address add {here}/24 dev to-{name}
        ip link set to-{name} up
        ip -n {name} link set lo up
        ip -n {name} address add {there}/24 dev uplink
        ip -n {name} link set uplink up
        ip -n {name} route add {PODS} via {here}
        ip -n {name} route add {SERVICES} via {here}
    """)


def _run(lines):
    for line in lines.strip().splitlines():
        output(line.split())


def at(host, argv):
    """Returns the command line that runs a command on a host outside of the node."""
    return ["ip", "netns", "exec", host, *argv]


def cni():
    """Returns the network of pods: each on a link of its own to the node, so that every packet between two passes its rules."""
    ipam = {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}
    plugins = [{"type": "ptp", "ipam": ipam}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}
