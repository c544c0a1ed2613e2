#!/bin/bash
# Answers in JSON which releases of Kubernetes this node runs, the kubelet's and, on a server,
# the API server's: {"running": ["v1.34.3", "v1.34.3"]}; none where it has no place in a cluster.
# usage: release.sh [ROOT]
root=${1:-}
running=()
if test -e "$root/etc/blackstart/kubeadm.applied.yaml"; then
  # The process itself: the link beside it may lead to another release by now.
  pid=$(systemctl show --property=MainPID --value kubelet)
  program=/proc/$pid/exe
  test "$pid" -gt 0 2>/dev/null || program=$root/usr/local/bin/kubelet
  running+=($(exec -a kubelet "$program" --version | sed -n 's/^Kubernetes //p'))
  manifest=$root/etc/kubernetes/manifests/kube-apiserver.yaml
  test -e "$manifest" && running+=($(sed -n 's/.*image: .*kube-apiserver:\(v[0-9.]*\)$/\1/p' "$manifest"))
fi
list=
for release in "${running[@]}"; do list+="${list:+, }\"$release\""; done
printf '{"running": [%s]}\n' "$list"
