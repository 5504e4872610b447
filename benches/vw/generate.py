"""Writes a table of logged bandit feedback with a known generator, and the same rows for Vowpal Wabbit.

    python generate.py ROWS FOLDER [SEED]

Contexts are twelve standard normal numbers x. Rewards are 1 with probability sigmoid(x'b_a + c_a), three actions; the logging
policy is 0.1/3 + 0.9 softmax(x'd). FOLDER gets log.csv (action, propensity, reward, x0..x11), log.vw (the same: action from 1,
cost = -reward), and 20,000 fresh contexts: fresh.csv, in which q0..q2 are the true means, and fresh.vw.
"""
import os
import sys

import numpy as np

ACTIONS, FEATURES, FRESH = 3, 12, 20_000


def softmax(z):
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def world(seed):
    rng = np.random.default_rng(seed)
    slopes, offsets = rng.normal(size=(FEATURES, ACTIONS)) * 0.35, rng.normal(size=ACTIONS) * 0.2
    return rng, slopes, offsets, rng.normal(size=(FEATURES, ACTIONS)) * 0.3


def truth(x, seed):
    _, slopes, offsets, _ = world(seed)
    return 1 / (1 + np.exp(-(x @ slopes + offsets)))


def write(rows, folder, seed=1):
    rng, _, _, logged = world(seed)
    os.makedirs(folder, exist_ok=True)
    for name, n in [("log", rows), ("fresh", FRESH)]:
        x = rng.normal(size=(n, FEATURES)).round(6)
        mean = truth(x, seed)
        policy = 0.1 / ACTIONS + 0.9 * softmax(x @ logged)
        action = (rng.random((n, 1)) > policy.cumsum(axis=1)[:, :-1]).sum(axis=1)
        each = np.arange(n)
        propensity = policy[each, action]
        reward = (rng.random(n) < mean[each, action]).astype(int)
        columns = [f"x{j}" for j in range(FEATURES)]
        with open(f"{folder}/{name}.csv", "w") as csv, open(f"{folder}/{name}.vw", "w") as vw:
            means = [f"q{a}" for a in range(ACTIONS)] if name == "fresh" else []
            csv.write(",".join(["action", "propensity", "reward"] + columns + means) + "\n")
            for i in range(n):
                cells = [str(action[i]), f"{propensity[i]:.6f}", str(reward[i])]
                cells += [f"{v:.6f}" for v in x[i]]
                cells += [f"{v:.6f}" for v in mean[i]] if means else []
                csv.write(",".join(cells) + "\n")
                label = "" if means else f"{action[i] + 1}:{-reward[i]}:{propensity[i]:.6f} "
                vw.write(label + "| " + " ".join(f"{c}:{v:.6f}" for c, v in zip(columns, x[i])) + "\n")


if __name__ == "__main__":
    rows, folder = int(sys.argv[1]), sys.argv[2]
    write(rows, folder, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(f"{rows} rows in {folder}")
