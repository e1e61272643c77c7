//! Plans of triggers and roles, to be frozen into incidents.

use crate::{
    channel::settings::ChannelSettings,
    core::{
        ChannelName, EscalationPlan, OpeningHours, Priority, RoleName, RolePlan, TriggerName, Zone,
        plan::{AcceptTimeout, LivingRoom, OnResolved},
    },
    matrix::{
        assessment_use, decision::DecisionMatrix, draft::TriggerDraft, handoff::at_once, tiers::by_tier,
        trigger::Trigger,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// The input for plans.
pub(super) struct PlanBuilder<'a> {
    pub revision: &'a str,
    pub decision: &'a DecisionMatrix,
    pub roles: &'a BTreeMap<RoleName, RolePlan>,
    pub accept_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    pub report_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    pub living: BTreeMap<ChannelName, LivingRoom>,
    /// The time zone of the daemon.
    pub zone: Zone,
}

impl PlanBuilder<'_> {
    pub(super) fn trigger(&self, name: TriggerName, draft: TriggerDraft) -> Trigger {
        let assessments = assessment_use::used(&draft, Some(self.decision));
        let (handoff, hours) = draft.handoff.map(|handoff| (handoff.rules, handoff.hours)).unzip();
        let required: Vec<RoleName> = draft.roles.into_iter().map(|role| role.value.into()).collect();
        let rooms = draft.rooms.into_iter().map(|room| room.value.into()).collect();
        let webhooks = draft.webhooks.into_iter().map(|told| told.value.into()).collect();
        let plan = EscalationPlan {
            webhooks,
            actions: draft.actions,
            ask: draft.ask.or(handoff),
            priority: draft.priority,
            ..self.plan(name.clone(), required.clone(), rooms, draft.resolved.value)
        };
        let catch_all = RoleName::catch_all();
        let failure_plan = self.roles.contains_key(&catch_all).then(|| {
            let plan = self.plan(name, vec![catch_all], Vec::new(), OnResolved::Note);
            Arc::new(EscalationPlan { priority: draft.priority, ..plan })
        });
        let rule = draft.tier.map(|tier| tier.rule(self.decision));
        Trigger {
            tiers: rule.as_ref().map(|_| Arc::new(by_tier(&plan))),
            tier: rule,
            hours: hours.flatten().map(|spans| OpeningHours::new(spans, self.zone.clone())),
            on: draft.on,
            sources: draft.sources.map(|sources| sources.into_iter().map(|source| source.value.into()).collect()),
            when: draft.when.map(|when| when.value),
            threshold: draft.threshold,
            can_be_silenced: draft.can_be_silenced,
            layers: Arc::new(draft.layers.layers),
            value: draft.layers.value,
            witness: draft.layers.witness,
            clear_when: draft.layers.clear_when,
            assessments,
            key: draft.key,
            openings_per_minute: draft.openings_per_minute,
            summary: draft.summary,
            runbook: draft.runbook,
            roles: required,
            plan: Arc::new(at_once(plan)),
            check: draft.check,
            failure_plan,
        }
    }

    pub(super) fn plan(
        &self,
        trigger: TriggerName,
        required: Vec<RoleName>,
        rooms: Vec<ChannelName>,
        on_resolved: OnResolved,
    ) -> EscalationPlan {
        let mut roles = BTreeMap::new();
        let mut wanted = required.clone();
        wanted.push(RoleName::catch_all());
        while let Some(name) = wanted.pop() {
            let Some(role) = self.roles.get(&name).filter(|_| !roles.contains_key(&name)) else { continue };
            wanted.extend(role.next.clone());
            roles.insert(name, role.clone());
        }
        let (matrix, accept_timeout) = (self.revision.to_owned(), self.accept_timeout.clone());
        let living = rooms.iter().filter_map(|room| Some((room.clone(), *self.living.get(room)?))).collect();
        EscalationPlan {
            trigger,
            matrix,
            required,
            roles,
            accept_timeout,
            rooms,
            living,
            webhooks: Vec::new(),
            actions: Vec::new(),
            report_timeout: self.report_timeout.clone(),
            ask: None,
            priority: Priority::default(),
            tier: None,
            raised: None,
            on_resolved,
        }
    }
}

/// The channels whose delivery reports are waited for.
pub(super) fn report_timeouts(channels: &[(ChannelName, ChannelSettings)]) -> BTreeMap<ChannelName, AcceptTimeout> {
    let waited = channels.iter().filter_map(|(name, channel)| Some((name.clone(), channel.report_timeout?)));
    waited.map(|(name, timeout)| (name, AcceptTimeout(timeout))).collect()
}
