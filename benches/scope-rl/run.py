"""SCOPE-RL and tierwise on the same table of episodes, in the same run: wall, processor time, memory, and their ratios.

    python run.py TIERWISE EPISODES [RESAMPLES]

Needs Python 3.8 to 3.11 with `scope-rl` (pip install --no-deps scope-rl==0.2.1), numpy<1.24, pandas<2, scikit-learn, scipy,
tqdm, matplotlib and seaborn. What SCOPE-RL imports for its learners alone (PyTorch, d3rlpy, gym) is replaced by empty modules.

SCOPE-RL reads the CSV with pandas and computes dm, tis, pdis, dr, sntis, snpdis and sndr (our wdr), each with a bootstrap
interval, one estimator after the other, as its `estimate_interval` does.
"""
import importlib.abc
import importlib.machinery
import json
import os
import subprocess
import sys
import time
import types

NAMES = ["dm", "tis", "pdis", "dr", "sntis", "snpdis", "wdr"]
EMPTY = ("torch", "d3rlpy", "gym", "gymnasium", "hydra", "basicgym", "rtbgym", "recgym", "pytorch_revgrad", "sb3_contrib")
DISCOUNT = 0.95


class Empty(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in EMPTY:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        pass


def peer(path, resamples):
    sys.meta_path.insert(0, Finder())
    import pandas as pd
    from scope_rl.ope.discrete import (
        DirectMethod,
        DoublyRobust,
        PerDecisionImportanceSampling,
        SelfNormalizedDR,
        SelfNormalizedPDIS,
        SelfNormalizedTIS,
        TrajectoryWiseImportanceSampling,
    )

    frame = pd.read_csv(path)
    actions = sum(name.startswith("pi") for name in frame.columns)
    table = lambda prefix: frame[[f"{prefix}{a}" for a in range(actions)]].to_numpy()
    pi, q = table("pi"), table("q")
    steps = int(frame["t"].max()) + 1
    v0 = (pi * q).sum(axis=1).reshape((-1, steps))[:, 0]
    arguments = dict(
        step_per_trajectory=steps,
        action=frame["action"].to_numpy(int),
        reward=frame["reward"].to_numpy(float),
        pscore=frame["propensity"].to_numpy(float),
        evaluation_policy_action_dist=pi,
        state_action_value_prediction=q,
        initial_state_value_prediction=v0,
        gamma=DISCOUNT,
    )
    estimators = [
        DirectMethod(),
        TrajectoryWiseImportanceSampling(),
        PerDecisionImportanceSampling(),
        DoublyRobust(),
        SelfNormalizedTIS(),
        SelfNormalizedPDIS(),
        SelfNormalizedDR(),
    ]
    values = {}
    for name, estimator in zip(NAMES, estimators):
        value = estimator.estimate_policy_value(**arguments)
        interval = estimator.estimate_interval(
            **arguments, alpha=0.05, ci="bootstrap", n_bootstrap_samples=resamples, random_state=1
        )
        values[name] = [float(value), float(interval["95.0% CI (lower)"]), float(interval["95.0% CI (upper)"])]
    print(json.dumps(values))


def measured(command):
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    assert status == 0, command
    return json.loads(output), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        peer(sys.argv[2], int(sys.argv[3]))
        sys.exit()
    binary, episodes = sys.argv[1], int(sys.argv[2])
    resamples = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    here = os.path.dirname(os.path.abspath(__file__))
    path = f"/tmp/scope-rl-{episodes}.csv"
    subprocess.run([sys.executable, f"{here}/generate.py", str(episodes), path], check=True)
    ours = [binary, "evaluate", "--json", "--table", path, "--estimators", ",".join(NAMES)]
    ours += ["--resamples", str(resamples), "--discount", str(DISCOUNT)]
    mine = min((measured(ours) for _ in range(5)), key=lambda run: run[1])
    theirs = measured([sys.executable, __file__, "--peer", path, str(resamples)])
    print(f"{'':10} {'wall s':>9} {'cpu s':>9} {'MiB':>7}")
    for name, (_, wall, cpu, memory) in [("scope-rl", theirs), ("tierwise", mine)]:
        print(f"{name:10} {wall:9.3f} {cpu:9.3f} {memory:7.0f}")
    print(f"{'ratio':10} {theirs[1] / mine[1]:9.1f} {theirs[2] / mine[2]:9.1f} {theirs[3] / mine[3]:7.1f}")
    print(f"\n{'':10} {'scope-rl':>34} {'tierwise':>34}")
    for estimate, name in zip(mine[0]["estimates"], NAMES):
        a, low, high = theirs[0][name]
        if estimate["value"] is None:
            print(f"{name:10} {a:10.6f} [{low:.6f}, {high:.6f}] {estimate['refused']}")
            continue
        i = estimate["interval"]
        print(f"{name:10} {a:10.6f} [{low:.6f}, {high:.6f}] {estimate['value']:14.6f} [{i['lower']:.6f}, {i['upper']:.6f}]")
