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

RUNS = 5
HERE = os.path.dirname(os.path.abspath(__file__))


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
    subprocess.run([sys.executable, f"{HERE}/generate.py", str(rows), folder], check=True)
    os.chdir(folder)
    open("empty.vw", "w").close()
    vw = [sys.executable, "-m", "vowpalwabbit", "--quiet"]
    table = []
    for kind, learners in [("dr", ["dr", "direct"]), ("ips", ["ips"])]:
        learn = vw + ["--cb", "3", "--cb_type", kind]
        start = best([measured(learn + ["-d", "empty.vw"]) for _ in range(RUNS)])
        theirs, mine = [], {learner: [] for learner in learners}
        for _ in range(RUNS):
            theirs.append(measured(learn + ["-d", "log.vw", "-f", f"model-{kind}"]))
            for learner in learners:
                command = [binary, "train", "--table", "log.csv", "--learner", learner, "--out", f"v-{learner}"]
                mine[learner].append(measured(command))
        wall, cpu, memory = best(theirs)
        wall, cpu = wall - start[0], cpu - start[1]
        measured(vw + ["-t", "-i", f"model-{kind}", "-d", "fresh.vw", "-p", f"chosen-{kind}"])
        table.append(("vw --cb_type " + kind, rows / wall, None, wall, cpu, memory, kind))
        peer = wall
        for learner in learners:
            wall, cpu, memory = best(mine[learner])
            command = [binary, "evaluate", "--json", "--table", "fresh.csv", "--policy", f"v-{learner}"]
            judged = json.loads(measured(command + ["--estimators", "dm"])[3])
            value = judged["estimates"][0]["value"]
            table.append(("tierwise " + learner, rows / wall, peer / wall, wall, cpu, memory, value))

    # Only now: a child's peak memory is never less than that of the process that started it.
    import numpy as np

    fresh = np.loadtxt("fresh.csv", delimiter=",", skiprows=1)
    means = fresh[:, -3:]
    print(f"best action {means.max(axis=1).mean():.4f}, chance {means.mean():.4f}\n")
    print(f"{'learner':22} {'rows/s':>10} {'ratio':>6} {'wall s':>7} {'cpu s':>6} {'MiB':>5} {'true value':>11}")
    for name, speed, ratio, wall, cpu, memory, value in table:
        if ratio is None:
            # Read by hand: predictions of this release count actions from 0, though labels count from 1.
            chosen = np.loadtxt(f"chosen-{value}").astype(int)
            value = means[np.arange(len(means)), chosen].mean()
        shown = "" if ratio is None else f"{ratio:.1f}"
        print(f"{name:22} {speed:10.0f} {shown:>6} {wall:7.3f} {cpu:6.3f} {memory:5.0f} {value:11.4f}")
