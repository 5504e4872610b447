#!/usr/bin/env bash
# Real, unmodified clients against a running router: the OpenFeature SDKs for servers, browsers and Python read their arms,
# and GrowthBook's SDKs bucket 10,000 customers as the router does.
#   scripts/clients.sh
# The clients are installed by name from npm and PyPI, in the versions of scripts/clients, into the target folder. What
# cannot be installed is skipped, and said so; a check that fails sets the exit code to 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
programs=$PWD/scripts/clients
target=$(cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
installed=$target/clients
mkdir -p "$installed/js"
skip() { printf 'skip %s: %s\n' "$1" "$2"; }

js=yes
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    js=; skip 'the JavaScript clients' 'node and npm are not installed'
else
    cp "$programs"/js/*.mjs "$installed/js/"
    if ! cmp -s "$programs/js/package.json" "$installed/js/package.json" || [ ! -e "$installed/js/done" ]; then
        rm -f "$installed/js/done"
        cp "$programs/js/package.json" "$installed/js/"
        if (cd "$installed/js" && npm install --no-audit --no-fund --no-package-lock --loglevel=error >npm.log 2>&1); then
            touch "$installed/js/done"
        else
            js=; skip 'the JavaScript clients' "npm could not install them: $(tail -n 1 "$installed/js/npm.log")"
        fi
    fi
fi
python=$installed/py/bin/python
if ! command -v python3 >/dev/null; then
    python=; skip 'the Python clients' 'python3 is not installed'
elif ! cmp -s "$programs/py/requirements.txt" "$installed/py/done"; then
    rm -rf "$installed/py"
    if python3 -m venv "$installed/py" >"$installed/py.log" 2>&1 &&
        "$python" -m pip install -q --disable-pip-version-check -r "$programs/py/requirements.txt" >>"$installed/py.log" 2>&1
    then
        cp "$programs/py/requirements.txt" "$installed/py/done"
    else
        python=; skip 'the Python clients' "they could not be installed: $(tail -n 1 "$installed/py.log")"
    fi
fi

failed=0
if [ -n "$js$python" ]; then
    # Buckets first: they hold for revision 0, and the web client moves the weights.
    JS=$js PYTHON=$python ./scripts/with-router.sh bash -c '
        failed=0
        if [ -n "$PYTHON" ]; then
            "$PYTHON" -B '"$programs"'/py/bucketing.py "$TIERWISE_ROUTER" || failed=1
            "$PYTHON" -B '"$programs"'/py/provider.py "$TIERWISE_ROUTER" || failed=1
        fi
        if [ -n "$JS" ]; then
            for program in bucketing server web; do
                node '"$installed"'/js/$program.mjs "$TIERWISE_ROUTER" || failed=1
            done
        fi
        exit "$failed"' || failed=1
    if [ -n "$js" ]; then
        KEYS=on ./scripts/with-router.sh bash -c \
            'node '"$installed"'/js/keys.mjs "$TIERWISE_ROUTER" "$(cat "$TIERWISE_SCRATCH/decide.key")"' || failed=1
    fi
fi
exit "$failed"
