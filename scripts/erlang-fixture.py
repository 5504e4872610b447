#!/usr/bin/env python3
"""Writes envs/src/erlang/fixture.json: queueing values by other means than the library's.

Erlang B and C come from the incomplete gamma function, Erlang A from sums over its birth-death chain and from the lower
incomplete gamma function (Palm's form), other patience laws from quadrature of Zeltyn & Mandelbaum's integrals, fixed
service times from solving the chain watched every service time; all with 30 and more digits where mpmath does the work.

    python3 -m venv venv && venv/bin/pip install mpmath numpy
    venv/bin/python scripts/erlang-fixture.py > envs/src/erlang/fixture.json
"""

import json

import mpmath as mp
import numpy as np

mp.mp.dps = 40
TIMES = [0.0, 1.0, 5.0, 20.0, 60.0, 300.0]


def erlang_b(n, a):
    """a^n e^-a / Γ(n + 1, a)."""
    a = mp.mpf(a)
    return mp.exp(n * mp.log(a) - a - mp.log(mp.gammainc(n + 1, a)))


def erlang_c(n, rate, service):
    a = mp.mpf(rate) * mp.mpf(service)
    b = erlang_b(n, a)
    c = n * b / (n - a * (1 - b))
    gap = (n - a) / mp.mpf(service)
    return {
        "p_wait": c,
        "mean_wait_s": c / gap,
        "mean_queue": mp.mpf(rate) * c / gap,
        "p_served_within": [1 - c * mp.exp(-gap * mp.mpf(t)) for t in TIMES],
    }


def erlang_a_chain(n, rate, service, patience):
    """Sums over the states n + j of the birth-death chain, relative to state n."""
    lam, mu, theta = mp.mpf(rate), 1 / mp.mpf(service), 1 / mp.mpf(patience)
    b = erlang_b(n, lam / mu)
    weight, total, queue, j = mp.mpf(1), mp.mpf(1), mp.mpf(0), 0
    while True:
        j += 1
        weight *= lam / (n * mu + j * theta)
        total += weight
        queue += j * weight
        if weight < total * mp.mpf(10) ** -35 and lam < n * mu + j * theta:
            break
    # π_n (1/b + total - 1) = 1, for Erlang B is π_n without a queue.
    top = 1 / (1 / b + total - 1)
    queue *= top
    p_abandon = theta * queue / lam
    return {
        "p_wait": top * total,
        "p_abandon": p_abandon,
        "mean_queue": queue,
        "mean_wait_s": queue / lam,
        "occupancy": lam * (1 - p_abandon) / (n * mu),
    }


def erlang_a(n, rate, service, patience):
    """The chain, and waits by Palm's incomplete gamma functions."""
    values = erlang_a_chain(n, rate, service, patience)
    lam, mu, theta = mp.mpf(rate), 1 / mp.mpf(service), 1 / mp.mpf(patience)
    x, y = n * mu / theta, lam / theta
    p_n = values["p_wait"]
    # Density of the offered wait: c exp(y (1 − e^{−θv}) − nμv), with total mass P(wait).
    def lower(s, at):
        # γ(s, at) / (at^s e^-at), a sum of positive terms.
        term, total, k = 1 / s, 1 / s, s
        while term > total * mp.mpf(10) ** -38:
            k += 1
            term *= at / k
            total += term
        return total

    scale = p_n / lower(x, y)

    def served(t):
        small = y * mp.exp(-theta * t)
        # ∫_small^y u^x e^-u du over y^x e^-y, once more over y.
        ratio = mp.exp((x + 1) * mp.log(small / y) + y - small)
        return scale * (lower(x + 1, y) - ratio * lower(x + 1, small))

    values["p_served_within"] = [1 - p_n + served(mp.mpf(t)) for t in TIMES]
    # Mean wait of the served, by quadrature around the top of the density.
    def density(v):
        return mp.exp(y * (1 - mp.exp(-theta * v)) - n * mu * v - theta * v)

    top = mp.log(lam / (n * mu)) / theta if lam > n * mu else mp.mpf(0)
    height = density(top)
    width = 1 / (n * mu)
    reach = top + width
    while density(reach) > height * mp.mpf(10) ** -30:
        reach += width
        width *= mp.mpf("1.5")
    points = [reach * k / 64 for k in range(65)]
    mass = mp.quad(density, points)
    first = mp.quad(lambda v: v * density(v), points)
    share = 1 - values["p_abandon"]
    values["mean_wait_served_s"] = first / mass * (share - (1 - p_n)) / share
    return values


def general(n, rate, service, law, jumps):
    """Zeltyn & Mandelbaum's integrals; `law(x)` is P(T > x), integrated numerically as well."""
    lam, mu = mp.mpf(rate), 1 / mp.mpf(service)
    stays, mean_until = law
    b = erlang_b(n - 1, lam / mu)

    def weight(x):
        return mp.exp(lam * mean_until(x) - n * mu * x)

    reach = mp.mpf(service)
    while weight(reach) > mp.mpf(10) ** -30:
        reach *= mp.mpf("1.3")
    points = sorted({reach * k / 48 for k in range(49)} | {mp.mpf(j) for j in jumps if j < reach})
    j0 = mp.quad(weight, points)
    base = lam / (1 / b + lam * j0)

    def cut(t):
        return [p for p in points if p < t] + [mp.mpf(t)]

    served = base * mp.quad(lambda x: stays(x) * weight(x), points)
    p_wait = base * j0
    return {
        "p_wait": p_wait,
        "p_abandon": p_wait - served,
        "mean_wait_s": base * mp.quad(lambda x: mean_until(x) * weight(x), points),
        "mean_wait_served_s": base * mp.quad(lambda x: x * stays(x) * weight(x), points) / (1 - p_wait + served),
        "p_served_within": [
            1 - p_wait + (base * mp.quad(lambda x: stays(x) * weight(x), cut(t)) if t > 0 else 0) for t in TIMES
        ],
    }


