#!/bin/bash
# Answers in JSON how this node's settings stand to the ones that come from standard input:
#   state   new, half-made, joined (with these settings) or outdated (with others); the copy that was
#           applied tells them apart, also when a run was cut off
#   slower  1 where the kubelet has to renew its lease more often than LEASE_S asks for, else 0
# usage: settings.sh KUBELET_PROFILE LEASE_S
profile=$1 lease_s=$2
cd /etc || exit

if ! test -e blackstart/kubeadm.applied.yaml; then
  if test -e kubernetes/kubelet.conf; then state=half-made; else state=new; fi
elif cmp --silent - blackstart/kubeadm.applied.yaml; then
  state=joined
else
  state=outdated
fi
renews=$(sed -n 's/^nodeLeaseDurationSeconds: //p' "$profile" 2>/dev/null)
slower=$((${renews:-0} > 0 && ${renews:-0} < lease_s))
printf '{"state": "%s", "slower": %s}\n' "$state" "$slower"
