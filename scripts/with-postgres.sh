#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, which is gone afterwards:
#   scripts/with-postgres.sh cargo nextest run -p tierwise --test store
# The command finds the server in TIERWISE_TEST_POSTGRES_URL. Where none is installed and this is root on a system with
# apt-get, the server is installed first; where that fails, the exit code is 75 and the command has not run.
# FSYNC=on flushes every commit, for measuring; tests do without.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT...]" >&2; exit 2; }

absent() { printf 'with-postgres: %s\n' "$1" >&2; exit 75; }
newest() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1; }

programs=$(newest)
if [ -z "$programs" ] && command -v pg_ctl >/dev/null; then
    programs=$(dirname "$(command -v pg_ctl)")
fi
if [ -z "$programs" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        absent 'PostgreSQL is not installed'
    fi
    # A package would otherwise start a server of its own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } \
        >/dev/null 2>&1 || absent 'PostgreSQL cannot be installed'
    programs=$(newest)
    [ -n "$programs" ] || absent 'PostgreSQL was installed and is not found'
fi

place=$(mktemp -d)
server=(env LC_ALL=C.UTF-8)
if [ "$(id -u)" -eq 0 ]; then
    # The server refuses to run as root.
    chown postgres "$place"
    server=(setpriv --reuid=postgres --regid=postgres --init-groups env LC_ALL=C.UTF-8)
fi
# The server's programs want a working folder that they may enter.
asked() (cd "$place" && "${server[@]}" "$programs/$1" "${@:2}")

stop() {
    asked pg_ctl -D "$place/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap stop EXIT

show() { cat "$1" >&2; exit 1; }
asked initdb -D "$place/data" -U tierwise -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$place/initdb.log" 2>&1 ||
    show "$place/initdb.log"
# Another program may take a free port before the server does: then the next one is tried.
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    if asked pg_ctl -D "$place/data" -l "$place/log" -w -t 60 -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories=$place -c fsync=${FSYNC:-off} -c max_connections=200" start >/dev/null 2>&1; then
        TIERWISE_TEST_POSTGRES_URL="postgres://tierwise@127.0.0.1:$port/postgres" "$@"
        exit
    fi
done
show "$place/log"
