#!/bin/sh
# Runs the tabular benchmarks and the same loops in numba, one after the other on one thread, and prints the ratios.
# Both sides report their best sweep, which is what other work on the machine disturbs least.
# Needs cargo and python3; numba goes into a virtual environment under the target folder.
set -eu
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
venv="$target/numba-venv"
if ! "$venv/bin/python" -c 'import numba' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet numpy numba
fi
out="$target/numba-bench"
mkdir -p "$out"
cargo bench --quiet -p tierwise-policies --bench tabular --no-run
cargo bench --quiet -p tierwise-policies --bench tabular > "$out/rust.txt"
cat "$out/rust.txt"
"$venv/bin/python" benches/numba/tabular.py > "$out/numba.txt"
cat "$out/numba.txt"
"$venv/bin/python" benches/numba/compare.py "$out/rust.txt" "$out/numba.txt"
