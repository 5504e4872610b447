#!/usr/bin/env bash
# Runs a command beside a router of its own on a free port of loopback, with a temporary SQLite store, two policies and the
# running experiments `tiers` and `covered` of scripts/clients; all of it is gone afterwards:
#   scripts/with-router.sh COMMAND [ARGUMENT...]
# The command finds the router in TIERWISE_ROUTER, the program in TIERWISE_BIN and an empty folder in TIERWISE_SCRATCH.
# With KEYS=on the router has API keys (an admin's in TIERWISE_SCRATCH/admin.key, a shop's in decide.key) and a limit of
# eight requests a second.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT...]" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${TIERWISE_BIN:-}" ]; then
    target=$(cd "$root" && cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    TIERWISE_BIN=$target/debug/tierwise
    [ -x "$TIERWISE_BIN" ] || (cd "$root" && cargo build --workspace --bins --tests --locked)
fi
scratch=$(mktemp -d)
router=
stop() {
    [ -z "$router" ] || { kill "$router" 2>/dev/null && wait "$router" || true; }
    rm -rf "$scratch"
}
trap stop EXIT

store=sqlite:$scratch/tierwise.db
for policy in configs/rules.toml=rule scripts/clients/review.toml=review; do
    "$TIERWISE_BIN" policy register "$root/${policy%=*}" --name "${policy#*=}" --store "$store" >/dev/null
done

# Starts the router, and waits until it says where it listens.
start() {
    mkfifo "$scratch/said"
    "$TIERWISE_BIN" serve "$@" --listen 127.0.0.1:0 --store "$store" --data "$scratch/data" --log warn \
        >"$scratch/said" 2>"$scratch/log" &
    router=$!
    exec 3<"$scratch/said"
    rm "$scratch/said"
    if ! read -r -t 60 line <&3; then
        cat "$scratch/log" >&2
        exit 1
    fi
    address=$(grep -oE 'http://[0-9.:]+' <<<"$line")
}

start
for experiment in tiers covered; do
    "$TIERWISE_BIN" experiment --url "$address" create "$root/scripts/clients/$experiment.toml" >/dev/null
    "$TIERWISE_BIN" experiment --url "$address" start "$experiment" --reason 'scripts/with-router.sh' >/dev/null
done
if [ "${KEYS:-off}" = on ]; then
    kill "$router" && wait "$router" || true
    for role in admin decide; do
        "$TIERWISE_BIN" store key add "$store" --role "$role" --id "$role" --json |
            sed -n 's/.*"key": *"\([^"]*\)".*/\1/p' >"$scratch/$role.key"
        [ -s "$scratch/$role.key" ] || { echo "error: no $role key was made" >&2; exit 1; }
    done
    printf '[limits]\nrequests_per_second = 8.0\n' >"$scratch/serve.toml"
    start "$scratch/serve.toml"
fi
ended=0
TIERWISE_ROUTER=$address TIERWISE_BIN=$TIERWISE_BIN TIERWISE_SCRATCH=$scratch "$@" || ended=$?
if ! kill -0 "$router" 2>/dev/null || grep -q panicked "$scratch/log"; then
    echo 'error: the router did not live through it:' >&2
    tail -n 20 "$scratch/log" >&2
    exit 1
fi
exit "$ended"
