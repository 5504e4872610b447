"""Writes a table of episodes with a known generator: episode, t, action, propensity, reward, done, state, next_state, pi0..pi2, q0..q2.

    python generate.py EPISODES OUT.csv [STEPS] [SEED]

A random process of 64 states and 3 actions: each pair leads to one of four states; rewards are uniform means plus normal
noise of 0.5. The logging policy is softmax of random scores, the target policy a sharper one; q is uniform noise around the
mean reward. All episodes have the same number of steps (8), which the peer needs and tierwise does not.
"""
import sys

import numpy as np

STATES, ACTIONS = 64, 3


def softmax(z):
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return z / z.sum(axis=-1, keepdims=True)


def table(episodes, steps=8, seed=1):
    rng = np.random.default_rng(seed)
    follows = rng.integers(STATES, size=(STATES, ACTIONS, 4))
    mean = rng.random((STATES, ACTIONS))
    logging, target = softmax(0.7 * rng.normal(size=mean.shape)), softmax(2 * mean)
    q = mean + 0.2 * (rng.random(mean.shape) - 0.5)
    state = rng.integers(STATES, size=episodes)
    columns = {name: [] for name in ["episode", "t", "action", "propensity", "reward", "done", "state", "next_state"]}
    for t in range(steps):
        p = logging[state]
        action = (rng.random((episodes, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        after = follows[state, action, rng.integers(4, size=episodes)]
        values = dict(
            episode=np.arange(episodes), t=np.full(episodes, t), action=action, propensity=logging[state, action],
            reward=mean[state, action] + 0.5 * rng.normal(size=episodes), done=np.full(episodes, int(t == steps - 1)),
            state=state, next_state=after,
        )
        for name, column in values.items():
            columns[name].append(column)
        state = after
    columns = {name: np.stack(parts, axis=1).ravel() for name, parts in columns.items()}
    for a in range(ACTIONS):
        columns[f"pi{a}"] = target[columns["state"], a]
    for a in range(ACTIONS):
        columns[f"q{a}"] = q[columns["state"], a]
    return columns


if __name__ == "__main__":
    import pandas as pd

    episodes, out = int(sys.argv[1]), sys.argv[2]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    pd.DataFrame(table(episodes, steps, int(sys.argv[4]) if len(sys.argv) > 4 else 1)).to_csv(out, index=False)
    print(f"{episodes} episodes of {steps} steps in {out}")
