#!/usr/bin/env bash
# Connections that come and go, for an hour: src/soak/soak.sh [nio|epoll|io_uring] [MINUTES] [CONNECTIONS] [SEED]
# Ends with GOOD, or says what was wrong and fails: then too, at once, when connections do not move for a minute.
# On io_uring no peer resets, for it does not always tell. On the loopback device; network.sh has a link that loses packets.
set -euo pipefail
cd "$(dirname "$0")/../.."
mvn -q -B -Psoak -DskipTests -DskipParanoid test-compile
mvn -q -B -Psoak exec:exec "-Dsoak.args=${1:-nio} ${2:-60} ${3:-1000} ${4:-$(date +%s)}"
