"""Writes a table of logged bandit feedback with a known generator: action, propensity, reward, pi0..pi7, q0..q7.

    python generate.py ROWS OUT.csv|OUT.parquet [SEED]

Contexts are five standard normal numbers. Rewards are 1 with probability sigmoid(x'b_a), the logging policy is
softmax(x'c), the target policy softmax(2 x'b), and the reward model is the truth plus normal noise of 0.05.
"""
import sys

import numpy as np

ACTIONS, FEATURES = 8, 5


def softmax(z):
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def table(rows, seed=1):
    rng = np.random.default_rng(seed)
    b, c = rng.normal(size=(FEATURES, ACTIONS)) * 0.5, rng.normal(size=(FEATURES, ACTIONS)) * 0.3
    x = rng.normal(size=(rows, FEATURES))
    truth = 1 / (1 + np.exp(-x @ b))
    logging, target = softmax(x @ c), softmax(2 * (x @ b))
    action = (rng.random((rows, 1)) > logging.cumsum(axis=1)[:, :-1]).sum(axis=1)
    each = np.arange(rows)
    reward = (rng.random(rows) < truth[each, action]).astype(float)
    q = np.clip(truth + rng.normal(size=truth.shape) * 0.05, 0, 1)
    columns = {"action": action, "propensity": logging[each, action], "reward": reward}
    columns |= {f"pi{a}": target[:, a] for a in range(ACTIONS)}
    columns |= {f"q{a}": q[:, a] for a in range(ACTIONS)}
    return columns, (target * truth).sum(axis=1).mean()


if __name__ == "__main__":
    import pandas as pd

    rows, out = int(sys.argv[1]), sys.argv[2]
    columns, value = table(rows, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    frame = pd.DataFrame(columns)
    if out.endswith(".parquet"):
        frame.to_parquet(out)
    else:
        frame.to_csv(out, index=False)
    print(f"{rows} rows in {out}; the policy's true value on these contexts is {value:.6f}")
