#!/usr/bin/env bash
# The long attacks: kill -9 of either end at KILLS random moments, and a full disk.
#   ./attack.sh [KILLS [SEED]]      the disk is a small tmpfs, which only root can mount; needs file-transfer.jar built
set -euo pipefail
cd "$(dirname "$0")"
kills=${1:-1000} seed=${2:-$RANDOM}

if [[ $(id -u) == 0 ]]; then
    work=$(mktemp -d)
    trap 'kill $(jobs -p) 2>/dev/null || true; umount "$work/disk" 2>/dev/null || true; rm -rf "$work"' EXIT
    mkdir "$work/disk"
    mount -t tmpfs -o size=20m none "$work/disk"
    head -c 15000000 /dev/urandom > "$work/file"
    head -c 10000000 /dev/urandom > "$work/disk/in-the-way"
    jar=target/file-transfer.jar
    java -jar $jar send -q --plain --host 127.0.0.1 "$work/file" > "$work/said" 2>&1 &
    until grep -q 'To get them' "$work/said"; do sleep 0.1; done
    address=$(grep -o '127.0.0.1:[0-9]*' "$work/said")
    receive() { java -jar $jar receive -q -y --plain "$address" "$work/disk"; }
    receive && { echo "FAILED: a full disk was no problem"; exit 1; }
    [[ ! -e $work/disk/file ]] || { echo "FAILED: a partial file has the name"; exit 1; }
    rm "$work/disk/in-the-way"
    receive
    cmp "$work/file" "$work/disk/file"
    echo "full disk: refused, and complete when there was room"
fi

mvn -q -f ../pom.xml -pl file-transfer -am -Dtest=KillTest -Dsurefire.failIfNoSpecifiedTests=false \
    -Dtest.jvmArgs="-Dkills=$kills -Dseed=$seed" test
echo "$kills kills with seed $seed: nothing corrupt, nothing hung, nothing lost"
