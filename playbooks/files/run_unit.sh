#!/bin/sh
# Has systemd start UNIT with the machine, and runs it now where the state is `started`, or once more where it
# is `restarted`. Prints what it did; with `look` what it would do.
# usage: run_unit.sh do|look enabled|started|restarted UNIT
set -eu
verb=$1 state=$2 unit=$3

if test "$(systemctl show --property=NeedDaemonReload --value "$unit")" = yes && test "$verb" = do; then
  systemctl daemon-reload
fi
if ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then
  echo "enabled $unit"
  test "$verb" = look || systemctl enable --quiet "$unit"
fi
if test "$state" = restarted; then
  echo "restarted $unit"
  test "$verb" = look || systemctl restart "$unit"
elif test "$state" = started && ! systemctl is-active --quiet "$unit"; then
  echo "started $unit"
  test "$verb" = look || systemctl start "$unit"
fi
