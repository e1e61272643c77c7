//! How long something takes, as a distribution with quantiles that values are drawn from.

use serde::Serialize;
use std::time::Duration;

/// A duration that varies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DelayDistribution {
    /// Log-normal through two of its quantiles: half are below `median`, nine out of ten below `p90`.
    LogNormal {
        /// The 50 % quantile.
        median: Duration,
        /// The 90 % quantile; not below the median.
        p90: Duration,
    },
    /// Only these values, all equally likely. Sorted; never empty.
    Measured(Vec<Duration>),
}

/// The standard normal's 90 % quantile.
pub const Z90: f64 = 1.281_551_565_544_600_4;

/// The upper limit of every draw, a year, so that times can be added without overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl DelayDistribution {
    /// Log-normal through these two quantiles.
    pub const fn log_normal(median: Duration, p90: Duration) -> Self {
        Self::LogNormal { median, p90 }
    }

    /// These times, all equally likely; `None` for an empty list.
    pub fn measured(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        (!times.is_empty()).then_some(Self::Measured(times))
    }

    /// The time below which the share `u` (0 to 1, exclusive) of all times lies; at most a year. For the log-normal it
    /// is `median * (p90 / median)^(z(u) / z(0.9))` with the standard normal quantile `z`.
    pub fn quantile(&self, u: f64) -> Duration {
        match self {
            Self::LogNormal { median, p90 } => {
                let (median, p90) = (median.as_secs_f64(), p90.as_secs_f64());
                if median <= 0.0 || p90 <= median {
                    return Duration::from_secs_f64(median);
                }
                let seconds = median * ((p90 / median).ln() * normal_quantile(u) / Z90).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
            }
            Self::Measured(times) => {
                let at = (u * times.len() as f64) as usize;
                times.get(at.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
            }
        }
    }
}

/// The quantile function of the standard normal distribution: algorithm AS 241 (PPND16) of M. J. Wichura, "The
/// percentage points of the normal distribution", Applied Statistics 37 (1988), good to about 16 digits.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * poly(&CENTRE_A, r) / poly(&CENTRE_B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        poly(&MIDDLE_C, r - 1.6) / poly(&MIDDLE_D, r - 1.6)
    } else {
        poly(&FAR_E, r - 5.0) / poly(&FAR_F, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

/// The share of the standard normal distribution above `z`, and its hazard there (the density divided by that share,
/// the inverse of Mills' ratio). Below 3 it uses the series of G. Marsaglia, "Evaluating the normal distribution",
/// Journal of Statistical Software 11 (2004); above that Laplace's continued fraction (M. Abramowitz, I. Stegun,
/// 26.2.14). Accurate to about 13 digits.
pub fn normal_tail(z: f64) -> (f64, f64) {
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z < -8.0 {
        return (1.0, density);
    }
    if z < 3.0 {
        let (mut sum, mut term, mut n) = (z, z, 1.0);
        while 1e-17 * sum.abs() < term.abs() {
            n += 2.0;
            term *= z * z / n;
            sum += term;
        }
        let above = 0.5 - density * sum;
        return (above, density / above);
    }
    let hazard = (1..=FRACTIONS).rev().fold(z, |rest, n| z + f64::from(n) / rest);
    (density / hazard, hazard)
}

/// The number of terms of the continued fraction: at 3 the remainder is below 1e-15.
const FRACTIONS: u32 = 120;

fn poly(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_A: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_B: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_C: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_D: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_E: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_F: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_7e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_quantile_is_that_of_the_tables() {
        // Wichura's own test values, and 97.5 %.
        let known = [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
        ];
        for (p, z) in known {
            assert!((normal_quantile(p) - z).abs() < 1e-14 * z.abs() + 1e-15, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn the_normal_tail_is_the_inverse_of_the_quantile() {
        for z in [-8.5, -6.0, -1.5, -0.1, 0.0, 0.7, 2.9, 2.999_999, 3.0, 3.1, 6.0] {
            let (above, hazard) = normal_tail(z);
            let back = if z < -4.0 { z } else { -normal_quantile(above) };
            assert!((back - z).abs() < 1e-11, "{z}: {above} is at {back}");
            assert!(z.max(0.0) <= hazard && hazard < z.abs() + 1.0, "{z}: {hazard}");
        }
        assert!((normal_tail(1.0).0 - 0.158_655_253_931_457_05).abs() < 1e-15);
        assert!((normal_tail(6.0).0 - 9.865_876_450_376_98e-10).abs() < 1e-22);
    }

    #[test]
    fn a_log_normal_goes_through_its_two_quantiles() {
        let times = DelayDistribution::log_normal(Duration::from_secs(40), Duration::from_secs(120));
        assert_eq!(times.quantile(0.5).as_millis(), 40_000);
        assert!((times.quantile(0.9).as_secs_f64() - 120.0).abs() < 1e-6);
        assert!(times.quantile(1e-9) < times.quantile(1.0 - 1e-9));
    }

    #[test]
    fn measured_times_are_drawn_and_no_others() {
        let times = DelayDistribution::measured([3, 1, 2].map(Duration::from_secs).to_vec()).expect("a distribution");
        let drawn = [0.01, 0.34, 0.99].map(|u| times.quantile(u).as_secs());
        assert_eq!(drawn, [1, 2, 3]);
        assert_eq!(DelayDistribution::measured(Vec::new()), None);
    }
}
