#!/bin/sh
# Answers in JSON what this node has of a cluster:
#   joined  it has had its place in one
#   data    it still has what makes it that node: a server its part of etcd, every node its certificate
#   quorum  its etcd answers a read to which a majority of the members has to agree; one that only
#           knows its leader may not have noticed yet that it is alone
#   seed    it has been given what a cluster is made again of
# usage: look.sh server|worker [ROOT]
kind=$1 root=${2:-}
state=$root/var/lib/blackstart notes=$root/etc/blackstart
k3s=$root/var/lib/rancher/k3s kubelet=$root/var/lib/kubelet etcd=$root/var/lib/etcd/data
joined=false data=false quorum=false seed=false

for mark in "$notes/kubeadm.applied.yaml" "$notes/k3s.joined" "$k3s/joined"; do
  test -e "$mark" && joined=true
done
if test "$kind" = server; then
  test -d "$k3s/server/db/etcd/member" -a -e "$k3s/agent/client-kubelet.crt" && data=true
  test -d "$etcd/member" -a -e "$kubelet/config.yaml" && data=true
  # An alarm is another trouble.
  curl --silent --fail --noproxy '*' --max-time 3 --output /dev/null \
    'http://127.0.0.1:2381/health?exclude=NOSPACE&exclude=CORRUPT' && quorum=true
else
  test -e "$k3s/agent/client-kubelet.crt" && data=true
  test -e "$kubelet/config.yaml" -a -e "$kubelet/pki/kubelet-client-current.pem" && data=true
fi
test -e "$state/restore/etcd.db" && seed=true
printf '{"joined": %s, "data": %s, "quorum": %s, "seed": %s}\n' $joined $data $quorum $seed
