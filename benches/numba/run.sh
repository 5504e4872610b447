#!/bin/sh
# Runs the tabular benchmarks and the same loops in numba, three times in turn on one thread, and prints the ratios.
# Both sides count their best sweep, which is what other work on the machine disturbs least.
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
rm -f "$out"/*.txt
cargo bench --quiet -p tierwise-policies --bench tabular --no-run
for round in 1 2 3; do
    cargo bench --quiet -p tierwise-policies --bench tabular > "$out/rust-$round.txt"
    "$venv/bin/python" benches/numba/tabular.py > "$out/numba-$round.txt"
done
cat "$out/rust-3.txt" "$out/numba-3.txt"
"$venv/bin/python" benches/numba/compare.py "$out"
