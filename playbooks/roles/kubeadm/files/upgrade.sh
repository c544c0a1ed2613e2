#!/bin/bash
# Brings this node to the release of kubeadm's program: the first server, which tells the cluster
# of it, or another node.
# usage: upgrade.sh first|other LIMIT_S
set -eu
manifest=/etc/kubernetes/manifests/kube-apiserver.yaml
release() { sed -n 's/.*image: .*kube-apiserver://p' $manifest 2>/dev/null || :; }

# An API server that is told to end takes half a minute, in which this node's kubelet has none
# to renew its lease with. It has nothing that could be lost, so it is ended at once.
end_the_old_one() {
  local old before now
  old=$(pgrep -x kube-apiserver) || return 0
  before=$(release)
  while now=$(release); test -z "$now" -o "$now" = "$before"; do sleep 0.5; done
  sleep 1 # until the kubelet has seen it, too
  kill -KILL $old
}

if test -e $manifest; then
  end_the_old_one >/dev/null 2>&1 &
  trap "kill $! 2>/dev/null || :" EXIT
fi
if test "$1" = first; then
  # kubeadm goes by what the cluster has: the settings of this run, the new release among them.
  kubeadm init phase upload-config kubeadm --config /etc/blackstart/kubeadm.yaml
  timeout "$2" kubeadm upgrade apply --yes --config /etc/blackstart/upgrade.yaml
else
  timeout "$2" kubeadm upgrade node --config /etc/blackstart/upgrade.yaml
fi
