#!/bin/sh
# Answers in JSON the token with which nodes join the cluster, made if there is none yet:
# {"token": "..."}.
set -eu
umask 077
given=/etc/rancher/k3s/token
used=/var/lib/rancher/k3s/server/token

if test -e $used; then
  token=$(sed 's/.*://' $used)
elif test -e $given; then
  token=$(cat $given)
else
  python3 -c 'import secrets; print(secrets.token_hex(32))' >$given.new
  mv $given.new $given
  token=$(cat $given)
fi
printf '{"token": "%s"}\n' "$token"
