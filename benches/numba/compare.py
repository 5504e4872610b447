"""Prints, for each sweep, the speed in Rust and in the fastest numba loop, and their ratio."""

import pathlib
import re
import sys

SCALE = {"K": 1e-3, "M": 1.0, "G": 1e3}


def rust_speeds(path):
    """Best throughput (million per second) by (benchmark, actions) in divan's tree."""
    speeds, name, actions = {}, None, None
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.replace("│", " ").replace("├", " ").replace("╰", " ").replace("─", " ")
        heading = re.match(r"\s*([a-z_]+)\s*$", text)
        argument = re.match(r"\s*(\d+)\s+[\d.]+ .s\b", text)
        speed = re.search(r"([\d.]+) ([KMG])item/s", text)
        if heading:
            name = heading.group(1)
        elif argument:
            actions = int(argument.group(1))
        elif speed and name and actions:
            speeds[name, actions] = float(speed.group(1)) * SCALE[speed.group(2)]
            actions = None
    return speeds


def numba_speeds(path):
    """Best throughput by (loop, actions), over the ways in which a loop is written."""
    speeds = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, actions, speed = line.split()[:3]
        key = name, int(actions)
        speeds[key] = max(speeds.get(key, 0.0), float(speed))
    return speeds


def best(rounds):
    """The best speed of each loop over several rounds."""
    speeds = {}
    for speed in rounds:
        for key, value in speed.items():
            speeds[key] = max(speeds.get(key, 0.0), value)
    return speeds


def main():
    folder = pathlib.Path(sys.argv[1])
    rust = best(rust_speeds(path) for path in folder.glob("rust-*.txt"))
    numba = best(numba_speeds(path) for path in folder.glob("numba-*.txt"))
    print(f"{'update':16} {'actions':>7} {'Rust M/s':>9} {'numba M/s':>9} {'ratio':>6}")
    for (name, actions), speed in sorted(numba.items()):
        print(f"{name:16} {actions:7} {rust[name, actions]:9.1f} {speed:9.1f} {rust[name, actions] / speed:6.2f}")


if __name__ == "__main__":
    main()
