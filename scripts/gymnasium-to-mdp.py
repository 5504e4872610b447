#!/usr/bin/env python3
"""Writes Gymnasium's toy texts as decision processes that tierwise reads.

    python3 -m venv venv && venv/bin/pip install "gymnasium[toy-text]"
    venv/bin/python scripts/gymnasium-to-mdp.py OUT_DIR

One file each: cliff_walking.json, frozen_lake_4x4.json, taxi.json. Transitions are Gymnasium's own `P`, the expected reward
of a pair is taken over its outcomes, states that only ends lead to become `terminal`, and a registered time limit becomes
`max_episode_steps`. The version of the environment and of Gymnasium stands in `notes`.
"""

import json
import pathlib
import sys

import gymnasium

PROBLEMS = [
    # (file, environment, arguments, actions)
    ("cliff_walking", "CliffWalking", {}, ["up", "right", "down", "left"]),
    ("frozen_lake_4x4", "FrozenLake", {"map_name": "4x4", "is_slippery": True}, ["left", "down", "right", "up"]),
    ("taxi", "Taxi", {}, ["south", "north", "east", "west", "pick up", "set down"]),
]


def newest(name):
    """The highest registered version of an environment."""
    versions = [spec.version for spec in gymnasium.registry.values() if spec.name == name]
    if not versions:
        sys.exit(f"error: this Gymnasium ({gymnasium.__version__}) has no environment {name}")
    return f"{name}-v{max(versions)}"


def reachable(table, starts):
    """States met from the starts before an end."""
    seen, stack = set(starts), list(starts)
    while stack:
        for outcomes in table[stack.pop()].values():
            for _, following, _, ended in outcomes:
                if not ended and following not in seen:
                    seen.add(following)
                    stack.append(following)
    return seen


def convert(name, arguments, actions):
    environment = gymnasium.make(newest(name), **arguments)
    table = environment.unwrapped.P
    starts = [(state, float(p)) for state, p in enumerate(environment.unwrapped.initial_state_distrib) if p > 0]
    total = sum(p for _, p in starts)
    met = reachable(table, [state for state, _ in starts])
    ends = sorted({int(f) for s in met for os in table[s].values() for _, f, _, ended in os if ended})
    both = met.intersection(ends)
    if both:
        sys.exit(f"error: {name}: states {sorted(both)} are entered both by an end and otherwise; no state can stand for the end")
    transitions = []
    for state in range(len(table)):
        if state in ends:
            continue
        for action, outcomes in sorted(table[state].items()):
            reward, following = 0.0, {}
            for p, target, r, _ in outcomes:
                reward += float(p) * float(r)
                following[int(target)] = following.get(int(target), 0.0) + float(p)
            transitions.append([state, int(action), reward, sorted(following.items())])
    process = {
        "name": environment.spec.id,
        "notes": f"written from Gymnasium {gymnasium.__version__}, arguments {arguments}; rewards are expectations over outcomes",
        "gamma": 1.0,
        "n_states": len(table),
        "n_actions": len(actions),
        "actions": actions,
        "initial": [[state, p / total] for state, p in starts],
        "terminal": ends,
        "transitions": transitions,
    }
    if environment.spec.max_episode_steps:
        process["max_episode_steps"] = environment.spec.max_episode_steps
    return process


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} OUT_DIR")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for file, name, arguments, actions in PROBLEMS:
        path = folder / f"{file}.json"
        path.write_text(json.dumps(convert(name, arguments, actions)) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
