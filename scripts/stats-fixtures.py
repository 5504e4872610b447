#!/usr/bin/env python3
"""Writes src/stats/fixtures.json: expected values of src/stats from independent libraries.

    python3 -m venv venv && venv/bin/pip install numpy scipy statsmodels gbstats==0.8.0 confseq mpmath
    venv/bin/python scripts/stats-fixtures.py

Every group names its source. confseq compiles a small C++ part and needs the Boost headers.
"""

import itertools
import json
import pathlib

import mpmath
import numpy as np
import scipy
import scipy.integrate
import scipy.special
import scipy.stats as st
import statsmodels
from confseq import betting, boundaries, predmix
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import (
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (
    ProportionStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from gbstats.utils import check_srm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    test_proportions_2indep,
)

mpmath.mp.dps = 40
ALPHA = 0.05
out = {}


def group(name, source, cases):
    out[name] = {"source": source, "cases": cases}


# Distribution functions.
group("normal_sf", "mpmath.erfc", [[z, float(mpmath.erfc(z / mpmath.sqrt(2)) / 2)] for z in [-3.0, 0.0, 0.5, 1.96, 5.0, 12.0, 30.0]])
group("normal_upper_quantile", "mpmath.erfinv", [[p, float(mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpmath.mpf(p)))] for p in [0.5, 0.4, 0.025, 0.0125, 1e-4, 1e-9, 0.9]])


def student_sf(t, v):
    x = mpmath.mpf(v) / (mpmath.mpf(v) + mpmath.mpf(t) ** 2)
    return float(mpmath.betainc(mpmath.mpf(v) / 2, mpmath.mpf(1) / 2, 0, x, regularized=True) / 2)


group("student_sf", "mpmath.betainc", [[t, v, student_sf(t, v)] for t in [0.1, 1.0, 2.5, 6.0] for v in [1.0, 2.3, 17.0, 999.5, 25000.0]]
      + [[t, v, float(st.t.sf(t, v))] for t in [1.0, 3.0, 5.0] for v in [2e5, 1e7]])
group("student_upper_quantile", "scipy.stats.t.isf", [[p, v, float(st.t.isf(p, v))] for p in [0.4, 0.025, 1e-6] for v in [1.0, 3.7, 40.0, 12345.0, 1e7]])
group("chi_squared_sf", "scipy.stats.chi2.sf", [[x, k, float(st.chi2.sf(x, k))] for x in [0.3, 4.0, 40.0, 300.0] for k in [1, 2, 5, 11]])
group("ln_beta_density", "mpmath", [[x, a, b, float(mpmath.log(mpmath.mpf(x) ** (a - 1) * (1 - mpmath.mpf(x)) ** (b - 1) / mpmath.beta(a, b)))]
      for x, a, b in [(0.3, 1, 1), (0.25, 2.5, 7.0), (0.5, 1.0, 30.0), (0.1, 1001, 9001), (0.10001, 100001, 900001), (0.03, 3e7, 97e7)]])

# Two proportions.
COUNTS = [(1000, 100, 1000, 130), (50, 3, 60, 9), (100000, 1987, 99000, 2101), (10, 0, 12, 3), (1000000000000, 100000000000, 1000000000000, 100000900000)]
cases = []
for n0, k0, n1, k1 in COUNTS:
    z, p = proportions_ztest([k1, k0], [n1, n0])
    w = test_proportions_2indep(k1, n1, k0, n0, method="wald")
    wald = confint_proportions_2indep(k1, n1, k0, n0, method="wald", alpha=ALPHA)
    new = confint_proportions_2indep(k1, n1, k0, n0, method="newcomb", alpha=ALPHA)
    cases.append({"counts": [n0, k0, n1, k1], "pooled_p": float(p), "unpooled_p": float(w.pvalue), "wald": list(map(float, wald)), "newcombe": list(map(float, new))})
