"""The referee of Clopper and Pearson's interval, of the normal distribution and of log-normal quantiles: statsmodels and SciPy.

    python3 -m venv v && v/bin/pip install statsmodels==0.15.0
    v/bin/python tests/statistics/shares.py 2010 >tests/statistics/shares.json
"""
import json
import random
import sys

import numpy as np
from scipy.stats import lognorm, norm
from statsmodels.stats.proportion import proportion_confint

Z90 = norm.ppf(0.9)


def exact(dice):
    shares = [(0, 1), (1, 1), (0, 60), (60, 60), (9_999, 10_000)]
    for n in (2, 3, 10, 59, 1_000, 10_000, 1_000_000):
        shares += [(dice.randint(0, n), n) for _ in range(8)]
    for hits, of in shares:
        low, high = proportion_confint(hits, of, alpha=0.05, method="beta")
        # SciPy's quantiles have no number at the very ends.
        low, high = 0.0 if hits == 0 else float(low), 1.0 if hits == of else float(high)
        yield {"hits": hits, "of": of, "low": low, "high": high}


def quantiles(dice):
    for _ in range(40):
        median = round(dice.uniform(0.05, 900.0), 3)
        p90 = round(median * dice.uniform(1.05, 8.0), 3)
        spread = np.log(p90 / median) / Z90
        for u in (1e-6, 0.01, 0.5, dice.random(), 0.9, 0.99, 1 - 1e-6):
            time = float(lognorm.ppf(u, spread, scale=median))
            yield {"median": median, "p90": p90, "u": u, "time": time}


def tails(dice):
    for z in [-8.5, -8.0, -3.0, 0.0, 2.9999, 3.0, 8.0, 30.0] + [dice.uniform(-9, 9) for _ in range(60)]:
        above, log_above = float(norm.sf(z)), float(norm.logsf(z))
        yield {"z": z, "above": above, "hazard": float(np.exp(norm.logpdf(z) - log_above))}


if __name__ == "__main__":
    dice = random.Random(int(sys.argv[1]))
    print(json.dumps({"exact": list(exact(dice)), "quantiles": list(quantiles(dice)), "tails": list(tails(dice))}))
