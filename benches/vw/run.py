"""Vowpal Wabbit and tierwise learn from the same logged table, in the same run: rows a second, memory, true value.

    python run.py TIERWISE [ROWS]

Needs Python with numpy and `vowpalwabbit` (pip install vowpalwabbit numpy; 9.11 was measured). Both read their own text file
of the same rows, which `generate.py` writes. `vw --cb 3` runs as its own program; the time that it takes to start, measured on
an empty file, is taken off, as it is not for tierwise. Values are exact: the mean true reward of the action chosen in 20,000
fresh contexts. Each side counts its best of five runs, taken in turn.
"""
import json
import os
import subprocess
import sys
import time

import generate
import numpy as np

RUNS = 5


def measured(command):
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    assert status == 0, command
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output


def best(runs):
    return tuple(min(run[i] for run in runs) for i in range(2)) + (max(run[2] for run in runs),)


if __name__ == "__main__":
    binary, rows = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    folder = f"/tmp/vw-{rows}"
    generate.write(rows, folder)
    os.chdir(folder)
    open("empty.vw", "w").close()
    fresh = np.loadtxt("fresh.csv", delimiter=",", skiprows=1)
    x, means = fresh[:, 3 : 3 + generate.FEATURES], fresh[:, -generate.ACTIONS :]
    vw = [sys.executable, "-m", "vowpalwabbit", "--quiet"]

    def peer(kind):
        name = f"model-{kind}"
        start = best([measured(vw + ["--cb", "3", "--cb_type", kind, "-d", "empty.vw"]) for _ in range(RUNS)])
        learn = vw + ["--cb", "3", "--cb_type", kind, "-d", "log.vw", "-f", name]
        return start, learn, name

    def value(name):
        measured(vw + ["-t", "-i", name, "-d", "fresh.vw", "-p", "chosen"])
        chosen = np.loadtxt("chosen").astype(int) - 1
        return means[np.arange(len(means)), chosen].mean()

    def ours(name):
        command = [binary, "evaluate", "--json", "--table", "fresh.csv", "--policy", name, "--estimators", "dm"]
        return json.loads(measured(command)[3])["estimates"][0]["value"]

    print(f"{rows} rows; best action {means.max(axis=1).mean():.4f}, chance {means.mean():.4f}\n")
    print(f"{'learner':22} {'rows/s':>10} {'ratio':>6} {'wall s':>7} {'cpu s':>6} {'MiB':>5} {'true value':>11}")
    for kind, learners in [("dr", ["dr", "direct"]), ("ips", ["ips"])]:
        start, learn, model = peer(kind)
        runs, mine = [], {learner: [] for learner in learners}
        for _ in range(RUNS):
            runs.append(measured(learn))
            for learner in learners:
                command = [binary, "train", "--table", "log.csv", "--learner", learner, "--out", f"v-{learner}", "--json"]
                mine[learner].append(measured(command))
        wall, cpu, memory = best(runs)
        theirs = rows / (wall - start[0])
        print(
            f"{'vw --cb_type ' + kind:22} {theirs:10.0f} {'':6} {wall - start[0]:7.3f} {cpu - start[1]:6.3f}"
            f" {memory:5.0f} {value(model):11.4f}"
        )
        for learner in learners:
            wall, cpu, memory = best(mine[learner])
            print(
                f"{'tierwise ' + learner:22} {rows / wall:10.0f} {rows / wall / theirs:6.1f} {wall:7.3f} {cpu:6.3f}"
                f" {memory:5.0f} {ours(f'v-{learner}'):11.4f}"
            )
