"""`lab kubeconfig`: the way for a kubectl, helm or k9s of this machine."""

from lab.cluster.admin import ready_server
from lab.cluster.lab import find
from lab.commands import options

app = options.verb_app()


@app.command()
@options.explained()
def kubeconfig(name: options.Name = options.DEFAULT_NAME) -> None:
    """Print the path of a kubeconfig for the first server whose API is ready.

    Use it as `export KUBECONFIG=$(lab kubeconfig)`.
    """
    lab = find(name)
    print(lab.cluster.kubeconfig(ready_server(lab).name))
