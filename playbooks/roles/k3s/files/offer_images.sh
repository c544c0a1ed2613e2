#!/bin/sh
# Makes the image archives that k3s imports exactly the given ones, as links, and
# answers in JSON what it changed: {"offered": [], "withdrawn": []}; `look` changes nothing.
# usage: offer_images.sh do|look ARCHIVES_DIR ARCHIVE...
set -eu
images=/var/lib/rancher/k3s/agent/images
verb=$1
archives=$2
shift 2
offered="" withdrawn=""

change() { test "$verb" = look || "$@"; }

change mkdir -p $images
# With this file, k3s remembers over restarts what it has imported; it also tells when
# an import is done.
test -e $images/.cache.json || change touch $images/.cache.json

wanted=" "
for archive; do
  name=$(echo "$archive" | tr / _)
  wanted="$wanted$name "
  test "$(readlink "$images/$name")" = "$archives/$archive" && continue
  change ln -sfn "$archives/$archive" "$images/$name"
  offered="$offered${offered:+, }\"$name\""
done
for link in "$images"/*; do
  test -L "$link" || continue
  case $wanted in *" ${link##*/} "*) continue ;; esac
  change rm "$link"
  withdrawn="$withdrawn${withdrawn:+, }\"${link##*/}\""
done
printf '{"offered": [%s], "withdrawn": [%s]}\n' "$offered" "$withdrawn"
