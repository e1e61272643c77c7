//! Makes the matrix from a draft without faults, and computes every plan in advance.

use crate::{
    channel::{contact::ContactField, kind::ChannelKind, settings::ChannelSettings},
    core::{
        AnswerLevel, ChannelName, PersonName, RoleName, RolePlan, Roster, Rotation, SourceName, StepPlan, StepTarget,
        Timestamp, TriggerName, oncall::RotationOverride, plan::AcceptTimeout,
    },
    matrix::{
        draft::{MatrixDraft, NamedItems, ROTATION, RoleDraft, RotationDraft, StepDraft},
        expression::ExpressionLanguage,
        model::{KnownNames, Matrix},
        plans::{PlanBuilder, report_timeouts},
        settings::{People, Person},
        trigger::Trigger,
    },
    toml_kit::faults::LocatedValue,
};
use std::collections::{BTreeMap, BTreeSet};

/// The template for roles without their own.
const DEFAULT_TEMPLATE: &str = "default";

pub(super) fn assemble(
    draft: MatrixDraft,
    language: ExpressionLanguage,
    revision: String,
    known: &KnownNames<'_>,
    as_of: Timestamp,
) -> Matrix {
    let channels = in_order(draft.channels);
    let daemon = draft.daemon.map(|daemon| daemon.value).unwrap_or_default();
    let shared_zone = daemon.zone();
    let people: People = whole(draft.people)
        .map(|(name, LocatedValue { value, .. })| {
            let zone = value.zone.unwrap_or_else(|| shared_zone.clone());
            (PersonName::from(name), Person { zone, ..value.person })
        })
        .collect();
    let mut roles: BTreeMap<RoleName, RolePlan> =
        whole(draft.roles).map(|(name, role)| (name.as_str().into(), role_plan(&name, role.value, known))).collect();
    if let Some(step) = draft.catch_all.and_then(|catch_all| catch_all.value) {
        roles.insert(RoleName::catch_all(), catch_all_plan(step, known));
    }
    let roster = roster(&channels, &contact_channels(&channels, &roles), &people, draft.rotations, as_of);
    let accept_timeout =
        channels.iter().map(|(name, channel)| (name.clone(), AcceptTimeout(channel.accept_timeout))).collect();
    let report_timeout = report_timeouts(&channels);
    let living = channels.iter().filter_map(|(name, channel)| Some((name.clone(), channel.living_room()?))).collect();
    let windows = whole(draft.maintenance).map(|(name, window)| window.value.window(name, &shared_zone));
    let maintenance = windows.collect();
    let zone = shared_zone;
    let decision = draft.decision.and_then(|decision| decision.value).unwrap_or_default();
    let plans = PlanBuilder {
        decision: &decision,
        revision: &revision,
        roles: &roles,
        accept_timeout,
        report_timeout,
        living,
        zone,
    };
    let triggers: BTreeMap<TriggerName, Trigger> = whole(draft.triggers)
        .map(|(name, trigger)| {
            let name = TriggerName::from(name);
            (name.clone(), plans.trigger(name, trigger.value))
        })
        .collect();
    let mut by_kind: BTreeMap<String, Vec<TriggerName>> = BTreeMap::new();
    for (name, trigger) in &triggers {
        trigger.on.iter().for_each(|kind| by_kind.entry(kind.clone()).or_default().push(name.clone()));
    }
    Matrix {
        revision,
        daemon,
        sources: whole(draft.sources).map(|(name, source)| (SourceName::from(name), source.value)).collect(),
        channels,
        people,
        roster,
        roles,
        maintenance,
        assessments: whole(draft.assessments).map(|(name, own)| (name, own.value)).collect(),
        decision,
        triggers,
        by_kind,
        zones: language.zones.clone(),
        language,
    }
}

/// The items that could be read; without faults these are all.
fn whole<T>(named: NamedItems<T>) -> impl Iterator<Item = (String, LocatedValue<T>)> {
    named.into_iter().filter_map(|(name, placed)| Some((name, LocatedValue { value: placed.value?, at: placed.at })))
}

fn in_order(channels: NamedItems<ChannelSettings>) -> Vec<(ChannelName, ChannelSettings)> {
    let mut placed: Vec<_> = whole(channels).collect();
    placed.sort_by_key(|(_, channel)| channel.at);
    placed.into_iter().map(|(name, channel)| (ChannelName::from(name), channel.value)).collect()
}

