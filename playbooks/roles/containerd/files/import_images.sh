#!/bin/bash
# Imports archives of images into containerd, each once. Prints those that it imported; with `look` those
# that it would import, with `begin` those whose import it has begun, and does not wait for. An archive's
# path holds its version, so a marker beside the images tells whether it was imported; asking containerd
# would need the names in every archive.
# usage: import_images.sh do|look|begin DIRECTORY ARCHIVE...
set -eu
verb=$1 directory=$2
shift 2

missing() {
  local archive
  for archive; do
    test -e "/var/lib/containerd/.imported-${archive//\//_}" || echo "$archive"
  done
}

# One at a time: what has begun is waited for, and not done twice.
import() {
  local directory=$1 archive
  shift
  exec 9</var/lib/containerd
  flock 9
  for archive in $(missing "$@"); do
    ctr --namespace k8s.io images import "$directory/$archive" >/dev/null
    touch "/var/lib/containerd/.imported-${archive//\//_}"
  done
}

lacking=$(missing "$@")
test "$lacking" || exit 0
echo "$lacking"
case $verb in
do) import "$directory" "$@" ;;
begin)
  # That of a run that was cut off goes on; what it lacks is imported when it is waited for.
  systemctl is-active --quiet blackstart-images && exit 0
  systemd-run --quiet --collect --unit=blackstart-images \
    bash -euc "$(declare -f missing import); import \"\$@\"" import "$directory" "$@"
  ;;
esac
