#!/bin/bash
# Unpacks the manifests from standard input, and this site's overlay beside them. As one archive: to copy
# the files one by one takes longer than all that follows. Prints each part that it replaced; with `look`
# those that it would replace.
# usage: unpack.sh do|look DIRECTORY OVERLAY_IN_BASE64
set -o errexit -o nounset -o pipefail
verb=$1 directory=$2 overlay=$3

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
base64 --decode | tar --extract --directory "$new"
mkdir "$new/site"
base64 --decode <<<"$overlay" >"$new/site/kustomization.yaml"
chmod -R u=rwX,go=rX "$new"
for part in base components overlays site; do
  diff --recursive --brief "$new/$part" "$directory/$part" >/dev/null 2>&1 && continue
  echo "$part"
  test "$verb" = do || continue
  mkdir -p "$directory"
  rm -rf "${directory:?}/$part"
  cp -r "$new/$part" "$directory/$part"
done
