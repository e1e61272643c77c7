//! `stentor explain --tiers`: the decision matrix as a grid, with the triggers in their cells.

use crate::{
    cli::table::{say, table},
    matrix::{DecisionMatrix, Matrix, TierInput, TierRule},
};
use serde_json::{Value, json};

/// Prints the grid, what shifts a tier, and which triggers have one.
pub(super) fn print(matrix: &Matrix) {
    let decision = &matrix.decision;
    if decision.impacts.is_empty() {
        say("The matrix has no [decision].");
    } else {
        grid(matrix, decision);
    }
    let mut rules = table(&["trigger", "impact", "likelihood", "tier"]);
    for (name, trigger) in &matrix.triggers {
        let Some(rule) = &trigger.tier else { continue };
        let cells = match rule {
            TierRule::Fixed(tier) => ["-".to_owned(), "-".to_owned(), tier.to_string()],
            TierRule::Decided { impact, likelihood } => {
                let row = named(impact, decision.impacts.iter().map(String::as_str));
                let column = likelihood.as_ref().map_or("alert.confidence".to_owned(), |likelihood| {
                    named(likelihood, decision.likelihoods.iter().map(|(name, _)| name.as_str()))
                });
                [row, column, "by the grid".to_owned()]
            }
        };
        rules.add_row([name.to_string()].into_iter().chain(cells));
    }
    say(&format!("\n{rules}"));
    let without: Vec<&str> =
        matrix.triggers.iter().filter(|(_, trigger)| trigger.tier.is_none()).map(|(name, _)| name.as_str()).collect();
    if !without.is_empty() {
        say(&format!("\nWithout a tier, every role by its ladder: {}", without.join(", ")));
    }
    for shift in &decision.shifts {
        let when = shift.when.as_ref().map_or(String::new(), |when| format!(" when {}", when.text()));
        let from = shift.from.map_or(String::new(), |from| format!(" from {from}"));
        let until = shift.until.map_or(String::new(), |until| format!(" until {until}"));
        say(&format!("{:+} tier: {}{when}{from}{until}", shift.by, shift.name));
    }
}

/// The highest impact is on top, and the highest likelihood on the right, as risk matrices are drawn.
fn grid(matrix: &Matrix, decision: &DecisionMatrix) {
    let likelihoods = decision.likelihoods.iter().map(|(name, from)| format!("{name}\nfrom {from}"));
    let heads: Vec<String> = ["impact".to_owned()].into_iter().chain(likelihoods).collect();
    let mut grid = table(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for (row, impact) in decision.impacts.iter().enumerate().rev() {
        let tiers = decision.tiers.get(row).into_iter().flatten().enumerate();
        let cells = tiers.map(|(column, tier)| {
            let inside = matrix.triggers.iter().filter(|(_, trigger)| is_in(trigger.tier.as_ref(), row, column));
            let inside: Vec<&str> = inside.map(|(name, _)| name.as_str()).collect();
            [tier.as_str()].into_iter().chain(inside).collect::<Vec<_>>().join("\n")
        });
        grid.add_row([impact.clone()].into_iter().chain(cells));
    }
    say(&grid.to_string());
}

/// Whether incidents of this rule can be in this cell, before anything shifts them: where impact or likelihood comes from
/// the alert, in each cell of the row or column.
fn is_in(rule: Option<&TierRule>, row: usize, column: usize) -> bool {
    let Some(TierRule::Decided { impact: TierInput::Named(own), likelihood }) = rule else { return false };
    let fits = match likelihood {
        Some(TierInput::Named(likelihood)) => *likelihood == column,
        Some(TierInput::Of(_)) | None => true,
    };
    *own == row && fits
}

fn named<'a>(input: &TierInput, mut names: impl Iterator<Item = &'a str>) -> String {
    match input {
        TierInput::Named(place) => names.nth(*place).unwrap_or("-").to_owned(),
        TierInput::Of(expression) => expression.text().to_owned(),
    }
}

/// The same for programs.
pub(super) fn json(matrix: &Matrix) -> Value {
    let decision = &matrix.decision;
    let impacts = || decision.impacts.iter().map(String::as_str);
    let likelihoods = || decision.likelihoods.iter().map(|(name, _)| name.as_str());
    let triggers = matrix.triggers.iter().filter_map(|(name, trigger)| {
        let rule = match trigger.tier.as_ref()? {
            TierRule::Fixed(tier) => json!({ "trigger": name, "tier": tier }),
            TierRule::Decided { impact, likelihood } => json!({
                "trigger": name,
                "impact": named(impact, impacts()),
                "likelihood": likelihood.as_ref().map(|likelihood| named(likelihood, likelihoods())),
            }),
        };
        Some(rule)
    });
    let shifts = decision.shifts.iter().map(|shift| {
        let when = shift.when.as_ref().map(|when| when.text());
        json!({ "name": shift.name, "by": shift.by, "when": when, "from": shift.from, "until": shift.until })
    });
    json!({
        "impacts": decision.impacts,
        "likelihoods": decision.likelihoods.iter().map(|(name, from)| json!({ "name": name, "from": from })).collect::<Vec<_>>(),
        "tiers": decision.tiers,
        "shifts": shifts.collect::<Vec<_>>(),
        "triggers": triggers.collect::<Vec<_>>(),
    })
}
