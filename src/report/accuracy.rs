//! How often an assessment was right: cases whose answer is known, and what was found of them.
//!
//! Sources. The interval of a share: E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*,
//! JASA 22 (1927) 209-212. Confidences: G. W. Brier, *Verification of Forecasts Expressed in Terms of Probability*, Monthly
//! Weather Review 78 (1950) 1-3; M. P. Naeini et al., *Obtaining Well Calibrated Probabilities Using Bayesian Binning*,
//! AAAI (2015), for the expected calibration error.

use super::survival::{ConfidenceInterval, Z};
use serde::Serialize;

/// Into how many bins of the same width confidences are put.
pub const BINS: usize = 10;

/// One case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownCase {
    /// What is true of it.
    pub truth: CaseTruth,
    /// The place of the level that was found.
    pub found: usize,
    /// How sure the classifier was, if it said so.
    pub confidence: Option<f64>,
}

/// What is known of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseTruth {
    /// The place of its level.
    Level(usize),
    /// Whether it was serious: whether a level should have been reached.
    Serious(bool),
}

/// A share with its interval; both are missing where there is nothing to count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CountedShare {
    /// How many did.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share.
    pub share: Option<f64>,
    /// Wilson's interval of 95 %.
    pub interval: Option<ConfidenceInterval>,
}

/// How well one class was told from the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScore {
    /// The level.
    pub level: String,
    /// Of what was found to be it, how much is.
    pub precision: CountedShare,
    /// Of what is it, how much was found.
    pub recall: CountedShare,
    /// The harmonic mean of both; `None` where nothing is it and nothing was found to be it.
    pub f1: Option<f64>,
}

/// Confidences of about the same size, and how often they were right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Above this; the first bin has 0, too.
    pub above: f64,
    /// Up to this.
    pub up_to: f64,
    /// The mean of its confidences.
    pub confidence: f64,
    /// How often they were right.
    pub right: CountedShare,
}

/// Whether confidences are what they say: of those of 80 %, 80 % should be right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// How many cases have one.
    pub cases: u64,
    /// The expected calibration error.
    pub ece: f64,
    /// Brier's score: the mean square of how far the confidences were off.
    pub brier: f64,
    /// The bins that are not empty.
    pub bins: Vec<ReliabilityBin>,
}

/// Everything about the cases of one assessment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// How many cases were compared.
    pub cases: u64,
    /// The levels, the lowest first.
    pub levels: Vec<String>,
    /// What is true, row by row.
    pub truths: Vec<String>,
    /// How often which level was found (columns) of which truth (rows).
    pub confusion: Vec<Vec<u64>>,
    /// How often the very level was found; of cases that are only serious or not, how often that was.
    pub right: CountedShare,
    /// Of each level; empty where the truth has no levels.
    pub each: Vec<ClassScore>,
    /// Of each level but the lowest, together with all above it.
    pub at_or_above: Vec<ClassScore>,
    /// Whether the confidences are what they say; `None` where there are none.
    pub reliability: Option<Reliability>,
}

