#!/bin/sh
# Runs kubectl with a change that can be asked for again and again, from standard input where it says so.
# Prints what changed; with the dry run `server`, what would.
# usage: kubectl.sh none|server KUBECONFIG apply|patch|... WORD...
set -eu
dry_run=$1 kubeconfig=$2
shift 2

said=$(/usr/local/bin/kubectl --kubeconfig="$kubeconfig" "$@" --dry-run="$dry_run")
printf '%s\n' "$said" | grep -Ev ' unchanged( |$)| patched \(no change\)$' || true
