#!/usr/bin/env bash
# Writes the control plane's static pods as a configuration of kubeadm says, and starts those
# that changed again.
# usage: rewrite_static_pods.sh CONFIG ENDPOINT
#
# A kubelet that runs lets up to 20 s pass between the end of an old static pod and the start
# of its successor. One that starts finds the new pods only, and begins with them at once. It
# is away for as short as can be: the node's lease is its to renew.
set -euo pipefail

config=$1 endpoint=$2
manifests=/etc/kubernetes/manifests
kubectl=(kubectl --kubeconfig /etc/kubernetes/admin.conf --namespace kube-system --request-timeout 3s)

main() {
  local old controllers scheduler
  old=$(mktemp --directory)
  cp "$manifests"/*.yaml "$old"
  controllers=$(holder kube-controller-manager)
  scheduler=$(holder kube-scheduler)

  # Whatever happens, the node has its kubelet in the end.
  trap 'systemctl start kubelet' EXIT
  kubeadm init phase etcd local --config "$config"
  kubeadm init phase control-plane all --config "$config"
  # That of a server that joined before its kubelet used the endpoint names its own API server.
  sed -i "s|^    server: .*|    server: https://$endpoint|" /etc/kubernetes/kubelet.conf
  systemctl daemon-reload
  systemctl stop kubelet

  # An API server that is told to end asks etcd for leave, which may end beside it. It has
  # nothing that could be lost. The kernel keeps 15 characters of a process's name.
  if differ kube-apiserver; then finish KILL kube-apiserver; fi
  if differ kube-controller-manager; then finish TERM kube-controller; fi
  if differ kube-scheduler; then finish TERM kube-scheduler; fi
  if differ etcd; then finish TERM etcd; fi
  systemctl start kubelet

  if differ kube-controller-manager; then release kube-controller-manager "$controllers"; fi
  if differ kube-scheduler; then release kube-scheduler "$scheduler"; fi
  rm -r "$old"
}

differ() {
  ! cmp --silent "$old/$1.yaml" "$manifests/$1.yaml"
}

finish() {
  pkill "-$1" -x "$2" || return 0
  for _ in {1..100}; do
    pgrep -x "$2" >/dev/null || return 0
    sleep 0.1
  done
  pkill -KILL -x "$2" || :
}

holder() {
  "${kubectl[@]}" get lease "$1" --output 'jsonpath={.spec.holderIdentity}' || :
}

# Where the process that was ended held the lease, nobody needs to wait until it expires.
release() {
  case $2 in "$(hostname)"_*) ;; *) return 0 ;; esac
  "${kubectl[@]}" patch lease "$1" --type json --patch "[
    {\"op\": \"test\", \"path\": \"/spec/holderIdentity\", \"value\": \"$2\"},
    {\"op\": \"remove\", \"path\": \"/spec/holderIdentity\"}]" || :
}

main
