#!/usr/bin/env python3
"""Computes what the forecasters of tierwise must score on a small series, without any code of tierwise.

    python3 -m venv venv && venv/bin/pip install numpy statsmodels
    venv/bin/python scripts/forecast-expected.py > envs/src/forecast/accuracy/expected.json

Naive forecasts, means, errors and quantiles with numpy; ridge as augmented least squares (numpy.linalg.lstsq), its penalty
by forecasting the rows held back; MSTL as its published loop over statsmodels' STL, with exponential smoothing from
statsmodels. The series is 40 days of integers whose noise comes from the generator x -> (1103515245 x + 12345) mod 2^31.
"""

import json
import math

import numpy
import statsmodels
from statsmodels.tsa.holtwinters import SimpleExpSmoothing
from statsmodels.tsa.seasonal import STL

HOURS, FIRST_HOUR_OF_WEEK, HORIZON, QUANTILE = 960, 30, 24, 0.9
DAY, WEEK = 24, 168
PENALTIES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]


def series():
    state, counts = 7, []
    for hour in range(HOURS):
        of_week = (FIRST_HOUR_OF_WEEK + hour) % WEEK
        state = (1103515245 * state + 12345) % 2**31
        noise = state / 2**31
        level = 40 + 0.02 * hour
        shape = 1 + 0.6 * math.sin(2 * math.pi * (of_week % DAY - 7) / DAY)
        weekend = 0.6 if of_week >= 5 * DAY else 1.0
        counts.append(float(round(level * shape * weekend + 20 * noise)))
    return numpy.array(counts)


def naive(season):
    def fit(counts, horizon):
        return lambda past: numpy.array([past[len(past) - season + s % season] for s in range(horizon)])

    return fit


