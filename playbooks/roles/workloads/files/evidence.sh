#!/bin/sh
# What explains pods that do not become ready: nodes, pods, their events and last lines.
# Usage: evidence.sh KUBECONFIG
export KUBECONFIG="$1"
kubectl() { timeout 10 /usr/local/bin/kubectl --namespace=grid "$@" 2>&1; }

echo "== nodes"
kubectl get nodes
echo "== pods"
kubectl get pods --output=wide
echo "== warnings, the newest last"
kubectl get events --field-selector=type=Warning --sort-by=.lastTimestamp | cut -c 1-600 | tail -n 12
for pod in $(kubectl get pods --output=jsonpath='{range .items[?(@.status.phase!="Succeeded")]}{.metadata.name}{" "}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' |
    awk '$2 != "True" { print $1 }'); do
    echo "== last lines of $pod"
    kubectl logs "$pod" --all-containers --tail=5 | cut -c 1-240
done
