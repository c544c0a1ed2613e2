#!/bin/sh
# Answers in JSON what this machine lacks to become a node, and where the addresses of its
# name servers are while /etc/blackstart/resolv.conf is not there:
# {"missing": [], "resolver": ""}.
# usage: look.sh PROGRAM...
missing=""
lacks() { missing="$missing${missing:+, }\"$1\""; }

test "$(id -u)" = 0 || lacks "the right to change it: log in as root, or set ansible_become"
for program; do
  command -v "$program" >/dev/null || lacks "program $program"
done
test "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 || lacks "net.ipv4.ip_forward=1 (sysctl)"
test -z "$(swapon --noheadings 2>/dev/null)" -o -f /.dockerenv || lacks "a system without swap (swapoff)"
test -w /sys/fs/cgroup -o -w /sys/fs/cgroup/systemd || lacks "a writable /sys/fs/cgroup"

resolver=""
if ! test -s /etc/blackstart/resolv.conf; then
  # systemd-resolved's own address leads a name server in a pod back to itself.
  for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    if grep --quiet '^nameserver' "$file" 2>/dev/null; then resolver=$file; break; fi
  done
  test -n "$resolver" || lacks "a name server in /etc/resolv.conf"
fi
printf '{"missing": [%s], "resolver": "%s"}\n' "$missing" "$resolver"
