"""`lab up --check`: what `lab up` would do to the lab, which stays as it is."""

from lab.artefacts import Cache
from lab.commands.life.preparing import PLAYBOOK_LIMIT_S, prepare, variables
from lab.commands.look import preflight
from lab.config.inventory import Inventory
from lab.console.progress import Progress
from lab.faults import healing
from lab.nodes.state import StateDirectory
from lab.providers import registry
from lab.provisioning.playbook import play


def would_do(inventory: Inventory, progress: Progress) -> list[str]:
    """Return a line for each thing that `lab up` would do; empty where it would do nothing.

    Nodes that run are asked by Ansible's check mode, which tells tasks that would change
    something, and not those that only follow from them. For that, what a new version needs
    is made in the artefact cache, and nothing else. Raises LabError where `lab up` would.
    """
    settings = inventory.settings
    state = StateDirectory(settings.lab_name)
    cache = Cache()
    provider = registry.of(settings, cache)
    with state.lock():
        there = provider.list_nodes()
        preflight.check(inventory, provider, cache, existing=len(there.nodes))
        names = {node.name for node in there.nodes}
        missing = [name for name in inventory.hosts if name not in names]
        off = [node.name for node in there.nodes if node.name not in there.running]
        if missing or off:
            lines = [*(f"make {name}" for name in missing), *(f"start {name}" for name in off)]
            return [*lines, "build on all nodes what lacks of the cluster and the workloads"]
        ready = prepare(inventory, provider, cache, progress)
        healing.refuse_in_force(there.nodes)
        recap = play(
            "site.yml",
            inventory=inventory,
            nodes=there.nodes,
            variables=variables(ready, cache, provider.files),
            progress=progress,
            title="Ask the nodes what would change",
            limit_s=PLAYBOOK_LIMIT_S,
            check=True,
        )
    hidden = ["tasks that hide what they change, as it has secrets"] if recap.untold else []
    return [*recap.changed_tasks, *hidden]
