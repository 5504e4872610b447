"""Prints, for each sweep, the speed in Rust and in the fastest numba loop, and their ratio."""

import re
import sys

SCALE = {"K": 1e-3, "M": 1.0, "G": 1e3}


def rust_speeds(path):
    """Best throughput (million per second) by (benchmark, actions) in divan's tree."""
    speeds, name, actions = {}, None, None
    for line in open(path, encoding="utf-8"):
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
    for line in open(path, encoding="utf-8"):
        name, actions, speed = line.split()[:3]
        key = name, int(actions)
        speeds[key] = max(speeds.get(key, 0.0), float(speed))
    return speeds


def main():
    rust, numba = rust_speeds(sys.argv[1]), numba_speeds(sys.argv[2])
    print(f"{'update':16} {'actions':>7} {'Rust M/s':>9} {'numba M/s':>9} {'ratio':>6}")
    for (name, actions), speed in sorted(numba.items()):
        print(f"{name:16} {actions:7} {rust[name, actions]:9.1f} {speed:9.1f} {rust[name, actions] / speed:6.2f}")


if __name__ == "__main__":
    main()