group("proportions", f"statsmodels {statsmodels.__version__}: proportions_ztest, test_proportions_2indep, confint_proportions_2indep", cases)
group("newcombe_ends", "statsmodels confint_proportions_2indep(method='newcomb')", [
    {"counts": [n0, k0, n1, k1], "newcombe": list(map(float, confint_proportions_2indep(k1, n1, k0, n0, method="newcomb", alpha=ALPHA)))}
    for n0, k0, n1, k1 in [(20, 20, 30, 29), (1, 0, 1, 1), (500, 0, 700, 0)]])
group("wilson", "statsmodels proportion_confint(method='wilson')", [[k, n, *map(float, proportion_confint(k, n, ALPHA, method="wilson"))] for k, n in [(3, 50), (0, 10), (10, 10), (1987, 100000)]])

# Means.
MEANS = [(100, 5.0, 4.0, 120, 5.5, 9.0), (2, 1.0, 0.5, 3, 1.4, 0.1), (50000, 0.31, 12.0, 51000, 0.34, 13.5), (400, 1e6, 1e8, 380, 1.001e6, 2e8)]
cases = []
for n0, m0, v0, n1, m1, v1 in MEANS:
    res = st.ttest_ind_from_stats(m1, np.sqrt(v1), n1, m0, np.sqrt(v0), n0, equal_var=False)
    f = (v0 / n0 + v1 / n1) ** 2 / ((v0 / n0) ** 2 / (n0 - 1) + (v1 / n1) ** 2 / (n1 - 1))
    half = st.t.isf(ALPHA / 2, f) * np.sqrt(v0 / n0 + v1 / n1)
    cases.append({"samples": [n0, m0, v0, n1, m1, v1], "p": float(res.pvalue), "ci": [m1 - m0 - half, m1 - m0 + half]})
group("welch", f"scipy {scipy.__version__}: ttest_ind_from_stats(equal_var=False), t.isf", cases)


def sample(n, m, v):
    return SampleMeanStatistic(n=n, sum=n * m, sum_squares=v * (n - 1) + n * m * m)


cases = []
for n0, m0, v0, n1, m1, v1 in MEANS[:3]:
    a, b = sample(n0, m0, v0), sample(n1, m1, v1)
    rel = TwoSidedTTest(a, b, FrequentistConfig(alpha=ALPHA, difference_type="relative")).compute_result()
    test = TwoSidedTTest(a, b, FrequentistConfig(alpha=ALPHA, difference_type="relative"))
    se = float(np.sqrt(test.variance))
    seqs = {}
    for kind in ["relative", "absolute"]:
        s = SequentialTwoSidedTTest(a, b, SequentialConfig(alpha=ALPHA, difference_type=kind)).compute_result()
        seqs[kind] = {"ci": list(map(float, s.ci)), "p": float(s.p_value)}
    p_t = 2 * float(st.t.sf(abs(rel.expected / se), test.dof))
    p_n = 2 * float(st.norm.sf(abs(rel.expected / se)))
    half = float(st.norm.isf(ALPHA / 2)) * se
    cases.append({"samples": [n0, m0, v0, n1, m1, v1], "estimate": float(rel.expected), "student": list(map(float, rel.ci)), "student_p": p_t,
                  "normal": [rel.expected - half, rel.expected + half], "normal_p": p_n, "sequential": seqs})
group("lift", "gbstats 0.8.0: TwoSidedTTest and SequentialTwoSidedTTest; tails by scipy", cases)

cases = []
for n0, k0, n1, k1 in COUNTS[:3]:
    a, b = ProportionStatistic(n=n0, sum=k0), ProportionStatistic(n=n1, sum=k1)
    s = SequentialTwoSidedTTest(a, b, SequentialConfig(alpha=ALPHA, difference_type="relative")).compute_result()
    cases.append({"counts": [n0, k0, n1, k1], "ci": list(map(float, s.ci)), "p": float(s.p_value)})
group("growthbook_counts", "gbstats 0.8.0: SequentialTwoSidedTTest on proportions", cases)

