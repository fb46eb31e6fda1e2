#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# standalone.sh PROGRAM: starts as a stranger would, without a sound card; a preset that is none is a sentence, and it goes on.
set -eu
said=$(mktemp)
"$1" --preset no-such-preset >/dev/null 2>"$said" &
program=$!
for _ in $(seq 600); do # a busy machine may take its time
    grep -q 'no-such-preset' "$said" && break
    sleep 0.1
done
sleep 2.5
alive=no
kill -0 $program 2>/dev/null && alive=yes
kill $program 2>/dev/null || true
wait $program 2>/dev/null || true
cat "$said"
[ $alive = yes ] || { echo "it did not stay"; exit 1; }
grep -q "no-such-preset" "$said" || { echo "no word about the preset that is none"; exit 1; }
if ! grep -q "no audio device is open" "$said"; then
    echo "an audio device was found here"
fi
