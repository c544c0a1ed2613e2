#!/bin/sh
# Removes what a first server has left that died while it made the cluster. No node has
# joined it yet, so its data are of no use.
set -eu
data=/var/lib/rancher/k3s
test ! -e $data/joined
systemctl stop k3s
rm -rf $data/server $data/agent/*.crt $data/agent/*.key $data/agent/*.kubeconfig
