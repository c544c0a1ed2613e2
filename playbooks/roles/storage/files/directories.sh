#!/bin/bash
# Makes a directory for each volume, its owner's alone. Prints those that it made or changed; with
# `look` those that it would.
# usage: directories.sh do|look DIRECTORY NAME:UID:GID...
set -eu
verb=$1 directory=$2 mode=750
shift 2

for volume; do
  IFS=: read -r name uid gid <<<"$volume"
  test "$(stat --format='%a:%u:%g' "$directory/$name" 2>/dev/null)" = "$mode:$uid:$gid" && continue
  echo "$directory/$name"
  test "$verb" = do || continue
  mkdir -p "$directory/$name"
  chown "$uid:$gid" "$directory/$name"
  # Without the zeros chmod leaves a directory its set-group-ID bit.
  chmod "00$mode" "$directory/$name"
done
