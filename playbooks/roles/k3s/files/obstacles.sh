#!/bin/bash
# Answers in JSON what keeps k3s from running on this node: {"obstacles": []} when it can.
# usage: obstacles.sh BINARY ADDRESS UNIT OTHER_UNIT
set -u
binary=$1 address=$2 unit=$3 other_unit=$4

obstacles() {
  test -x "$binary" ||
    echo "$binary is missing or can't be executed: put the release's binary into the artefact cache and make it executable"
  test -n "$(ip -4 -oneline address show to "$address")" ||
    echo "no interface has the address $address: correct lab_node_ip"
  test ! -e /etc/kubernetes/kubelet.conf ||
    echo "the node is in a cluster that kubeadm made: take it out with kubeadm reset, or remove the lab"
  test ! -e "/etc/systemd/system/$other_unit.service" ||
    echo "the node had the other role, with $other_unit: uninstall that, or remove the lab"

  # A k3s that runs, or tries to, holds its own ports.
  case $(systemctl show --property=ActiveState --value "$unit") in
    inactive | failed)
      ss --listening --tcp --numeric --no-header --processes |
        grep -E ':(2379|2380|6443|6444|10250) ' | tr -s ' ' |
        sed 's/^/a port that k3s needs is taken: /'
      ;;
  esac
}

obstacles | python3 -c '
import json, sys
print(json.dumps({"obstacles": sys.stdin.read().splitlines()}))'
