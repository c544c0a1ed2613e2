#!/bin/sh
# Answers in JSON who logs in here and what machine it is: {"user": "root", "machine": "x86_64"}.
printf '{"user": "%s", "machine": "%s"}\n' "$(id -un)" "$(uname -m)"
