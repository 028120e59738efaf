"""What is proved on the node, in this order."""

from proofs import faults, figures, packagers, playback, policies, restore

PROOFS = {
    "playback": playback.prove,
    "figures": figures.prove,
    "policies": policies.prove,
    "packagers": packagers.prove,
    "faults": faults.prove,
    "restore": restore.prove,
}