/// The channels that reach people, in the matrix's order. A channel that others can also read comes last, and only if a
/// step names it: it is never used for failover.
fn contact_channels<'a>(
    channels: &'a [(ChannelName, ChannelSettings)],
    roles: &BTreeMap<RoleName, RolePlan>,
) -> Vec<(&'a ChannelName, Option<ContactField>)> {
    let named: BTreeSet<&ChannelName> = roles.values().flat_map(|role| &role.steps).flat_map(|step| &step.by).collect();
    let reach = channels.iter().filter(|(_, channel)| channel.reaches_people());
    let (shared, own): (Vec<_>, Vec<_>) = reach.partition(|(_, channel)| channel.is_shared());
    let shared = shared.into_iter().filter(|(name, _)| named.contains(name));
    own.into_iter().chain(shared).map(|(name, channel)| (name, channel.needs())).collect()
}

fn roster(
    channels: &[(ChannelName, ChannelSettings)],
    contact_channels: &[(&ChannelName, Option<ContactField>)],
    people: &People,
    rotations: NamedItems<RotationDraft>,
    as_of: Timestamp,
) -> Roster {
    let reach = people.iter().map(|(name, person)| {
        let reaches = contact_channels.iter().filter(|(_, needs)| person.has(*needs));
        (name.clone(), reaches.map(|(name, _)| (*name).clone()).collect())
    });
    let rotations = whole(rotations).filter_map(|(name, draft)| Some((name.into(), rotation(draft.value, as_of)?)));
    let screens = channels.iter().filter(|(_, channel)| channel.kind() == ChannelKind::SCREEN);
    let screens = screens.map(|(name, _)| name.clone()).collect();
    let names = people.iter().map(|(name, person)| (name.clone(), person.name.clone()));
    Roster { names: names.collect(), reach: reach.collect(), rotations: rotations.collect(), screens }
}

fn rotation(draft: RotationDraft, as_of: Timestamp) -> Option<Rotation> {
    let people = draft.people.into_iter().map(|person| person.value.into()).collect();
    let overrides = draft.overrides.into_iter().map(|over| RotationOverride {
        person: over.person.value.into(),
        from: over.from,
        until: over.until,
    });
    let rotation = Rotation::new(people, draft.handoff?.value, draft.zone, overrides.collect(), as_of);
    Some(rotation.with_turns_of(draft.turn))
}

fn role_plan(name: &str, draft: RoleDraft, known: &KnownNames<'_>) -> RolePlan {
    let (template, template_revision) = template(draft.template.map(|template| template.value), name, known);
    RolePlan {
        name: draft.name,
        engaged_by: draft.engaged_by,
        target: draft.target.map(|target| target.value),
        template,
        template_revision,
        steps: draft.steps.into_iter().map(step_plan).collect(),
        next: draft.next.map(|next| next.value.into()),
    }
}

fn catch_all_plan(step: StepDraft, known: &KnownNames<'_>) -> RolePlan {
    let (template, template_revision) = template(None, RoleName::catch_all().as_str(), known);
    RolePlan {
        name: None,
        engaged_by: AnswerLevel::Wilco,
        target: None,
        template,
        template_revision,
        steps: vec![step_plan(step)],
        next: None,
    }
}

/// The named template, or else the one with the role's name, or else the default one; and its revision.
fn template(named: Option<String>, role: &str, known: &KnownNames<'_>) -> (String, String) {
    let own = known.templates.contains_key(role).then(|| role.to_owned());
    let name = named.or(own).unwrap_or_else(|| DEFAULT_TEMPLATE.to_owned());
    let revision = known.templates.get(&name).cloned().unwrap_or_default();
    (name, revision)
}

fn step_plan(draft: StepDraft) -> StepPlan {
    let whom = |entry: LocatedValue<String>| match entry.value.strip_prefix(ROTATION) {
        Some(rotation) => StepTarget::Rotation(rotation.into()),
        None => StepTarget::Person(entry.value.into()),
    };
    StepPlan {
        page: draft.page.into_iter().map(whom).collect(),
        by: draft.by.into_iter().map(|channel| channel.value.into()).collect(),
        // Only a draft without faults gets here.
        wait: draft.wait.unwrap_or_default(),
        repeat: draft.repeat,
    }
}