# Unit rows: ratio metrics, CUPED, winsorising.
rng = np.random.default_rng(7)
rows = []
for arm, size in [(0, 40), (1, 50)]:
    pre = np.round(rng.gamma(2.0, 3.0, size), 3)
    value = np.round(pre * 0.6 + rng.normal(2 + 0.5 * arm, 1.5, size), 3)
    denominator = rng.integers(1, 6, size)
    rows += [[arm, float(y), float(x), float(d)] for y, x, d in zip(value, pre, denominator)]


def stat(v):
    v = np.array(v)
    return SampleMeanStatistic(n=len(v), sum=float(v.sum()), sum_squares=float((v**2).sum()))


arms = [[r for r in rows if r[0] == a] for a in (0, 1)]
adjusted, ratios = [], []
for r in arms:
    y, x, d = (np.array([row[i] for row in r]) for i in (1, 2, 3))
    adjusted.append(RegressionAdjustedStatistic(n=len(y), post_statistic=stat(y), pre_statistic=stat(x), post_pre_sum_of_products=float((y * x).sum()), theta=0))
    ratios.append(RatioStatistic(n=len(y), m_statistic=stat(y), d_statistic=stat(d), m_d_sum_of_products=float((y * d).sum())))
theta = compute_theta(*adjusted)
for s in adjusted:
    s.theta = theta
absolute = TwoSidedTTest(*adjusted, FrequentistConfig(alpha=ALPHA, difference_type="absolute"))
ab = absolute.compute_result()
values = np.array([r[1] for r in rows])
group("unit_rows", "gbstats 0.8.0: RegressionAdjustedStatistic, RatioStatistic; numpy.quantile", [{
    "rows": rows, "theta": float(theta), "cuped_estimate": float(ab.expected), "cuped_ci": list(map(float, ab.ci)),
    "cuped_p": 2 * float(st.t.sf(abs(absolute.critical_value), absolute.dof)),
    "ratios": [[float(s.mean), float(s.variance)] for s in ratios],
    "quantiles": [[q, float(np.quantile(values, q))] for q in [0.0, 0.1, 0.5, 0.95, 0.99, 1.0]],
}])

# Gaussian Bayes.
cases = []
for n0, m0, v0, n1, m1, v1 in MEANS[:3]:
    for proper in [False, True]:
        config = EffectBayesianConfig(difference_type="relative", alpha=ALPHA, prior_effect=GaussianPrior(mean=0.05, variance=0.09, proper=proper))
        r = EffectBayesianABTest(sample(n0, m0, v0), sample(n1, m1, v1), config).compute_result()
        cases.append({"samples": [n0, m0, v0, n1, m1, v1], "proper": proper, "mean": float(r.expected), "ci": list(map(float, r.ci)),
                      "win": float(r.chance_to_win), "loss_control": float(r.risk[0]), "loss_treatment": float(r.risk[1])})
group("gaussian", "gbstats 0.8.0: EffectBayesianABTest, prior N(0.05, 0.09) on the relative effect", cases)

# Corrections.
P = [0.01, 0.04, 0.03, 0.005, 0.8, 0.04]
group("corrections", f"statsmodels {statsmodels.__version__}: multipletests", [{"p": P, **{m: list(map(float, multipletests(P, ALPHA, m)[1])) for m in ["bonferroni", "holm", "fdr_bh", "fdr_by"]}}])

# Beta-Binomial: closed sum (Evan Miller) for two arms with integer parameters, and mpmath quadrature beyond.
def exact_win(a0, b0, a1, b1):
    total = mpmath.mpf(0)
    for i in range(a1):
        total += mpmath.beta(a0 + i, b0 + b1) / ((b1 + i) * mpmath.beta(1 + i, b1) * mpmath.beta(a0, b0))
    return total


