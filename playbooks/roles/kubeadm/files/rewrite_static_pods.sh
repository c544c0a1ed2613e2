#!/usr/bin/env bash
# Write the control plane's static pods again, as a configuration of kubeadm says, and start
# those that changed anew:
#
#     rewrite_static_pods.sh CONFIG NODE ENDPOINT
#
# A kubelet that runs lets up to 20 s pass between the end of an old static pod and the start
# of its successor. One that starts finds the new pods only, and begins with them at once.
set -euo pipefail

config=$1 node=$2 endpoint=$3
manifests=/etc/kubernetes/manifests

main() {
  # Whatever happens, the node gets its kubelet back.
  trap 'systemctl daemon-reload; systemctl start kubelet' EXIT
  systemctl stop kubelet

  local old
  old=$(mktemp --directory)
  cp "$manifests"/*.yaml "$old"
  kubeadm init phase etcd local --config "$config"
  kubeadm init phase control-plane all --config "$config"

  # That of a server that joined before its kubelet used the endpoint names its own API server.
  sed -i "s|^    server: .*|    server: https://$endpoint|" /etc/kubernetes/kubelet.conf

  # The kernel keeps 15 characters of a process's name.
  if differ kube-controller-manager; then
    finish TERM kube-controller
    release kube-controller-manager
  fi
  if differ kube-scheduler; then
    finish TERM kube-scheduler
    release kube-scheduler
  fi
  # An API server that is told to end asks etcd for leave, which may end beside it. It has
  # nothing that could be lost.
  if differ kube-apiserver; then finish KILL kube-apiserver; fi
  if differ etcd; then finish TERM etcd; fi
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

# Its holder is dead, and so nobody needs to wait until it expires.
release() {
  local kubectl=(kubectl --kubeconfig /etc/kubernetes/admin.conf --namespace kube-system --request-timeout 3s)
  local holder
  holder=$("${kubectl[@]}" get lease "$1" --output 'jsonpath={.spec.holderIdentity}') || return 0
  case $holder in
    "$node"_*) "${kubectl[@]}" patch lease "$1" --type merge --patch '{"spec": {"holderIdentity": null}}' || : ;;
  esac
}

main
