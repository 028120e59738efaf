"""What runs inside of the node's namespaces: the cluster, then the proofs, one after the other."""

from node.cluster import Cluster
from node.failure import Failure
from node.report import complain, say
from proofs import PROOFS


def run(name, wanted):
    """Returns 0 where every proof held. One that fails does not keep the others from being tried."""
    cluster = Cluster(name)
    failed = []
    try:
        cluster.start()
        for proof in wanted or PROOFS:
            say(f"--- {proof}")
            try:
                PROOFS[proof](cluster)
            except Failure as failure:
                complain(failure)
                failed.append(proof)
    finally:
        cluster.end()
    held = len(wanted or PROOFS) - len(failed)
    print(f"{held} passed, {len(failed)} failed")
    return 1 if failed else 0
