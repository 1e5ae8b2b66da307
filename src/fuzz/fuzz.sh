#!/usr/bin/env bash
# Runs fuzz targets: src/fuzz/fuzz.sh [TARGET|all] [RUNS] [SEED] [more of libFuzzer's options, such as -max_total_time=3600]
#
#   src/fuzz/fuzz.sh                         a minute or so of all targets, the same each time
#   src/fuzz/fuzz.sh Receiver 10000000 7     hours of one
#
# What it finds fails the run; the input is then in target/fuzz, and is run alone with
#   src/fuzz/fuzz.sh Receiver 1 1 target/fuzz/Receiver-crash-...
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${1:-all}"
runs="${2:-4000}"
seed="${3:-1}"
shift $(($# < 3 ? $# : 3))

targets=(Decoder Stream Receiver Encoder Budget)
if [ "$target" != all ]; then
    targets=("$target")
fi

mvn -q -B -Pfuzz -DskipTests -DskipParanoid test-compile
for each in "${targets[@]}"; do
    found="target/fuzz/$each" # inputs that reach something new are added here, and not to the corpus that is kept
    mkdir -p "$found"
    inputs="$found"
    if [ -d "src/fuzz/corpus/$each" ]; then
        inputs="$inputs src/fuzz/corpus/$each"
    fi
    if [ $# -gt 0 ] && [ -f "$1" ]; then
        inputs=""
    fi
    echo "== $each: $runs runs, seed $seed"
    mvn -q -B -Pfuzz exec:exec "-Dfuzz.args=--target_class=io.exactframe.netty.fuzz.${each}Fuzz -max_len=160 -runs=$runs -seed=$seed \
-artifact_prefix=target/fuzz/$each- --reproducer_path=target/fuzz -print_final_stats=1 $* $inputs" 2>&1 |
        { grep -aE --line-buffered 'ERROR|== Java|AssertionError|INITED|DONE|written to|pulse' || true; }
done