def exact_loss_treatment(a0, b0, a1, b1):
    """E[max(p0 - p1, 0)] = E[p0; p0 > p1] - E[p1; p0 > p1]."""
    win = lambda x0, y0, x1, y1: 1 - exact_win(x0, y0, x1, y1)
    m0, m1 = mpmath.mpf(a0) / (a0 + b0), mpmath.mpf(a1) / (a1 + b1)
    return m0 * win(a0 + 1, b0, a1, b1) - m1 * win(a0, b0, a1 + 1, b1)


cases = []
for n0, k0, n1, k1 in [(10, 1, 12, 4), (1000, 100, 1000, 130), (500, 0, 700, 0), (30, 30, 20, 20), (2000, 40, 100, 9), (20000, 2000, 20000, 2300)]:
    a0, b0, a1, b1 = 1 + k0, 1 + n0 - k0, 1 + k1, 1 + n1 - k1
    cases.append({"counts": [[n0, k0], [n1, k1]], "win": [float(1 - exact_win(a0, b0, a1, b1)), float(exact_win(a0, b0, a1, b1))],
                  "loss": [float(exact_loss_treatment(a1, b1, a0, b0)), float(exact_loss_treatment(a0, b0, a1, b1))]})
group("beta_two_arms", "closed sum of Miller 2014 in 40 digits (mpmath)", cases)


def quad_many(counts):
    betas = [(1 + k, 1 + n - k) for n, k in counts]
    pdf = lambda i, x: st.beta.pdf(x, *betas[i])
    cdf = lambda i, x: st.beta.cdf(x, *betas[i])
    sf = lambda i, x: st.beta.sf(x, *betas[i])
    points = sorted({min(max(st.beta.ppf(q, *b), 0), 1) for b in betas for q in [1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6]})
    cuts = [0.0, *points, 1.0]
    integral = lambda f: sum(scipy.integrate.quad(f, l, r, epsabs=0, epsrel=1e-13, limit=400)[0] for l, r in itertools.pairwise(cuts) if r > l)
    others = lambda i: [j for j in range(len(betas)) if j != i]
    win = [integral(lambda x: pdf(i, x) * np.prod([cdf(j, x) for j in others(i)])) for i in range(len(betas))]
    loss = [integral(lambda x: cdf(i, x) * -np.expm1(sum(np.log1p(-sf(j, x)) if sf(j, x) < 1 else -np.inf for j in others(i)))) for i in range(len(betas))]
    return win, loss


cases = []
for counts in [[(100, 10), (110, 15), (90, 12)], [(1000, 100), (1000, 110), (1000, 120), (1000, 90)], [(50, 5), (500, 60), (5000, 480), (20, 3), (700, 77), (90, 0)]]:
    win, loss = quad_many(counts)
    cases.append({"counts": counts, "win": list(map(float, win)), "loss": list(map(float, loss))})
group("beta_many_arms", f"scipy {scipy.__version__}: integrate.quad over stats.beta, piecewise", cases)

# Sample ratio.
group("chi_squared", "gbstats 0.8.0 check_srm, with arms of weight zero left out beforehand", [
    {"units": u, "weights": w, "p": float(check_srm([n for n, x in zip(u, w) if x > 0], [x for x in w if x > 0]))}
    for u, w in [([5000, 5200], [0.5, 0.5]), ([900, 100, 0], [0.9, 0.1, 0.0]), ([310, 290, 400], [0.3, 0.3, 0.4])]])


def multinomial(units, weights, k):
    n = sum(units)
    log = mpmath.loggamma(k) - mpmath.loggamma(k + n)
    for u, w in zip(units, weights):
        log += mpmath.loggamma(k * mpmath.mpf(w) + u) - mpmath.loggamma(k * mpmath.mpf(w)) - u * mpmath.log(mpmath.mpf(w))
    return float(log)


group("multinomial", "Lindon & Malek 2022, Dirichlet-multinomial over multinomial, in 40 digits (mpmath)", [
    {"units": u, "weights": w, "concentration": k, "log_e": multinomial(u, w, k)}
    for u, w, k in [([5000, 5200], [0.5, 0.5], 100.0), ([12, 3], [0.9, 0.1], 10.0), ([310, 290, 450], [0.3, 0.3, 0.4], 1000.0)]])

