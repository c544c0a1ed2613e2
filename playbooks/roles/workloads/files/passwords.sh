#!/bin/bash
# Makes the workloads' namespace and, where the cluster has none, their passwords: on the node, kept by
# the cluster only. Prints what it made; with `look` what it would make.
# usage: passwords.sh do|look KUBECONFIG NAMESPACE_MANIFEST
set -o errexit -o nounset -o pipefail
verb=$1 kubeconfig=$2 manifest=$3
kubectl() { /usr/local/bin/kubectl --kubeconfig="$kubeconfig" "$@"; }
password() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }

test -z "$(kubectl --namespace=grid get secret mysql --ignore-not-found --output=name)" || exit 0
echo "namespace and passwords"
test "$verb" = do || exit 0
kubectl get namespace grid --output=name >/dev/null 2>&1 || kubectl create --save-config --filename "$manifest"
# The here-document keeps them out of the process list.
kubectl create --filename - <<EOF
apiVersion: v1
kind: Secret
metadata:
  name: mysql
  namespace: grid
type: Opaque
stringData:
  root-password: "$(password)"
  lower-password: "$(password)"
  higher-password: "$(password)"
EOF