def lognormal(mean, sd):
    variance = mp.log(1 + mp.mpf(sd) ** 2 / mp.mpf(mean) ** 2)
    mu, sigma = mp.log(mean) - variance / 2, mp.sqrt(variance)

    def stays(x):
        return mp.ncdf((mu - mp.log(x)) / sigma) if x > 0 else mp.mpf(1)

    def mean_until(x):
        if x <= 0:
            return mp.mpf(0)
        z = (mp.log(x) - mu) / sigma
        return mp.mpf(mean) * mp.ncdf(z - sigma) + x * mp.ncdf(-z)

    return stays, mean_until


def samples(values):
    values = [mp.mpf(v) for v in values]
    count = len(values)
    return (
        lambda x: mp.mpf(sum(1 for v in values if v > x)) / count,
        lambda x: sum(min(v, x) for v in values) / count,
    )


def fixed_service(n, rate, service, states):
    """The chain of customers in system every `service` seconds, solved as linear equations in floating point."""
    mean = rate * service
    arrivals = np.array([float(mp.exp(k * mp.log(mean) - mean - mp.loggamma(k + 1))) for k in range(states)])
    step = np.zeros((states, states))
    for i in range(states):
        left = max(i - n, 0)
        step[i, left:] = arrivals[: states - left]
        step[i, -1] += 1 - step[i].sum()
    matrix = np.vstack([(step.T - np.eye(states))[:-1], np.ones(states)])
    p = np.linalg.solve(matrix, np.r_[np.zeros(states - 1), 1.0])
    queue = float(sum((i - n) * p[i] for i in range(n, states)))
    return {"p_wait": float(p[n:].sum()), "mean_queue": queue, "mean_wait_s": queue / rate}


def number(value):
    if isinstance(value, dict):
        return {key: number(v) for key, v in value.items()}
    if isinstance(value, list):
        return [number(v) for v in value]
    return float(value)


def main():
    loss = [
        {"servers": n, "offered": a, "p_block": number(erlang_b(n, a))}
        for n, a in [(1, 0.5), (1, 40.0), (10, 7.5), (100, 84.0), (100, 300.0), (1000, 950.0), (10000, 10000.0), (100000, 99000.0)]
    ]
    wait = []
    for n, rate, service in [
        (1, 0.5, 1.0), (1, 0.999, 1.0), (10, 0.03, 300.0), (50, 0.8, 60.0), (20, 0.05, 300.0),
        (1000, 3.3, 300.0), (100000, 333.0, 300.0), (100000, 333.3333, 300.0),
    ]:
        wait.append({"servers": n, "rate": rate, "service": service} | number(erlang_c(n, rate, service)))
    leave = []
    for n, rate, service, patience in [
        (50, 0.8, 60.0, 120.0), (1, 0.5, 1.0, 2.0), (1, 5.0, 1.0, 30.0), (10, 0.03, 300.0, 60.0), (10, 0.08, 300.0, 600.0),
        (100, 0.1, 300.0, 120.0), (1000, 3.3333333, 300.0, 120.0), (1000, 5.0, 300.0, 30.0), (100000, 333.0, 300.0, 120.0),
    ]:
        row = {"servers": n, "rate": rate, "service": service, "patience": patience}
        leave.append(row | number(erlang_a(n, rate, service, patience)))
    laws = []
    for n, rate, service, kind, numbers in [
        (10, 0.032, 300.0, "deterministic", [60.0]), (50, 1.0, 60.0, "deterministic", [20.0]), (1, 0.9, 1.0, "deterministic", [0.5]),
        (10, 0.032, 300.0, "lognormal", [120.0, 90.0]), (50, 1.0, 60.0, "lognormal", [60.0, 200.0]), (20, 0.05, 300.0, "lognormal", [100.0, 5.0]),
        (10, 0.05, 300.0, "empirical", [10.0, 20.0, 20.0, 90.0, 400.0]), (50, 0.7, 60.0, "empirical", [0.0, 5.0, 30.0]),
    ]:
        if kind == "lognormal":
            law, jumps = lognormal(*numbers), []
        else:
            law, jumps = samples(numbers), numbers
        row = {"servers": n, "rate": rate, "service": service, "kind": kind, "numbers": numbers}
        laws.append(row | number(general(n, rate, service, law, jumps)))
    fixed = []
    for n, load, states in [(1, 0.7, 400), (2, 0.8, 500), (10, 0.9, 800), (50, 0.95, 1500), (20, 0.5, 200)]:
        rate = load * n / 10.0
        fixed.append({"servers": n, "rate": rate, "service": 10.0} | number(fixed_service(n, rate, 10.0, states)))
    print(json.dumps({"source": "scripts/erlang-fixture.py", "times": TIMES, "loss": loss, "wait": wait, "leave": leave,
                      "laws": laws, "fixed": fixed}, indent=1))


if __name__ == "__main__":
    main()
