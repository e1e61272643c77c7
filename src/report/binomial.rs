//! The exact confidence interval of a share: C. J. Clopper, E. S. Pearson, *The Use of Confidence or Fiducial Limits
//! Illustrated in the Case of the Binomial*, Biometrika 26 (1934) 404-413, in the form with quantiles of the beta
//! distribution.

use super::survival::{CONFIDENCE, ConfidenceInterval};

/// The largest number of terms of the continued fraction; it needs about the square root of the larger parameter.
const TERMS_MAX: u32 = 10_000;

/// How often 0..1 is bisected: more often than a double has binary digits.
const HALVINGS: u32 = 80;

/// The interval at [`CONFIDENCE`] for a share with `hits` of `n`; both may be fractions (an effective sample size).
/// `None` if `n` is 0.
pub fn clopper_pearson(hits: f64, n: f64) -> Option<ConfidenceInterval> {
    if !(0.0 < n && n.is_finite()) {
        return None;
    }
    let hits = hits.clamp(0.0, n);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    // A tiny fraction of a subject counts as none: rounding must not move the ends.
    let few = 1e-9;
    let low = if hits < few { 0.0 } else { beta_quantile(tail, hits, n - hits + 1.0) };
    let high = if n - hits < few { 1.0 } else { beta_quantile(1.0 - tail, hits + 1.0, n - hits) };
    Some(ConfidenceInterval { low, high })
}

/// The point where the beta distribution with these parameters reaches `p`.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if beta_share(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (NIST Handbook of Mathematical
/// Functions, 8.17.22) on the side where that converges fast (8.17.4 converts between the sides).
fn beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || 1.0 <= x {
        return x.clamp(0.0, 1.0);
    }
    if (a + 1.0) / (a + b + 2.0) < x {
        return 1.0 - beta_share_near_zero(1.0 - x, b, a);
    }
    beta_share_near_zero(x, a, b)
}

fn beta_share_near_zero(x: f64, a: f64, b: f64) -> f64 {
    let front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) - a.ln();
    front.exp() / fraction(x, a, b)
}

/// 1 + d1 / (1 + d2 / (1 + ..)), by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let tiny = f64::MIN_POSITIVE.sqrt();
    let off_zero = |value: f64| if value.abs() < tiny { tiny } else { value };
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for term in 1..TERMS_MAX {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 / off_zero(1.0 + numerator * d);
        c = off_zero(1.0 + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function for positive arguments: C. Lanczos, *A Precision Approximation of the Gamma
/// Function*, SIAM J. Numer. Anal. B 1 (1964) 86-96, with g = 7 and nine terms.
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let rest = TERMS.iter().skip(1).zip(1_u32..).map(|(term, i)| term / (x + f64::from(i)));
    let sum = TERMS[0] + rest.sum::<f64>();
    let t = x + G + 0.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}
