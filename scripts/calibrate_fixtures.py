"""Writes the fixtures of envs/src/calibrate: what SciPy makes of the same numbers.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scipy && /tmp/venv/bin/python scripts/calibrate_fixtures.py

Censored lognormal fit: scipy.stats.lognorm.fit on CensoredData, polished with scipy.optimize on the exact likelihood.
Kaplan-Meier: scipy.stats.ecdf(CensoredData).sf. Two samples: scipy.stats.ks_2samp with the asymptotic p-value.
"""

import json
from pathlib import Path

import numpy as np
from scipy import optimize, stats

folder = Path(__file__).resolve().parent.parent / "envs/src/calibrate/fixtures"
folder.mkdir(exist_ok=True)
random = np.random.default_rng(20260302)


def patience():
    patience = np.round(random.lognormal(5.0, 0.8, 150), 1)
    wait = np.round(random.exponential(150.0, 150), 1) + 0.1
    left = patience < wait
    times = np.where(left, patience, wait)

    def negative(parameters):
        mu, log_sigma = parameters
        z = (np.log(times) - mu) / np.exp(log_sigma)
        ln_f = stats.norm.logpdf(z) - log_sigma - np.log(times)
        return -np.sum(np.where(left, ln_f, stats.norm.logsf(z)))

    data = stats.CensoredData.right_censored(times, ~left)
    s, _, scale = stats.lognorm.fit(data, floc=0)
    best = optimize.minimize(negative, [np.log(scale), np.log(s)], method="Nelder-Mead",
                             options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000})
    curve = stats.ecdf(data).sf
    points = [(float(q), float(p)) for q, p in zip(curve.quantiles, curve.probabilities)
              if np.any((times == q) & left)]
    return {
        "times": times.tolist(),
        "left": left.tolist(),
        "lognormal": {
            "sigma": float(np.exp(best.x[1])),
            "scale": float(np.exp(best.x[0])),
            "log_likelihood": float(-best.fun),
        },
        "kaplan_meier": points,
    }


def two_samples():
    cases = []
    for n, m, shift in [(80, 120, 0.0), (200, 150, 0.2), (60, 60, 1.0)]:
        a = np.round(random.normal(0.0, 1.0, n), 2)
        b = np.round(random.normal(shift, 1.0, m), 2)
        result = stats.ks_2samp(a, b, method="asymp")
        d = float(result.statistic)
        # Without Smirnov's correction for small samples: the series of Kolmogorov's law.
        p = float(stats.kstwobign.sf(d * np.sqrt(n * m / (n + m))))
        cases.append({"a": a.tolist(), "b": b.tolist(), "distance": d, "p": p})
    return cases


(folder / "patience.json").write_text(json.dumps(patience()) + "\n")
(folder / "two_samples.json").write_text(json.dumps(two_samples()) + "\n")