def same_hour(counts, horizon):
    def forecast(past):
        weeks = min(4, len(past) // WEEK)
        return numpy.mean([past[len(past) - WEEK * j :][:horizon] for j in range(1, weeks + 1)], axis=0)

    return forecast


def features(past, unit):
    of_week = (FIRST_HOUR_OF_WEEK + len(past)) % WEEK
    angles = 2 * numpy.pi * numpy.arange(1, 29) * of_week / WEEK
    return numpy.concatenate([past[-WEEK:] / unit, numpy.cos(angles), numpy.sin(angles)])


def ridge(x, y, penalty):
    n, d = x.shape
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    rows = numpy.vstack([x - x_mean, math.sqrt(n * penalty) * numpy.eye(d)])
    right = numpy.vstack([y - y_mean, numpy.zeros((d, y.shape[1]))])
    slope = numpy.linalg.lstsq(rows, right, rcond=None)[0]
    return slope, y_mean - x_mean @ slope


def linear(counts, horizon):
    unit = counts.std()
    last = len(counts) - horizon
    held_back = WEEK + (last - WEEK) * 4 // 5
    x = {o: features(counts[:o], unit) for o in range(WEEK, last + 1)}
    y = {o: counts[o : o + horizon] / unit for o in x}
    early_end = max(WEEK, held_back - 1 - (horizon - 1))
    rows = lambda table, origins: numpy.array([table[o] for o in origins])
    early, late = range(WEEK, early_end + 1), range(held_back, last + 1)
    errors = []
    for penalty in PENALTIES:
        slope, intercept = ridge(rows(x, early), rows(y, early), penalty)
        errors.append(((rows(y, late) - rows(x, late) @ slope - intercept) ** 2).sum())
    slope, intercept = ridge(rows(x, x), rows(y, y), PENALTIES[int(numpy.argmin(errors))])
    return lambda past: unit * (features(past, unit) @ slope + intercept)


def odd(n):
    return n + (n + 1) % 2


def decompose(window):
    """MSTL: two rounds of STL per season, the shorter season first."""
    seasonal = {DAY: numpy.zeros(len(window)), WEEK: numpy.zeros(len(window))}
    rest = window.copy()
    for _ in range(2):
        for period, smoother in ((DAY, 11), (WEEK, 15)):
            rest = rest + seasonal[period]
            trend = odd(math.ceil(1.5 * period / (1 - 1.5 / smoother)))
            low_pass = odd(period)
            fit = STL(
                rest, period=period, seasonal=smoother, trend=trend, low_pass=low_pass,
                seasonal_deg=0, trend_deg=1, low_pass_deg=1, robust=False,
                seasonal_jump=math.ceil(smoother / 10), trend_jump=math.ceil(trend / 10), low_pass_jump=math.ceil(low_pass / 10),
            ).fit(inner_iter=2, outer_iter=0)
            seasonal[period] = numpy.asarray(fit.seasonal)
            rest = rest - seasonal[period]
    return seasonal, rest


def levels(adjusted, alpha):
    smoothing = SimpleExpSmoothing(adjusted, initialization_method="known", initial_level=adjusted[:DAY].mean())
    fit = smoothing.fit(smoothing_level=alpha, optimized=False)
    # Fitted values are the levels before each hour.
    return numpy.append(fit.fittedvalues[1:], fit.forecast(1))


def smoothing(counts, horizon):
    _, adjusted = decompose(counts[-6 * WEEK :])
    errors = []
    for alpha in numpy.arange(1, 101) / 100:
        level = levels(adjusted, alpha)
        ahead = numpy.lib.stride_tricks.sliding_window_view(adjusted[1:], horizon)
        errors.append(((ahead - level[: len(ahead), None]) ** 2).sum())
    alpha = (int(numpy.argmin(errors)) + 1) / 100

    def forecast(past):
        seasonal, adjusted = decompose(past[-6 * WEEK :])
        day, week = seasonal[DAY][-DAY:], seasonal[WEEK][-WEEK:]
        steps = numpy.arange(horizon)
        return levels(adjusted, alpha)[-1] + day[steps % DAY] + week[steps % WEEK]

    return forecast


def rolling(forecast, counts, start, end):
    origins = range(start, end - HORIZON + 1)
    forecasts = numpy.array([numpy.maximum(forecast(counts[:o]), 0) for o in origins])
    truth = numpy.array([counts[o : o + HORIZON] for o in origins])
    of_day = numpy.array([(FIRST_HOUR_OF_WEEK + o + numpy.arange(HORIZON)) % DAY for o in origins])
    return forecasts, truth, of_day


def margins(forecasts, truth, of_day):
    errors = truth - forecasts
    return numpy.array([numpy.quantile(errors[of_day == hour], QUANTILE) for hour in range(DAY)])


def main():
    counts = series()
    early, training = HOURS // 2, HOURS * 3 // 4
    scale = numpy.abs(counts[DAY:training] - counts[: training - DAY]).mean()
    models = {
        "naive-24": naive(DAY), "naive-168": naive(WEEK), "same-hour-mean": same_hour,
        "mstl-ets": smoothing, "linear-168": linear,
    }
    scores, following = {}, {}
    for name, fit in models.items():
        above = margins(*rolling(fit(counts[:early], HORIZON), counts, early, training))
        forecasts, truth, of_day = rolling(fit(counts[:training], HORIZON), counts, training, HOURS)
        error = truth - forecasts
        missed = truth - numpy.maximum(forecasts + above[of_day], 0)
        scores[name] = {
            "mase": numpy.abs(error).mean() / scale,
            "mae": numpy.abs(error).mean(),
            "rmse": math.sqrt((error**2).mean()),
            "pinball": numpy.maximum(QUANTILE * missed, (QUANTILE - 1) * missed).mean(),
            "coverage": (missed <= 0).mean(),
            "origins": len(forecasts),
        }
        mean = numpy.maximum(fit(counts, HORIZON)(counts), 0)
        hours = (FIRST_HOUR_OF_WEEK + HOURS + numpy.arange(HORIZON)) % DAY
        upper = numpy.maximum(mean + margins(forecasts, truth, of_day)[hours], 0)
        following[name] = {"mean": mean.tolist(), "quantile": upper.tolist()}
    expected = {
        "source": f"scripts/forecast-expected.py; numpy {numpy.__version__}, statsmodels {statsmodels.__version__}",
        "first_hour_of_week": FIRST_HOUR_OF_WEEK,
        "horizon": HORIZON,
        "quantile": QUANTILE,
        "counts": counts.astype(int).tolist(),
        "scale": scale,
        "scores": scores,
        "next": following,
    }
    print(json.dumps(expected, default=float))


if __name__ == "__main__":
    main()
