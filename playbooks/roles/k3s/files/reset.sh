#!/bin/sh
# Removes what this node has of a cluster that it is no member of: one that died while it
# made the cluster, that lost its data, or whose cluster is made again. Images stay.
set -eu
data=/var/lib/rancher/k3s
for unit in k3s k3s-agent; do
  systemctl stop $unit 2>/dev/null || :
done
rm -rf $data/server/db $data/server/tls $data/server/cred $data/server/token $data/server/agent-token
rm -rf $data/server/node-token
rm -f $data/agent/*.crt $data/agent/*.key $data/agent/*.kubeconfig
rm -f $data/joined /etc/blackstart/k3s.joined
