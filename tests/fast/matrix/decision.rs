//! `[decision]`, and the keys of triggers that need it.

use super::{file, parse};
use stentor::core::{Alert, Timestamp, tier::EscalationTier};

const GOOD: &str = r#"
[decision]
impact = ["low", "high"]
likelihood = { unlikely = 0.0, likely = 0.5 }

[decision.tiers]
low = ["watch", "warm"]
high = ["warm", "immediate"]

[[decision.shift]]
name = "earnings week"
when = 'alert.labels.symbol == "ACME"'
from = 2026-12-07T00:00:00Z
until = 2026-12-12T00:00:00Z
by = 1

[trigger.t]
on = ["x"]
roles = ["trader"]
impact = 'alert.labels.impact'
likelihood = "likely"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "60s" }]

[person.ana]
name = "Ana"

[channel.desk]
kind = "screen"

[catch-all]
page = ["ana"]
by = ["desk"]
"#;

#[test]
fn a_decision_matrix_is_read_with_every_fault_at_its_place() {
    for (from, to, codes) in [
        ("by = 1", "by = -2", &[][..]),
        ("by = 1", "by = 3", &["count-out-of-range"]),
        ("by = 1", "", &["missing-key"]),
        ("until = 2026-12-12", "until = 2026-12-01", &["bad-time"]),
        ("from = 2026-12-07T00:00:00Z", "from = \"soon\"", &["bad-time"]),
        ("[\"low\", \"high\"]", "[\"low\"]", &["count-out-of-range"]),
        ("[\"low\", \"high\"]", "[\"low\", \"low\"]", &["count-out-of-range", "twice-in-list"]),
        ("likely = 0.5", "likely = 1.5", &["bad-likelihood"]),
        ("unlikely = 0.0", "unlikely = 0.1", &["bad-likelihood"]),
        ("likely = 0.5 }", "likely = 0.0 }", &["bad-likelihood"]),
        ("low = [\"watch\", \"warm\"]", "low = [\"watch\"]", &["count-out-of-range"]),
        ("low = [\"watch\", \"warm\"]", "low = [\"watch\", \"hot\"]", &["unknown-word"]),
        ("low = [\"watch\", \"warm\"]", "low = [\"warm\", \"watch\"]", &["tier-falls"]),
        ("low = [\"watch\", \"warm\"]", "low = [\"immediate\", \"immediate\"]", &["tier-falls"]),
        ("low = [\"watch\", \"warm\"]", "lo = [\"watch\", \"warm\"]", &["missing-key", "unknown-key"]),
        ("likelihood = \"likely\"", "likelihood = \"certain\"", &["unknown-name"]),
        ("impact = 'alert.labels.impact'", "impact = \"huge\"", &["unknown-name"]),
        ("impact = 'alert.labels.impact'", "impact = 'alert.label.impact'", &["unknown-field"]),
        ("impact = 'alert.labels.impact'", "", &["missing-key"]),
        ("likelihood = \"likely\"", "tier = \"warm\"", &["two-tiers", "unused"]),
        ("roles = [\"trader\"]", "roles = [\"trader\"]\nask = { after = \"10m\" }", &["tier-of-request"]),
        ("impact = 'alert.labels.impact'\nlikelihood = \"likely\"", "tier = \"cold\"", &["unknown-word", "unused"]),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let parsed = parse(&[file("m.toml", &GOOD.replace(from, to))]);
        let mut found: Vec<&str> = parsed.diagnostics.iter().map(|fault| fault.code).collect();
        found.sort_unstable();
        assert_eq!(found, codes, "{from} => {to}: {:#?}", parsed.diagnostics);
    }
}

/// What an alert was received with counts, also after a wait: its classifier is not asked again, and what it said is not
/// forgotten.
#[test]
fn the_tier_of_what_has_waited_is_that_of_its_assessment() {
    let assessed = GOOD.replace("impact = 'alert.labels.impact'", "impact = 'risk.drift.level'")
        + "\n[assessment.drift]\nlevels = { high = 5.0 }\n\n[assessment.drift.words.en]\n\"way off\" = 6\n";
    let parsed = parse(&[file("m.toml", &assessed)]);
    let matrix = parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let mut alert = matrix.assessed(&Alert::new("m", "x"));
    let tier = |alert: &Alert| {
        let facts = matrix.tier_facts(&"t".into(), alert);
        matrix.tier(&"t".into(), facts.as_ref(), Timestamp::default()).map(|decision| decision.tier)
    };
    assert_eq!(tier(&alert), Some(EscalationTier::Warm));
    alert.assessed.get_mut("drift").unwrap().level = "high".into();
    assert_eq!(tier(&alert), Some(EscalationTier::Immediate), "as its classifier had said");
    alert.assessed.clear();
    assert_eq!(tier(&alert), Some(EscalationTier::Immediate), "what is not known counts as the highest");
}
