#!/usr/bin/env bash
# What threads hand over to each other, by jcstress: src/jcstress/jcstress.sh [MILLISECONDS [TEST [more of jcstress's options]]]
#
#   src/jcstress/jcstress.sh                                a minute or so of all tests
#   src/jcstress/jcstress.sh 4000                           minutes
#   src/jcstress/jcstress.sh 4000 BudgetStress.Wait -v      one of them, and how often it saw what
#   src/jcstress/jcstress.sh 1000 Stress -f 5 -sc true      as interpreted and as each compiler has it: hours
#
# Fails if a test saw what it does not allow, or an error; not if a busy machine left it few rounds, or none. It takes two
# processors. All of it is in target/jcstress/index.html then.
set -euo pipefail
cd "$(dirname "$0")/../.."

time="${1:-100}"
tests="${2:-Stress}"
compiler="-XX:TieredStopAtLevel=$((time < 1000 ? 1 : 4))" # what is over at once does not pay for the other
shift $(($# < 2 ? $# : 2))

mvn -q -B -Pjcstress -DskipTests -DskipParanoid test-compile
mkdir -p target/jcstress
mvn -q -B -Pjcstress exec:exec "-Djcstress.args=-r jcstress/ -t $tests -f 1 -iters 1 -time $time -strideSize 8 -hs 64 -sc false \
-jvmArgs -XX:+UseSerialGC -jvmArgs $compiler $*" 2>&1 | tee target/jcstress/log.txt
# jcstress itself tells of no more than the errors; that there was nothing to run is none to it.
grep '^(Results: ' target/jcstress/log.txt | tail -n 1 |
    grep -qE ': [1-9][0-9]* planned; [0-9]+ passed, 0 failed, [0-9]+ soft errs, 0 hard errs'
