#!/usr/bin/env bash
# Property tests of the whole API, made by schemathesis from /openapi.json of a running router: no 5xx, no status, content
# type, header or body that the document does not describe.
#   scripts/fuzz-api.sh [SECONDS [EXAMPLES]]     at most so long (60) and so many per operation (25)
# The event stream is left out: it never ends. Where schemathesis cannot be installed, the exit code is 75.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
examples=${2:-25}
pinned=schemathesis==4.32.5

absent() { printf 'skip the fuzzing of the API: %s\n' "$1" >&2; exit 75; }
command -v python3 >/dev/null || absent 'python3 is not installed'
target=$(cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
place=$target/clients/fuzz
mkdir -p "$target/clients"
if [ "$(cat "$place/done" 2>/dev/null)" != "$pinned" ]; then
    rm -rf "$place"
    { python3 -m venv "$place" && "$place/bin/python" -m pip install -q --disable-pip-version-check "$pinned"; } \
        >"$place.log" 2>&1 || absent "$pinned cannot be installed: $(tail -n 1 "$place.log")"
    echo "$pinned" >"$place/done"
fi
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks+=,response_schema_conformance,unsupported_method
SECONDS_MOST=$seconds EXAMPLES=$examples CHECKS=$checks ST=$place/bin/st ./scripts/with-router.sh bash -c '
    cd "$TIERWISE_SCRATCH"
    timeout "$((SECONDS_MOST + 60))" "$ST" run "$TIERWISE_ROUTER/openapi.json" --phases examples,coverage,fuzzing \
        --checks "$CHECKS" --exclude-path /ofrep/v1/stream --seed 1 --generation-database none --warnings off \
        --max-examples "$EXAMPLES" --max-time "$SECONDS_MOST" --request-timeout 20 --no-color'
