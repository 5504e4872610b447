#!/usr/bin/env python3
"""How long a router takes until it listens, what it holds while nobody asks, and how large its program is.

    cargo build --release
    python3 benches/start/run.py target/release/tierwise
"""

import os
import subprocess
import sys
import tempfile
import time

STARTS = 10


def main() -> None:
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:{folder}/store.db"
        milliseconds, kibibytes = [], []
        for _ in range(STARTS):
            begin = time.monotonic()
            router = subprocess.Popen(
                [program, "serve", "--listen", "127.0.0.1:0", "--store", store, "--data", folder, "--log", "error"],
                stdout=subprocess.PIPE,
            )
            router.stdout.readline()
            milliseconds.append(1000 * (time.monotonic() - begin))
            time.sleep(0.5)
            with open(f"/proc/{router.pid}/status", encoding="ascii") as status:
                resident = next(line for line in status if line.startswith("VmRSS"))
            kibibytes.append(int(resident.split()[1]))
            router.terminate()
            router.wait()
        stripped = os.path.join(folder, "stripped")
        subprocess.run(["strip", "-o", stripped, program], check=True)
        size = os.path.getsize(stripped)
    # The first start creates the database.
    print(f"listens after       {milliseconds[0]:.0f} ms the first time, then {sorted(milliseconds[1:])[len(milliseconds) // 2 - 1]:.0f} ms (median)")
    print(f"resident when idle  {max(kibibytes) / 1024:.1f} MiB at most")
    print(f"program, stripped   {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
