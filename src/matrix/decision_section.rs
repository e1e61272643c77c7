//! Reads `[decision]`, and the keys of triggers that need it.

use crate::{
    core::{Timestamp, tier::EscalationTier},
    matrix::{
        compiled::compiled,
        decision::{DecisionMatrix, TierDraft, TierInputDraft, TierShift},
        draft::MatrixDraft,
        expression::{CelExpression, ExpressionLanguage},
        expression_fault::ExpressionUse,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::MatrixFaults,
        nearest::instead,
    },
};
use std::collections::BTreeMap;

/// The most names of impacts, and of likelihoods.
const NAMES_MAX: usize = 9;

/// The most shifts.
const SHIFTS_MAX: usize = 50;

/// Reads `[decision]`; `text` is the file that contains it.
pub(super) fn read(
    mut table: TomlTable<'_>,
    item: &TomlItem<'_>,
    text: &str,
    language: &ExpressionLanguage,
    faults: &mut MatrixFaults,
) -> Option<DecisionMatrix> {
    let impacts = table.demand("impact", item.at, "impact = [\"low\", \"high\"]", faults);
    let impacts = impacts.and_then(|item| names(&item, faults));
    let likelihoods = table.demand("likelihood", item.at, "likelihood = { unlikely = 0.0, likely = 0.5 }", faults);
    let likelihoods = likelihoods.and_then(|item| numbered(&item, faults));
    let tiers = table.demand("tiers", item.at, "[decision.tiers]\nlow = [\"watch\", \"warm\"]", faults);
    let (impacts, likelihoods) = (impacts?, likelihoods?);
    let tiers = tiers.and_then(|item| rows(&item, &impacts, likelihoods.len(), faults));
    let shifts = table.take("shift").map(|item| shifts(&item, text, language, faults)).unwrap_or_default();
    table.finish(&[], &[], faults);
    Some(DecisionMatrix { impacts, likelihoods, tiers: tiers?, shifts })
}