# Hypergeometric e-value: one bet.
cases = []
for a, b, k, x, odds in [(1000, 1000, 230, 130, 1.3), (9000, 500, 900, 60, 1.2), (50, 60, 12, 9, 2.0), (20000, 20000, 4000, 1900, 0.9), (7, 5, 6, 1, 0.25)]:
    log_theta = mpmath.log(mpmath.mpf(odds))
    low, high = max(0, k - a), min(k, b)
    weights = [mpmath.binomial(b, j) * mpmath.binomial(a, k - j) for j in range(low, high + 1)]
    normal = mpmath.log(sum(w * mpmath.e ** (log_theta * j) for w, j in zip(weights, range(low, high + 1))) / sum(weights))
    check = float(np.log(st.nchypergeom_fisher.pmf(x, a + b, b, k, odds) / st.hypergeom.pmf(x, a + b, b, k)))
    assert abs(check - float(x * log_theta - normal)) < 1e-6 * max(1, abs(check)), (check, x * log_theta - normal)
    cases.append({"control": a, "treatment": b, "conversions": k, "odds": odds, "log_normaliser": float(normal)})
group("hypergeometric", "sum over the support in 40 digits (mpmath), checked against scipy.stats.nchypergeom_fisher", cases)

# mSPRT by integrating the prior numerically, the boundary from confseq.
cases = []
for d, v, tau in [(0.5, 0.04, 0.3), (0.01, 1e-5, 0.02), (-0.2, 0.01, 1.0)]:
    integrand = lambda t: mpmath.npdf(t, 0, tau) * mpmath.npdf(d, t, mpmath.sqrt(v)) / mpmath.npdf(d, 0, mpmath.sqrt(v))
    spread = 12 * mpmath.sqrt(v)
    cases.append({"estimate": d, "variance": v, "tau": tau, "log": float(mpmath.log(mpmath.quad(integrand, mpmath.linspace(d - spread, d + spread, 25))))})
group("msprt", "the prior integrated numerically (mpmath.quad)", cases)
cases = []
for v, v_opt in [(10.0, 100.0), (1000.0, 100.0), (5.0, 5.0)]:
    cases.append({"v": v, "tuning": 30.0, "bound": float(mpmath.sqrt((v + 30) * mpmath.log((v + 30) / (30 * mpmath.mpf("0.05") ** 2))))})
    rho = boundaries.normal_mixture_bound(v, ALPHA, v_opt, ALPHA, False)
    best = v_opt / (2 * np.log(1 / ALPHA) + np.log(1 + 2 * np.log(1 / ALPHA)))  # confseq's rule for its tuning
    cases.append({"v": v, "tuning": float(best), "bound": float(rho)})
group("normal_mixture", "confseq 0.0.11 boundaries.normal_mixture_bound and its closed form", cases)

# Confidence sequences of one mean.
rng = np.random.default_rng(3)
x = np.round(rng.beta(2, 5, 300), 6)
l, u = predmix.predmix_empbern_twosided_cs(x, alpha=ALPHA, running_intersection=True)
hl, hu = betting.betting_cs(x, alpha=ALPHA, breaks=200, running_intersection=True)
at = [0, 9, 49, 149, 299]
group("mean_sequences", "confseq 0.0.11: predmix_empbern_twosided_cs, betting_cs(breaks=200), running intersection", [{
    "outcomes": list(map(float, x)), "at": at, "bernstein": [[float(l[i]), float(u[i])] for i in at], "hedged": [[float(hl[i]), float(hu[i])] for i in at]}])

target = pathlib.Path(__file__).resolve().parent.parent / "src" / "stats" / "fixtures.json"
target.write_text(json.dumps(out, indent=1) + "\n")
print(f"{target}: {sum(len(g['cases']) for g in out.values())} cases in {len(out)} groups")
