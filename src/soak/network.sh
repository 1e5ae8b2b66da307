#!/usr/bin/env bash
# Connections over a bad link: src/soak/network.sh [nio|epoll|io_uring|all] [SECONDS] [CONNECTIONS] [SEED]
# The link is link.py's, in a network namespace of its own: nothing outside of it is changed, and it goes with the program.
# It loses, delays, reorders and doubles real packets, in user space, as not every kernel has netem. A run with the same
# seed does the same; what the timing makes of it differs.
# Needs root, ip and ss (iproute2), unshare, /dev/net/tun, Python 3.10.
# Ends with GOOD, or says what was wrong and fails. A run without what it needs ends with 2.
set -euo pipefail
cd "$(dirname "$0")/../.."

needs() {
    echo "network.sh needs $1" >&2
    exit 2
}
[ "$(id -u)" = 0 ] || needs "root, for a network namespace"
[ -c /dev/net/tun ] || needs "/dev/net/tun"
for program in ip ss unshare; do
    command -v "$program" >/dev/null || needs "$program"
done
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || needs "Python 3.10"
unshare --net true 2>/dev/null || needs "a kernel that makes network namespaces"

transports=("${1:-all}")
if [ "${transports[0]}" = all ]; then
    transports=(nio epoll io_uring)
fi
mvn -q -B -Psoak -DskipTests -DskipParanoid test-compile
for transport in "${transports[@]}"; do
    mvn -q -B -Psoak exec:exec -Dsoak.command=unshare '-Dsoak.before=--net ${java.home}/bin/java' -Dsoak.main=Network \
        "-Dsoak.args=$transport ${2:-200} ${3:-150} ${4:-$(date +%s)}" || exit 1
done