fn names(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Vec<String>> {
    let names: Vec<String> = item.texts(faults)?.into_iter().map(|name| name.value).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    if names.len() < 2 || NAMES_MAX < names.len() || sorted.len() < names.len() {
        let message = format!("`{}` has 2 to {NAMES_MAX} different names, the least first", item.key);
        return faults.refuse("count-out-of-range", item.at, message, "impact = [\"low\", \"medium\", \"high\"]");
    }
    Some(names)
}

fn numbered(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Vec<(String, f64)>> {
    let mut table = item.table("`likelihood`".into(), faults)?;
    let read = table.take_all().into_iter().map(|entry| Some((entry.key.to_owned(), entry.number(faults)?)));
    let mut all = read.collect::<Option<Vec<(String, f64)>>>()?;
    all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let is_good = all.iter().all(|(_, number)| (0.0..=1.0).contains(number));
    let differs = all.windows(2).all(|two| two[0].1 < two[1].1);
    if all.len() < 2
        || NAMES_MAX < all.len()
        || !is_good
        || !differs
        || all.first().is_some_and(|(_, least)| *least != 0.0)
    {
        let message = format!("`likelihood` has 2 to {NAMES_MAX} names, each from another number on, from 0 to 1");
        let help = "likelihood = { unlikely = 0.0, likely = 0.5, certain = 0.9 }: the first begins at 0";
        return faults.refuse("bad-likelihood", item.at, message, help);
    }
    Some(all)
}

fn rows(
    item: &TomlItem<'_>,
    impacts: &[String],
    columns: usize,
    faults: &mut MatrixFaults,
) -> Option<Vec<Vec<EscalationTier>>> {
    let mut table = item.table("`tiers`".into(), faults)?;
    let example = "high = [\"warm\", \"immediate\"]: one for each likelihood, the least first";
    let mut found = BTreeMap::new();
    for entry in table.take_all() {
        if !impacts.iter().any(|impact| impact == entry.key) {
            let message = format!("`{}` is no impact", entry.key);
            let help = instead(entry.key, impacts.iter().map(String::as_str));
            faults.error("unknown-key", entry.key_at, message, help);
            continue;
        }
        let row =
            entry.list(faults).and_then(|list| list.iter().map(|item| tier(item, faults)).collect::<Option<Vec<_>>>());
        if let Some(row) = row.as_ref().filter(|row| row.len() != columns) {
            let message = format!("`{}` has {} tiers, and there are {columns} likelihoods", entry.key, row.len());
            faults.error("count-out-of-range", entry.at, message, example);
        }
        found.insert(entry.key, row.filter(|row| row.len() == columns));
    }
    let rows = impacts.iter().map(|impact| {
        let row = found.remove(impact.as_str());
        if row.is_none() {
            faults.error("missing-key", item.at, format!("`tiers` has no `{impact}`"), example);
        }
        row.flatten()
    });
    let rows = rows.collect::<Option<Vec<_>>>()?;
    let falls =
        |less: &[EscalationTier], more: &[EscalationTier]| less.iter().zip(more).any(|(less, more)| more < less);
    let along = rows.iter().any(|row| row.windows(2).any(|two| two[1] < two[0]));
    if along || rows.windows(2).any(|two| falls(&two[0], &two[1])) {
        let help = "with more impact or more likelihood the tier stays or rises";
        return faults.refuse("tier-falls", item.at, "a higher impact or likelihood has a lower tier", help);
    }
    Some(rows)
}

pub(super) fn tier(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<EscalationTier> {
    let text = item.text(faults)?;
    let known = EscalationTier::ALL.into_iter().find(|tier| tier.as_str() == text.value);
    if known.is_none() {
        let all = EscalationTier::ALL.iter().map(|tier| tier.as_str());
        let message = format!("{:?} is no tier", text.value);
        return faults.refuse("unknown-word", text.at, message, instead(text.value, all));
    }
    known
}

fn shifts(item: &TomlItem<'_>, text: &str, language: &ExpressionLanguage, faults: &mut MatrixFaults) -> Vec<TierShift> {
    let list = item.list(faults).unwrap_or_default();
    if SHIFTS_MAX < list.len() {
        let message = format!("there are more than {SHIFTS_MAX} shifts");
        faults.error("count-out-of-range", item.at, message, "put occasions that are alike together");
    }
    let read = |item: TomlItem<'_>| {
        let (mut table, at) = (item.table("a shift".into(), faults)?, item.at);
        let name = table.demand("name", at, "name = \"earnings week\"", faults);
        let name = name.and_then(|item| item.text(faults).map(|text| text.value.to_owned()));
        let by = table.demand("by", at, "by = 1", faults).and_then(|item| by(&item, faults));
        let condition = |text: &str| language.compile(text, ExpressionUse::Condition);
        let when = table.take("when").map(|item| compiled(&item, text, faults, condition));
        let from = table.take("from").map(|item| time(&item, faults));
        let until = table.take("until").map(|item| time(&item, faults));
        table.finish(&[], &[], faults);
        let optional = |time: Option<Option<Timestamp>>| time.map_or(Some(None), |time| time.map(Some));
        let (from, until) = (optional(from)?, optional(until)?);
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return faults.refuse("bad-time", at, "a shift ends before it begins", "let `until` be after `from`");
        }
        let when = when.map_or(Some(None), |when| when.map(Some))?;
        Some(TierShift { name: name?, by: by?, when, from, until })
    };
    list.into_iter().filter_map(read).collect()
}

fn time(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Timestamp> {
    let text = item.date("write 2026-12-07T09:00:00Z", faults)?;
    Timestamp::parse(&text).or_else(|| {
        let message = format!("{text:?} is not a date and time with its offset");
        faults.refuse("bad-time", item.at, message, "write 2026-12-07T09:00:00Z")
    })
}

fn by(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<i32> {
    let by = item.number(faults)?;
    let known = [-2, -1, 1, 2].into_iter().find(|known| f64::from(*known) == by);
    if known.is_none() {
        return faults.refuse("count-out-of-range", item.at, "`by` is 1, 2, -1 or -2", "by = 1: one tier more urgent");
    }
    known
}

/// Reads a trigger's keys; `scalar` compiles an expression.
pub(super) fn of_trigger(
    table: &mut TomlTable<'_>,
    scalar: &impl Fn(&TomlItem<'_>, &mut MatrixFaults) -> Option<CelExpression>,
    faults: &mut MatrixFaults,
) -> Option<TierDraft> {
    let (fixed, impact, likelihood) = (table.take("tier"), table.take("impact"), table.take("likelihood"));
    let at = fixed.as_ref().or(impact.as_ref()).or(likelihood.as_ref())?.key_at;
    let input = |item: &TomlItem<'_>, faults: &mut MatrixFaults| {
        let text = item.lines(faults)?;
        if text.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ')) {
            return Some(TierInputDraft::Named(text.owned()));
        }
        scalar(item, faults).map(TierInputDraft::Of)
    };
    if fixed.is_some() && (impact.is_some() || likelihood.is_some()) {
        faults.error("two-tiers", at, "a trigger has `tier`, or `impact` and `likelihood`", "remove one of them");
    }
    let fixed = fixed.map(|item| tier(&item, faults));
    let fixed = fixed.map_or(Some(None), |tier| tier.map(Some))?;
    let has_impact = impact.is_some();
    let impact = impact.and_then(|item| input(&item, faults));
    Some(TierDraft { at, fixed, has_impact, impact, likelihood: likelihood.and_then(|item| input(&item, faults)) })
}

/// What is written in a trigger fits what is written in `[decision]`.
pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    let decision = draft.decision.as_ref().and_then(|decision| decision.value.as_ref());
    let mut is_used = false;
    for trigger in draft.triggers.values().filter_map(|placed| placed.value.as_ref()) {
        let Some(tier) = &trigger.tier else { continue };
        if trigger.ask.is_some() || trigger.handoff.is_some() {
            let help = "who asks waits for an answer: `handoff` has a tier of its own, and `ask` a deadline";
            faults.error(
                "tier-of-request",
                tier.at,
                "a trigger with `ask` or `handoff` has no tier of incidents",
                help,
            );
        }
        if tier.fixed.is_some() {
            continue;
        }
        is_used = true;
        let Some(decision) = decision else {
            if draft.decision.is_none() {
                let help = "add [decision] with `impact`, `likelihood` and `tiers`, or write `tier = \"warm\"`";
                faults.error("no-decision", tier.at, "`impact` and `likelihood` need a `[decision]`", help);
            }
            continue;
        };
        if !tier.has_impact {
            faults.error("missing-key", tier.at, "`likelihood` needs `impact`", "impact = \"high\"");
        }
        let impacts = decision.impacts.iter().map(String::as_str);
        let likelihoods = decision.likelihoods.iter().map(|(name, _)| name.as_str());
        known("impact", tier.impact.as_ref(), &impacts.collect::<Vec<_>>(), faults);
        known("likelihood", tier.likelihood.as_ref(), &likelihoods.collect::<Vec<_>>(), faults);
    }
    if let Some(decision) = draft.decision.as_ref().filter(|_| !is_used) {
        let help = "give a trigger an `impact`, or remove it";
        faults.warning("unused", decision.at, "no trigger uses `[decision]`", help);
    }
}

fn known(what: &str, input: Option<&TierInputDraft>, names: &[&str], faults: &mut MatrixFaults) {
    if let Some(TierInputDraft::Named(text)) = input
        && !names.contains(&text.value.as_str())
    {
        let message = format!("{:?} is no {what} of `[decision]`", text.value);
        faults.error("unknown-name", text.at, message, instead(&text.value, names.iter().copied()));
    }
}
