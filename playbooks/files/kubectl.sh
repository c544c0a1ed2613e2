#!/bin/sh
# Runs kubectl with a change that can be asked for again and again, from standard input where it says so.
# Prints what changed; with `look` what would, as the API server says.
# usage: kubectl.sh do|look KUBECONFIG apply|patch|... WORD...
set -eu
verb=$1 kubeconfig=$2
shift 2

# To compute its patch, `apply` would get the API's whole schema; it has the types that the kit uses built in.
test "$1" != apply || set -- "$@" --openapi-patch=false

dry_run=none
test "$verb" = do || dry_run=server

said=$(/usr/local/bin/kubectl --kubeconfig="$kubeconfig" "$@" --dry-run="$dry_run")
printf '%s\n' "$said" | grep -Ev ' unchanged( |$)| patched \(no change\)$' || true
