#!/bin/sh
# Runs the queue benchmarks and the same two queues in Ciw, three times in turn on one thread, and prints the ratios.
# Both sides count their best run: ours by the clock, Ciw's in processor time, which on a busy machine favours Ciw.
# Needs cargo and python3; Ciw goes into a virtual environment under the target folder.
set -eu
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
venv="$target/ciw-venv"
if ! "$venv/bin/python" -c 'import ciw' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet ciw==3.2.7
fi
out="$target/ciw-bench"
mkdir -p "$out"
rm -f "$out"/*.txt
cargo bench --quiet -p tierwise-envs --bench queue --no-run
for round in 1 2 3; do
    cargo bench --quiet -p tierwise-envs --bench queue -- m_m_n > "$out/rust-$round.txt"
    "$venv/bin/python" benches/ciw/queues.py > "$out/ciw-$round.txt"
done
cat "$out/rust-3.txt" "$out/ciw-3.txt"
"$venv/bin/python" benches/ciw/compare.py "$out"
