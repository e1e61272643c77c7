"""The referee of src/report/incidence.rs and target.rs: statsmodels, lifelines and SciPy on seeded data with competing
ends. Prints one JSON array. A row is a time and how it ended: 1 it happened, 2 and 3 something else, 0 still waiting.

    python3 -m venv v && v/bin/pip install lifelines==0.30.3 statsmodels==0.15.0
    v/bin/python tests/statistics/incidence.py 2010 >tests/statistics/incidence.json
"""
import json
import math
import random
import sys
import warnings

import numpy as np
from lifelines import AalenJohansenFitter
from scipy.stats import beta
from statsmodels.duration.survfunc import CumIncidenceRight

warnings.filterwarnings("ignore")
QUANTILES = [0.1, 0.5, 0.9]


def data(seed):
    dice = random.Random(seed)
    yield "one event", [(7.0, 1)]
    yield "one that ended otherwise", [(7.0, 2)]
    yield "all ended otherwise", [(float(t), 2) for t in range(1, 9)]
    yield "all at once", [(3.0, 1)] * 4 + [(3.0, 2)] * 2
    yield "all three tied", [(5.0, 1), (5.0, 0), (5.0, 2), (8.0, 0), (9.0, 1)]
    yield "60 closed by their monitor, 40 answered", [(2.0, 1)] * 40 + [(3.0, 2)] * 60
    for n in (2, 3, 5, 8, 13, 40, 150):
        for lost in (0.0, 0.2, 0.6):
            for other in (0.1, 0.5):
                how = lambda: 0 if dice.random() < lost else (1 if other < dice.random() else dice.choice((2, 3)))
                yield f"lognormal n={n} lost={lost} other={other}", [
                    (round(dice.lognormvariate(3.5, 0.9), 6), how()) for _ in range(n)]
                # Whole seconds: many ties.
                yield f"tied n={n} lost={lost} other={other}", [(float(dice.randint(1, 12)), how()) for _ in range(n)]


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def judged(name, rows):
    times, how = np.array([t for t, _ in rows]), np.array([h for _, h in rows])
    case = {"name": name, "rows": rows, "points": [], "quantiles": [], "share": share(rows)}
    if not (how == 1).any():
        return case
    second = CumIncidenceRight(times, how)
    points = {float(t): {"time": float(t), "incidence": number(second.cinc[0][i]), "error": number(second.cinc_se[0][i])}
              for i, t in enumerate(second.times)}
    # lifelines moves tied times about: it is asked where no two are.
    if len(set(times)) == len(times):
        fitter = AalenJohansenFitter().fit(times, how, event_of_interest=1)
        curve, band = fitter.cumulative_density_.iloc[:, 0], fitter.confidence_interval_
        for t, point in points.items():
            point["second"] = number(curve[t])
            # Its columns are called upper and lower the other way round.
            ends = sorted((number(band.loc[t].iloc[0]), number(band.loc[t].iloc[1])), key=lambda end: end or 0.0)
            if 1e-12 < curve[t] < 1 - 1e-12 and None not in ends:
                point["low"], point["high"] = ends
        case["quantiles"] = [quantile(curve, band, p) for p in QUANTILES]
    case["points"] = [points[t] for t in sorted(points)]
    return case


def quantile(curve, band, p):
    inside = (1e-12 < curve) & (curve < 1 - 1e-12)
    ends = np.sort(band[inside].to_numpy(), axis=1)
    at = lambda reached, index: next((number(t) for t, r in zip(index, reached) if r), None)
    times = curve.index[inside]
    finite = np.isfinite(ends).all(axis=1)
    return {"p": p, "time": at(p - 1e-12 <= curve, curve.index),
            "low": min(filter(None.__ne__, [at(finite & (p - 1e-12 <= ends[:, 1]), times),
                                            at(1 - 1e-12 < curve, curve.index)]), default=None),
            "high": at(finite & (p - 1e-12 <= ends[:, 0]), times)}


def share(rows):
    """Clopper and Pearson's interval of the share by the middle time, where nobody is censored."""
    if any(h == 0 for _, h in rows):
        return None
    by = sorted(t for t, _ in rows)[len(rows) // 2]
    n, hits = len(rows), sum(t <= by and h == 1 for t, h in rows)
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(0.975, hits + 1, n - hits))
    return {"by": by, "share": hits / n, "low": low, "high": high}


if __name__ == "__main__":
    seed = int(sys.argv[1])
    print("[")
    print(",\n".join(json.dumps(judged(name, rows)) for name, rows in data(seed)))
    print("]")
