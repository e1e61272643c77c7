//! What a desk says while nothing is open: until when its person is on call, who is next, and when a page last reached
//! them.

use crate::{
    core::{ContactProof, PersonName, RoleName, RolePlan, StepPlan, StepTarget, Timestamp, Zone, proof::ProofKind},
    engine::RuntimeConfig,
};

/// The lines, most important first.
pub fn lines(live: &RuntimeConfig, proofs: &[ContactProof], person: &PersonName, now: Timestamp) -> Vec<String> {
    let zone = live.matrix.people.get(person).map_or_else(Zone::utc, |settings| settings.zone.clone());
    let mut roles: Vec<_> = live.matrix.roles.iter().collect();
    roles.sort_by_key(|(role, _)| role.is_catch_all());
    let roles = roles.into_iter();
    let mut lines: Vec<String> = roles.filter_map(|(role, row)| on_call(live, &zone, role, row, person, now)).collect();
    if lines.is_empty() {
        lines.push("You are on call for nothing now.".to_owned());
    }
    lines.push(proven(proofs, &zone, person));
    lines
}

/// The first step of a role that would page this person now, until when, and who is next.
fn on_call(
    live: &RuntimeConfig,
    zone: &Zone,
    role: &RoleName,
    row: &RolePlan,
    person: &PersonName,
    now: Timestamp,
) -> Option<String> {
    let pages = |step: &StepPlan| live.matrix.roster.resolve(&step.page, now).contains(person);
    let n = row.steps.iter().position(pages)?;
    let called = row.called(role);
    let first = if n == 0 { "first".to_owned() } else { format!("as step {}", n + 1) };
    let targets = &row.steps.get(n)?.page;
    if targets.iter().any(|target| matches!(target, StepTarget::Person(named) if named == person)) {
        return Some(match role.is_catch_all() {
            true => "You are asked, always, when nobody else has answered.".to_owned(),
            false => format!("You are asked {first} for {called}, always."),
        });
    }
    let rotations = targets.iter().filter_map(|target| match target {
        StepTarget::Rotation(name) => live.matrix.roster.rotations.get(name),
        StepTarget::Person(_) => None,
    });
    let rotation = rotations.into_iter().find(|rotation| rotation.on_call(now) == Some(person))?;
    let until = rotation.next_change(now).map_or_else(
        || ", and nobody takes your turn".to_owned(),
        |(at, next)| {
            let next = next.map_or("nobody", |next| live.name_of(next));
            format!(" until {}, then {next}", day(zone, at))
        },
    );
    Some(format!("You are on call for {called}, asked {first}{until}."))
}

fn proven(proofs: &[ContactProof], zone: &Zone, person: &PersonName) -> String {
    let newest = proofs.iter().filter(|proof| proof.person == *person).max_by_key(|proof| proof.at);
    let Some(proof) = newest else {
        return "Nothing has proven yet that a page reaches you: a drill would.".to_owned();
    };
    let how = match proof.how {
        ProofKind::Answered => "you answered",
        ProofKind::Delivered => "it was on your device",
        ProofKind::Shown => "your desk showed it",
    };
    let drill = if proof.drill { " in a drill" } else { "" };
    format!("A page last reached you by {} on {}{drill}: {how}.", proof.channel, day(zone, proof.at))
}

/// `Tue 24 Nov 15:46 CET`.
fn day(zone: &Zone, at: Timestamp) -> String {
    at.to_utc().with_timezone(zone).format("%a %-d %b %H:%M %Z").to_string()
}
