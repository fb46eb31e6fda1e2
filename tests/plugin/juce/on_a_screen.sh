#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# on_a_screen.sh PROGRAM ARGUMENT...: runs a program on a screen in memory; 77 where there is none to be had.
set -eu
if ! command -v Xvfb >/dev/null; then
    echo "SKIP: Xvfb is not installed (./test installs it)"
    exit 77
fi
numbers=$(mktemp)
Xvfb -displayfd 3 -screen 0 2400x1600x24 -nolisten tcp 3>"$numbers" >/dev/null 2>&1 &
screen=$!
home=$(mktemp -d)
trap 'kill $screen 2>/dev/null || true; rm -rf "$numbers" "$home"' EXIT
for _ in $(seq 600); do
    [ -s "$numbers" ] && break
    sleep 0.1
done
[ -s "$numbers" ] || { echo "SKIP: Xvfb does not start"; exit 77; }
HOME=$home DISPLAY=:$(tr -d '[:space:]' <"$numbers") "$@"
