"""The sweeps of policies/benches/tabular.rs as numba loops over the plain columns.

Prints one line per loop: name, actions, million updates per second (best of 50 sweeps on one thread).
The log comes from the same generator as in the Rust benchmark. Double Q-learning takes its coins from the low bits of a
xoshiro-like 64-bit stream drawn once per 64 rows, as the Rust side does, so neither pays for a better generator.
"""

import sys
import time

import numpy as np
from numba import njit

STATES = 64
ROWS = 1_000_000
DISCOUNT, STEP_SIZE, EPSILON = 0.98, 0.05, 0.1


@njit
def mixed(counter):
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit
def make_log(actions):
    state = np.empty(ROWS, np.uint16)
    action = np.empty(ROWS, np.uint8)
    reward = np.empty(ROWS, np.float32)
    next_state = np.empty(ROWS, np.uint16)
    done = np.empty(ROWS, np.uint8)
    now = 0
    for row in range(ROWS):
        bits = mixed(row + 1)
        following = (bits >> np.uint64(8)) % np.uint64(STATES)
        state[row] = now
        action[row] = (bits >> np.uint64(24)) % np.uint64(actions)
        reward[row] = np.float32((bits >> np.uint64(40)) & np.uint64(0xFFFF)) / np.float32(65536.0)
        next_state[row] = following
        done[row] = (bits >> np.uint64(56)) % np.uint64(100) == np.uint64(0)
        now = following
    return state, action, reward, next_state, done


def loops(actions):
    """Compiles the loops with the number of actions as a constant, the form in which numba is fastest."""

    @njit
    def q(table, state, action, reward, next_state, done):
        for row in range(state.size):
            following = next_state[row]
            best = table[following, 0]
            for k in range(1, actions):
                best = max(best, table[following, k])
            target = reward[row] + DISCOUNT * (0.0 if done[row] else best)
            s, a = state[row], action[row]
            table[s, a] += STEP_SIZE * (target - table[s, a])

    @njit
    def q_compare(table, state, action, reward, next_state, done):
        for row in range(state.size):
            following = next_state[row]
            best = table[following, 0]
            for k in range(1, actions):
                if table[following, k] > best:
                    best = table[following, k]
            target = np.float64(reward[row])
            if not done[row]:
                target += DISCOUNT * best
            s, a = state[row], action[row]
            table[s, a] += STEP_SIZE * (target - table[s, a])

    @njit
    def expected_sarsa(table, state, action, reward, next_state, done):
        each = EPSILON / actions
        for row in range(state.size):
            following = next_state[row]
            best = table[following, 0]
            total = table[following, 0]
            for k in range(1, actions):
                value = table[following, k]
                best = max(best, value)
                total += value
            expected = (1.0 - EPSILON) * best + each * total
            target = reward[row] + DISCOUNT * (0.0 if done[row] else expected)
            s, a = state[row], action[row]
            table[s, a] += STEP_SIZE * (target - table[s, a])

    @njit
    def double_q(tables, state, action, reward, next_state, done):
        bits = np.uint64(0)
        for row in range(state.size):
            if row % 64 == 0:
                bits = mixed(row + 12345)
            which = np.int64(bits & np.uint64(1))
            bits = bits >> np.uint64(1)
            following = next_state[row]
            best = 0
            top = tables[which, following, 0]
            for k in range(1, actions):
                value = tables[which, following, k]
                if value > top:
                    top = value
                    best = k
            value = tables[1 - which, following, best]
            target = reward[row] + DISCOUNT * (0.0 if done[row] else value)
            s, a = state[row], action[row]
            tables[which, s, a] += STEP_SIZE * (target - tables[which, s, a])

    @njit
    def double_q_random(tables, state, action, reward, next_state, done):
        for row in range(state.size):
            which = 0 if np.random.random() < 0.5 else 1
            following = next_state[row]
            best = np.argmax(tables[which, following])
            value = tables[1 - which, following, best]
            target = reward[row] + DISCOUNT * (0.0 if done[row] else value)
            s, a = state[row], action[row]
            tables[which, s, a] += STEP_SIZE * (target - tables[which, s, a])

    flat, pair = (STATES, actions), (2, STATES, actions)
    return [
        ("q", q, flat),
        ("q", q_compare, flat),
        ("expected_sarsa", expected_sarsa, flat),
        ("double_q", double_q, pair),
        ("double_q", double_q_random, pair),
    ]


def main():
    sweeps = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for actions in (3, 4):
        log = make_log(actions)
        for name, loop, shape in loops(actions):
            table = np.zeros(shape)
            loop(table, *log)
            first = table.sum()
            times = []
            for _ in range(sweeps):
                start = time.perf_counter()
                loop(table, *log)
                times.append(time.perf_counter() - start)
            speed = ROWS / min(times) / 1e6
            print(f"{name} {actions} {speed:.1f} {loop.__name__} first_sweep_sum={first:.12g}", flush=True)


if __name__ == "__main__":
    main()
