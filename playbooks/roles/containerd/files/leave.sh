#!/bin/sh
# Removes what Kubernetes has in a containerd that others use: containers, images, namespace.
set -u
ours() { ctr --namespace k8s.io "$@"; }

for task in $(ours tasks list --quiet); do ours tasks delete --force "$task"; done
for container in $(ours containers list --quiet); do ours containers delete "$container"; done
for image in $(ours images list --quiet); do ours images delete --sync "$image"; done
# One that others are made of goes after them.
for round in 1 2 3 4 5 6 7 8; do
  for snapshot in $(ours snapshots list | awk 'NR > 1 { print $1 }'); do
    ours snapshots delete "$snapshot" 2>/dev/null
  done
done
ctr namespaces remove k8s.io
rm -f /var/lib/containerd/.imported-*
