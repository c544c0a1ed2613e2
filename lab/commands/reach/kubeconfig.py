"""`lab kubeconfig`: the way for a kubectl, helm or k9s of this machine."""

from lab.cluster.admin import ready_server
from lab.cluster.lab import find
from lab.commands import options

app = options.verb_app()


@app.command(**options.shown("export KUBECONFIG=$(lab kubeconfig)", "lab kubeconfig --name second"))
@options.explained()
def kubeconfig(name: options.Name = options.DEFAULT_NAME) -> None:
    """Print the path of a kubeconfig for the first server whose API is ready."""
    lab = find(name)
    server = ready_server(lab).name
    lab.cluster.api_of(server)  # what is damaged is fetched again
    print(lab.cluster.kubeconfig(server))
