"""Prints, for each queue of 20 servers, the speed in Rust and in Ciw, and their ratio."""

import pathlib
import re
import sys

SERVERS = 20
SCALE = {"K": 1.0, "M": 1e3, "G": 1e6}


def rust_speeds(path):
    """Best throughput (thousand customers a second) by benchmark, in divan's tree."""
    speeds, name, servers = {}, None, None
    for line in path.read_text(encoding="utf-8").splitlines():
        text = re.sub("[│├╰─]", " ", line)
        heading = re.match(r"\s*([a-z_]+)\s*$", text)
        argument = re.match(r"\s*(\d+)\s+[\d.]+ .?s\b", text)
        speed = re.search(r"([\d.]+) ([KMG])item/s", text)
        if heading:
            name = heading.group(1)
        elif argument:
            servers = int(argument.group(1))
        elif speed and name and servers == SERVERS:
            speeds[name] = float(speed.group(1)) * SCALE[speed.group(2)]
            servers = None
    return speeds


def ciw_speeds(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: float(speed) for name, speed in map(str.split, lines)}


def best(rounds):
    """The best speed of each queue over several rounds."""
    speeds = {}
    for speed in rounds:
        for key, value in speed.items():
            speeds[key] = max(speeds.get(key, 0.0), value)
    return speeds


def main():
    folder = pathlib.Path(sys.argv[1])
    rust = best(rust_speeds(path) for path in folder.glob("rust-*.txt"))
    ciw = best(ciw_speeds(path) for path in folder.glob("ciw-*.txt"))
    print(f"{'queue':8} {'tierwise k/s':>13} {'Ciw k/s':>9} {'ratio':>6}")
    for name, speed in sorted(ciw.items()):
        print(f"{name:8} {rust[name]:13.0f} {speed:9.1f} {rust[name] / speed:6.0f}")


if __name__ == "__main__":
    main()
