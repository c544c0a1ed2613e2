#!/bin/sh
# Prints those of the paths that this node does not have, and ends with 1 where there is one.
# usage: can_carry.sh PATH...
for path; do
  test -e "$path" || lacks="${lacks:-}$path
"
done
printf '%s' "${lacks:-}"
test -z "${lacks:-}"
