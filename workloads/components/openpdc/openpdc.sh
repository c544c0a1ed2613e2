#!/bin/sh
# Runs openPDC in a folder of its own, where it may write: it changes its settings file, and keeps
# its logs and the last configuration beside the program.
#
#   openpdc.sh copy    puts the program there, from the image: /opt/openPDC.tar.gz or /opt/openPDC
#   openpdc.sh run     runs it there until SIGTERM; lines written to the FIFO `console` there are
#                      commands to it, such as ReloadConfig
#
#   OPENPDC_FOLDER: that folder, /var/lib/openpdc where it is not set.
set -eu
folder=${OPENPDC_FOLDER:-/var/lib/openpdc}
image=${OPENPDC_IMAGE:-/opt}

fail() {
    echo "openpdc.sh: $*" >&2
    exit 1
}

copy() {
    if [ -f "$image/openPDC.tar.gz" ]; then
        # Not right into the folder: it is a volume, whose mode its user may not change.
        mkdir -p "$folder/unpacked"
        tar -xzf "$image/openPDC.tar.gz" --no-same-owner -C "$folder/unpacked"
        cp -R "$folder/unpacked/." "$folder"
        rm -rf "$folder/unpacked"
    elif [ -d "$image/openPDC" ]; then
        cp -R "$image/openPDC/." "$folder"
    else
        fail "the image has neither $image/openPDC.tar.gz nor $image/openPDC"
    fi
    [ -f "$folder/openPDC.exe" ] || fail "what the image has in $image holds no openPDC.exe"
}

run() {
    cd "$folder"
    [ -f openPDC.exe ] || fail "$folder has no openPDC.exe; run openpdc.sh copy first"
    [ -f openPDC.exe.config ] || fail "$folder has no openPDC.exe.config; pdc init --openpdc writes it"
    mkdir -p ConfigurationCache Logs DynamicAssemblies
    touch StatusLog.txt ErrorLog.txt
    [ -p console ] || mkfifo console
    # Open for reading and writing at once, it never ends: at the end of its standard input
    # openPDC prints empty lines for ever.
    exec 3<>console
    export HOME="$folder"
    mono openPDC.exe -RunAsConsole <&3 3<&- &
    program=$!
    trap 'kill -TERM "$program" 2>/dev/null' TERM INT
    # A signal ends the first wait, and the program the second.
    code=0
    wait "$program" || code=$?
    while kill -0 "$program" 2>/dev/null; do
        code=0
        wait "$program" || code=$?
    done
    [ "$code" != 143 ] || code=0
    exit "$code"
}

case ${1-} in
    copy) copy ;;
    run) run ;;
    *) fail "usage: openpdc.sh copy|run" ;;
esac
