#!/bin/sh
# Prints what is left to do with the service: undo, start, restart or nothing.
# usage: due.sh UNIT
data=/var/lib/rancher/k3s

if systemctl is-active --quiet "$1"; then
  sha256sum --check --status /run/k3s.sha256 && echo nothing || echo restart
  exit
fi

# A server that died while it founded the cluster holds an etcd without the cluster's
# keys, and can't go on from there.
restarts=$(systemctl show --property=NRestarts --value "$1")
if test "$1" = k3s -a ! -e $data/joined -a -d $data/server/db/etcd -a "$restarts" -ge 3; then
  echo undo
else
  echo start
fi
