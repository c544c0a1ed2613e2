#!/bin/sh
# Removes what a server has left that died while it founded the cluster. Nobody has
# joined it yet: its data are of no use to anybody.
set -eu
data=/var/lib/rancher/k3s
test ! -e $data/joined
systemctl stop k3s
rm -rf $data/server $data/agent/*.crt $data/agent/*.key $data/agent/*.kubeconfig
