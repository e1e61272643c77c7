//! `[decision]`: impact and likelihood give the tier, and what may shift it.

use crate::{
    core::{
        Timestamp,
        tier::{EscalationTier, TierDecision},
    },
    matrix::expression::{CelExpression, ExpressionScope},
    toml_kit::faults::{LocatedValue, SourceSpan},
};

/// The decision matrix.
#[derive(Debug, Default)]
pub struct DecisionMatrix {
    /// What an incident may do, the least first.
    pub impacts: Vec<String>,
    /// How likely it is real: each name from its number on, the least first.
    pub likelihoods: Vec<(String, f64)>,
    /// The tiers: for each impact one for each likelihood.
    pub tiers: Vec<Vec<EscalationTier>>,
    /// What moves a tier.
    pub shifts: Vec<TierShift>,
}

/// What moves a tier: an occasion, the hours of business, who a customer is.
#[derive(Debug)]
pub struct TierShift {
    /// What people read.
    pub name: String,
    /// By how many tiers.
    pub by: i32,
    /// For which alerts; without it, all.
    pub when: Option<CelExpression>,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// How the tier of a trigger's incidents is decided.
#[derive(Debug)]
pub enum TierRule {
    /// It is always the same.
    Fixed(EscalationTier),
    /// The decision matrix says it.
    Decided {
        /// What an incident may do.
        impact: TierInput,
        /// How likely it is real; without it, by the alert's confidence.
        likelihood: Option<TierInput>,
    },
}

/// Where an impact or a likelihood comes from.
#[derive(Debug)]
pub enum TierInput {
    /// This place among the names.
    Named(usize),
    /// An expression that gives a name, or for likelihoods a number.
    Of(Box<CelExpression>),
}

/// What of an alert decides the tier.
#[derive(Debug, Clone, PartialEq)]
pub struct TierFacts {
    impact: usize,
    likelihood: usize,
    /// The shifts that are about it, if it is their time.
    shifts: Vec<usize>,
    /// What could not be evaluated: it counts as the highest.
    failed: Vec<String>,
}

impl TierRule {
    /// What of this alert decides the tier.
    pub(super) fn facts(&self, matrix: &DecisionMatrix, confidence: f64, scope: &ExpressionScope<'_>) -> TierFacts {
        let Self::Decided { impact, likelihood } = self else {
            return TierFacts { impact: 0, likelihood: 0, shifts: Vec::new(), failed: Vec::new() };
        };
        let mut failed = Vec::new();
        let mut known = |place: Result<usize, String>, highest: usize| {
            place.unwrap_or_else(|why| {
                failed.push(why);
                highest
            })
        };
        let impacts: Vec<&str> = matrix.impacts.iter().map(String::as_str).collect();
        let names: Vec<&str> = matrix.likelihoods.iter().map(|(name, _)| name.as_str()).collect();
        let impact = known(impact.place("impact", &impacts, scope), impacts.len().saturating_sub(1));
        let likelihood = match likelihood {
            None => Ok(matrix.likelihood_of(confidence)),
            Some(TierInput::Of(expression)) => match expression.number(scope) {
                Ok(number) => Ok(matrix.likelihood_of(number)),
                Err(_) => named("likelihood", expression, &names, scope),
            },
            Some(input) => input.place("likelihood", &names, scope),
        };
        let likelihood = known(likelihood, names.len().saturating_sub(1));
        let is_about = |shift: &TierShift| match shift.when.as_ref().map(|when| when.holds(scope)) {
            None | Some(Ok(true)) => true,
            Some(Ok(false)) => false,
            // One that makes it less urgent must be known to be so.
            Some(Err(_)) => 0 < shift.by,
        };
        let shifts = (0..).zip(&matrix.shifts).filter(|(_, shift)| is_about(shift)).map(|(place, _)| place);
        TierFacts { impact, likelihood, shifts: shifts.collect(), failed }
    }