/// Wilson's score interval of 95 %.
pub fn wilson(hits: u64, of: u64) -> Option<ConfidenceInterval> {
    if of == 0 {
        return None;
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let square = Z * Z / n;
    let middle = (share + square / 2.0) / (1.0 + square);
    let half = Z / (1.0 + square) * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    // At the very ends rounding must not leave anything.
    let low = if hits == 0 { 0.0 } else { middle - half };
    let high = if hits == of { 1.0 } else { middle + half };
    Some(ConfidenceInterval { low, high })
}

impl CountedShare {
    /// So many of so many.
    pub fn of(hits: u64, of: u64) -> Self {
        let share = (0 < of).then(|| hits as f64 / of as f64);
        Self { hits, of, share, interval: wilson(hits, of) }
    }

    fn count(rights: impl Iterator<Item = bool>) -> Self {
        let (hits, of) = rights.fold((0, 0), |(hits, of), is_right| (hits + u64::from(is_right), of + 1));
        Self::of(hits, of)
    }
}

impl Accuracy {
    /// Of these cases, whose levels are `levels`, the lowest first. What is only known to be serious should reach the level
    /// at the place `serious`.
    pub fn of(levels: &[String], cases: &[KnownCase], serious: usize) -> Self {
        let has_levels = !cases.iter().any(|case| matches!(case.truth, CaseTruth::Serious(_)));
        let truths = if has_levels { levels.to_vec() } else { vec!["false".to_owned(), "true".to_owned()] };
        let mut confusion = vec![vec![0; levels.len()]; truths.len()];
        for case in cases {
            let row = match case.truth {
                CaseTruth::Level(level) => level,
                CaseTruth::Serious(is_serious) => usize::from(is_serious),
            };
            if let Some(cell) = confusion.get_mut(row).and_then(|row| row.get_mut(case.found)) {
                *cell += 1;
            }
        }
        let is_right = |case: &KnownCase| match case.truth {
            CaseTruth::Level(level) => level == case.found,
            CaseTruth::Serious(is_serious) => is_serious == (serious <= case.found),
        };
        let is_level = |truth: CaseTruth, level| truth == CaseTruth::Level(level);
        let reaches = |truth: CaseTruth, level| match truth {
            CaseTruth::Level(truth) => level <= truth,
            CaseTruth::Serious(is_serious) => is_serious,
        };
        let score = |level: usize, of: &dyn Fn(&KnownCase) -> (bool, bool)| score(&levels[level], cases.iter().map(of));
        let each = (0..levels.len()).filter(|_| has_levels);
        Self {
            cases: cases.len() as u64,
            levels: levels.to_vec(),
            truths,
            confusion,
            right: CountedShare::count(cases.iter().map(is_right)),
            each: each.map(|level| score(level, &|case| (is_level(case.truth, level), case.found == level))).collect(),
            at_or_above: (1..levels.len())
                .map(|level| score(level, &|case| (reaches(case.truth, level), level <= case.found)))
                .collect(),
            reliability: reliability(cases.iter().filter_map(|case| Some((case.confidence?, is_right(case))))),
        }
    }
}

/// Each case with whether it is of the class, and whether it was found to be.
fn score(level: &str, cases: impl Iterator<Item = (bool, bool)>) -> ClassScore {
    let (mut both, mut is, mut found) = (0, 0, 0);
    for (is_it, is_found) in cases {
        both += u64::from(is_it && is_found);
        is += u64::from(is_it);
        found += u64::from(is_found);
    }
    let f1 = (0 < is + found).then(|| 2.0 * both as f64 / (is + found) as f64);
    let (precision, recall) = (CountedShare::of(both, found), CountedShare::of(both, is));
    ClassScore { level: level.to_owned(), precision, recall, f1 }
}

/// Each confidence with whether it was right.
pub fn reliability(cases: impl Iterator<Item = (f64, bool)>) -> Option<Reliability> {
    let mut bins: Vec<(f64, u64, u64)> = vec![(0.0, 0, 0); BINS];
    let (mut squares, mut n) = (0.0, 0_u64);
    for (confidence, is_right) in cases {
        // A confidence at the border of two bins is in the lower one.
        let bin = (1..BINS).filter(|border| edge(*border) < confidence).count();
        let (sum, right, all) = &mut bins[bin];
        *sum += confidence;
        *right += u64::from(is_right);
        *all += 1;
        squares += (confidence - f64::from(u8::from(is_right))).powi(2);
        n += 1;
    }
    if n == 0 {
        return None;
    }
    let bins = bins.into_iter().enumerate().filter(|(_, (_, _, all))| 0 < *all).map(|(at, (sum, right, all))| {
        let (above, up_to) = (edge(at), edge(at + 1));
        ReliabilityBin { above, up_to, confidence: sum / all as f64, right: CountedShare::of(right, all) }
    });
    let bins: Vec<ReliabilityBin> = bins.collect();
    let off =
        |bin: &ReliabilityBin| bin.right.of as f64 / n as f64 * (bin.right.share.unwrap_or(0.0) - bin.confidence).abs();
    let ece = bins.iter().map(off).sum();
    Some(Reliability { cases: n, ece, brier: squares / n as f64, bins })
}

fn edge(at: usize) -> f64 {
    if at == BINS { 1.0 } else { at as f64 * (1.0 / BINS as f64) }
}
