#!/usr/bin/env bash
# How fast, beside an rsync daemon (whole files, as here), in interleaved rounds; medians and their ratios.
#   ./measure.sh [ROUNDS [MEBIBYTES [FILES]]]      needs rsync, and file-transfer.jar built
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-5} mebibytes=${2:-1024} files=${3:-2000}
program=$PWD/file-transfer
"$program" --version > /dev/null # makes the archive of its classes
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/big" "$work/small"
head -c "$((mebibytes << 20))" /dev/urandom > "$work/big/file"
for ((i = 0; i < files; i++)); do head -c 4096 /dev/urandom > "$work/small/$i"; done

printf 'use chroot = no\n[source]\npath = %s\nread only = yes\nuid = %s\n' "$work" "$(id -u)" > "$work/rsyncd.conf"
port=$((20000 + RANDOM % 20000))
rsync --daemon --no-detach --address 127.0.0.1 --port "$port" --config "$work/rsyncd.conf" &

until rsync "rsync://127.0.0.1:$port/" > /dev/null 2>&1; do sleep 0.1; done

TIMEFORMAT='%R %U %S'

with_rsync() { # what
    { time rsync -aW "rsync://127.0.0.1:$port/source/$1" "$target/" > /dev/null; } 2> "$work/receiver.time"
    echo 0 0 0 > "$work/sender.time"
}

with_us() { # what, option
    { time "$program" send -q $2 --host 127.0.0.1 "$work/$1" > "$work/said" 2>&1; } 2> "$work/sender.time" &
    local sender=$!
    until grep -q 'To get them' "$work/said" 2>/dev/null && { [[ -n $2 ]] || grep -q ' code ' "$work/said"; }; do sleep 0.05; done
    local address; address=$(grep -o '127.0.0.1:[0-9]*' "$work/said")
    FILE_TRANSFER_CODE=$(grep -o 'code .*' "$work/said" | cut -d' ' -f2) || true
    export FILE_TRANSFER_CODE
    { time "$program" receive -q -y $2 "$address" "$target" > /dev/null; } 2> "$work/receiver.time"
    wait "$sender"
    rm -f "$work/said"
}

run() { # name, what, function, option
    target=$(mktemp -d -p "$work") # a new one: ext4 searches long for inodes when many were just deleted
    sync
    $3 "$2" "${4:-}"
    diff -r "$work/$2" "$target/$2"
    [[ $2 == small ]] || rm -rf "$target"
    tail -qn1 "$work/receiver.time" "$work/sender.time" |
        awk -v n="$1" '{ if (NR == 1) s = $1; cpu += $2 + $3 } END { print n, s, cpu }' >> "$work/results"
}

for ((round = 0; round < rounds; round++)); do
    for what in big small; do
        run "rsync-$what" $what with_rsync
        run "plain-$what" $what with_us --plain
        run "tls-$what" $what with_us
    done
done

median() { # name, column
    grep "^$1 " "$work/results" | cut -d' ' -f"$2" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
for what in big small; do
    for kind in rsync plain tls; do
        echo "$kind $what: $(median $kind-$what 2) s, CPU of both ends $(median $kind-$what 3) s"
    done
done
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
echo "plain / rsync -W, $mebibytes MiB: $(ratio "$(median rsync-big 2)" "$(median plain-big 2)") times as fast (aim 0.5)"
echo "TLS / plain, $mebibytes MiB: $(ratio "$(median plain-big 2)" "$(median tls-big 2)") times as fast (aim 0.5)"
echo "plain / rsync, $files x 4 KiB: $(ratio "$(median plain-small 2)" "$(median rsync-small 2)") times as long (aim 5)"
echo "CPU per GiB, plain: $(awk -v c="$(median plain-big 3)" -v m="$mebibytes" 'BEGIN { printf "%.1f", c * 1024 / m }') s (aim 5)"
