"""The referee of src/report/survival.rs: lifelines, statsmodels and SciPy on seeded data. Prints one JSON array.

    python3 -m venv v && v/bin/pip install lifelines==0.30.3 statsmodels==0.15.0
    v/bin/python tests/statistics/referee.py 2010 >tests/statistics/referee.json
"""
import json
import math
import random
import sys
import warnings

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_time
from scipy.stats import beta
from statsmodels.duration.survfunc import SurvfuncRight

warnings.filterwarnings("ignore")
QUANTILES = [0.5, 0.9, 0.99]


def data(seed):
    dice = random.Random(seed)
    yield "one event", [(7.0, True)]
    yield "one censored", [(7.0, False)]
    yield "all censored", [(float(t), False) for t in range(1, 9)]
    yield "all at once", [(3.0, True)] * 6
    yield "event and censoring tied", [(5.0, True), (5.0, False), (5.0, True), (8.0, False), (9.0, True)]
    for n in (2, 3, 5, 8, 13, 40, 100, 400):
        for lost in (0.0, 0.2, 0.6):
            rows = [(round(dice.lognormvariate(3.5, 0.9), 3), lost <= dice.random()) for _ in range(n)]
            yield f"lognormal n={n} lost={lost}", rows
            # Whole seconds: many ties.
            rows = [(float(dice.randint(1, 12)), lost <= dice.random()) for _ in range(n)]
            yield f"tied n={n} lost={lost}", rows


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def judged(name, rows):
    times, happened = [t for t, _ in rows], [h for _, h in rows]
    km = KaplanMeierFitter().fit(times, happened)
    survival, band = km.survival_function_.iloc[:, 0], km.confidence_interval_
    second = SurvfuncRight(times, [int(h) for h in happened]) if any(happened) else None
    errors = dict(zip(second.surv_times, second.surv_prob_se)) if second is not None else {}
    points = []
    for t in sorted(set(times)):
        at = {"time": t, "survival": number(survival[t]), "low": None, "high": None}
        at["at_risk"] = int(km.event_table.loc[t, "at_risk"])
        # At S = 0 lifelines writes the point 0 with itself as its interval; there is none.
        if 1e-12 < survival[t]:
            at["low"], at["high"] = number(band.loc[t].iloc[0]), number(band.loc[t].iloc[1])
        at["error"] = number(errors[t]) if t in errors and 1e-12 < survival[t] else None
        points.append(at)
    return {"name": name, "rows": rows, "points": points, "quantiles": [quantile(km, p) for p in QUANTILES],
            "share": share(rows)}


def quantile(km, p):
    # Products of fractions that should be 1 - p exactly differ from it by rounding: it is taken off, so that the
    # definition (the least t with S(t) <= 1 - p) decides and not the last bit.
    level = 1.0 - p + 1e-12
    survival = km.survival_function_
    band = km.confidence_interval_[survival.iloc[:, 0] > 1e-12]
    ends = [None, None]
    for i in (0, 1):
        if len(band):
            ends[i] = number(qth_survival_time(level, band.iloc[:, i]))
    if ends[0] is None and survival.iloc[-1, 0] <= 1e-12:
        ends[0] = number(survival.index[-1])
    return {"p": p, "time": number(qth_survival_time(level, survival.iloc[:, 0])), "low": ends[0], "high": ends[1]}


def share(rows):
    """Clopper and Pearson's interval of the share by the middle time, where nobody is censored."""
    if not all(h for _, h in rows):
        return None
    times = sorted(t for t, _ in rows)
    by = times[len(times) // 2]
    n, hits = len(times), sum(t <= by for t in times)
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(0.975, hits + 1, n - hits))
    return {"by": by, "share": hits / n, "low": low, "high": high}


if __name__ == "__main__":
    seed = int(sys.argv[1])
    print("[")
    print(",\n".join(json.dumps(judged(name, rows)) for name, rows in data(seed)))
    print("]")
