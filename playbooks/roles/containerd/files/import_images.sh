#!/bin/bash
# Imports archives of images into containerd, each once. Prints those that it imported; with `look` those
# that it would import. An archive's path holds its version, so a marker beside the images tells whether it
# was imported; asking containerd would need the names in every archive.
# usage: import_images.sh do|look DIRECTORY ARCHIVE...
set -eu
verb=$1 directory=$2
shift 2

for archive; do
  marker=/var/lib/containerd/.imported-${archive//\//_}
  test -e "$marker" && continue
  echo "$archive"
  test "$verb" = do || continue
  ctr --namespace k8s.io images import "$directory/$archive" >/dev/null
  touch "$marker"
done
