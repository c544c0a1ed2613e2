#!/bin/bash
# Makes a directory for each volume, with its owner and mode. Prints those that it made or changed; with
# `look` those that it would.
# usage: directories.sh do|look DIRECTORY MODE NAME:UID:GID...
set -eu
verb=$1 directory=$2 mode=$3
shift 3

for volume; do
  IFS=: read -r name uid gid <<<"$volume"
  test "$(stat --format='%a:%u:%g' "$directory/$name" 2>/dev/null)" = "$mode:$uid:$gid" && continue
  echo "$directory/$name"
  test "$verb" = do || continue
  mkdir -p "$directory/$name"
  chown "$uid:$gid" "$directory/$name"
  chmod "$mode" "$directory/$name"
done
