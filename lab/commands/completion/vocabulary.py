"""The words of the command line, kept apart from the verbs so that no verb is imported.

A test keeps them equal to what the verbs declare.
"""

INVENTORY = ("--inventory", "-i", "--name", "--set")
OPTIONS = {
    "up": (*INVENTORY, "--check"),
    "down": ("--name", "--of"),
    "stop": ("--name",),
    "start": ("--name",),
    "add-node": (*INVENTORY[:3], "--server"),
    "remove-node": (*INVENTORY[:3], "--force"),
    "status": ("--name", "--json"),
    "ssh": ("--name",),
    "kubectl": ("--name",),
    "kubeconfig": ("--name",),
    "logs": ("--follow", "-f", "--lines", "-n", "--name"),
    "restore": INVENTORY,
    "heal": ("--name",),
    "profile": (),
    "preflight": INVENTORY,
    "doctor": ("--name", "--output", "-o"),
    "help": (),
}
"""Verb to its options."""
BEFORE_THE_VERB = (*INVENTORY, "--version", "--install-completion", "--show-completion")
"""Options that stand between `lab` and its verb."""
HELP = ("--help", "-h")
VALUED = frozenset(
    ("--inventory", "-i", "--name", "--set", "--lines", "-n", "--of", "--output", "-o")
)
"""Options that the next word belongs to."""
WORKLOADS = ("mysql", "pdc-higher", "pdc-lower", "pmu-1", "pmu-2", "pmu-3")
"""What `lab logs` takes besides nodes."""