    /// The tier that follows from them at a civil time.
    pub fn decide(&self, matrix: &DecisionMatrix, facts: &TierFacts, civil: Timestamp) -> TierDecision {
        if let Self::Fixed(tier) = *self {
            return TierDecision { tier, impact: None, likelihood: None, because: Vec::new() };
        }
        let tier = matrix.tiers.get(facts.impact).and_then(|row| row.get(facts.likelihood)).copied();
        let shifts = facts.shifts.iter().filter_map(|place| matrix.shifts.get(*place));
        let shifts: Vec<&TierShift> = shifts.filter(|shift| shift.is_at(civil)).collect();
        let by = shifts.iter().map(|shift| shift.by).fold(0, i32::saturating_add);
        let because = shifts.iter().map(|shift| format!("{} ({:+})", shift.name, shift.by));
        TierDecision {
            tier: tier.unwrap_or(EscalationTier::Immediate).shifted(by),
            impact: matrix.impacts.get(facts.impact).cloned(),
            likelihood: matrix.likelihoods.get(facts.likelihood).map(|(name, _)| name.clone()),
            because: facts.failed.iter().cloned().chain(because).collect(),
        }
    }
}

impl TierInput {
    fn place(&self, what: &str, names: &[&str], scope: &ExpressionScope<'_>) -> Result<usize, String> {
        match self {
            Self::Named(place) => Ok(*place),
            Self::Of(expression) => named(what, expression, names, scope),
        }
    }
}

fn named(what: &str, expression: &CelExpression, names: &[&str], scope: &ExpressionScope<'_>) -> Result<usize, String> {
    let highest = "counts as the highest";
    let name = expression.key(scope).map_err(|why| format!("{what} {highest}: {why}"))?;
    let known = names.iter().position(|known| *known == name);
    known.ok_or_else(|| format!("{what} {highest}: {name:?} is none"))
}

impl TierShift {
    fn is_at(&self, civil: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= civil) && self.until.is_none_or(|until| civil < until)
    }
}

impl DecisionMatrix {
    /// The last one that begins at or below this number.
    fn likelihood_of(&self, number: f64) -> usize {
        self.likelihoods.iter().rposition(|(_, from)| *from <= number).unwrap_or_default()
    }
}

/// A trigger's `tier`, or its `impact` and `likelihood`, as they are written.
pub(super) struct TierDraft {
    /// Where it is written.
    pub at: SourceSpan,
    /// The tier, if it is always the same.
    pub fixed: Option<EscalationTier>,
    /// Whether `impact` is written, well or not.
    pub has_impact: bool,
    /// What an incident may do.
    pub impact: Option<TierInputDraft>,
    /// How likely it is real.
    pub likelihood: Option<TierInputDraft>,
}

/// A name of `[decision]`, or an expression.
pub(super) enum TierInputDraft {
    /// A word without anything that an expression has.
    Named(LocatedValue<String>),
    /// Anything else.
    Of(CelExpression),
}

impl TierDraft {
    /// What is evaluated of it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &CelExpression> {
        self.impact.iter().chain(&self.likelihood).filter_map(|input| match input {
            TierInputDraft::Of(expression) => Some(expression),
            TierInputDraft::Named(_) => None,
        })
    }

    /// The rule of a trigger; what is written has no faults.
    pub(super) fn rule(self, decision: &DecisionMatrix) -> TierRule {
        let impacts: Vec<&str> = decision.impacts.iter().map(String::as_str).collect();
        let likelihoods: Vec<&str> = decision.likelihoods.iter().map(|(name, _)| name.as_str()).collect();
        match (self.fixed, self.impact) {
            (None, Some(impact)) => TierRule::Decided {
                impact: impact.input(&impacts),
                likelihood: self.likelihood.map(|likelihood| likelihood.input(&likelihoods)),
            },
            (fixed, _) => TierRule::Fixed(fixed.unwrap_or(EscalationTier::Immediate)),
        }
    }
}

impl TierInputDraft {
    fn input(self, names: &[&str]) -> TierInput {
        match self {
            Self::Of(expression) => TierInput::Of(Box::new(expression)),
            Self::Named(text) => {
                TierInput::Named(names.iter().position(|name| *name == text.value).unwrap_or(names.len()))
            }
        }
    }
}
