//! The matrix in the form that the rest of Stentor uses: what happens for each alert, and how people are reached.

use crate::{
    channel::contact::ContactField,
    channel::kind::ChannelConfig,
    channel::settings::ChannelSettings,
    core::{
        ChannelName, EscalationPlan, PersonName, RoleName, RolePlan, Roster, SourceName, Timestamp, TriggerName, Zone,
        Zones,
        maintenance::MaintenanceWindow,
        names::{BY_HAND, SELF},
        plan::{AcceptTimeout, OnResolved},
        printable::excerpt,
        tier::TierDecision,
    },
    matrix::{
        assessment::{AssessmentSettings, ClassifierSettings},
        body_map::{BodyMap, MappedBody},
        decision::{DecisionMatrix, TierFacts},
        expression::ExpressionLanguage,
        plans::{PlanBuilder, report_timeouts},
        settings::{DaemonSettings, People, Person, Sources},
        trigger::Trigger,
    },
    toml_kit::{
        diagnostic::Diagnostic,
        nearest,
        secret::{SecretAddress, SecretRef},
    },
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The most characters of a kind that are told back to the one who wrote it.
const KIND_SHOWN: usize = 80;

/// The matrix: what happens for each alert, and how people are reached.
pub struct Matrix {
    /// The first twelve hexadecimal digits of the SHA-256 over all files, by name and content.
    pub revision: String,
    /// Settings of the daemon.
    pub daemon: DaemonSettings,
    /// The sources that may post alerts.
    pub sources: Sources,
    /// The channels, in the order in which they are written.
    pub channels: Vec<(ChannelName, ChannelSettings)>,
    /// The responders.
    pub people: People,
    /// The same people in the form that ladders need.
    pub roster: Roster,
    /// Every role, including the catch-all.
    pub roles: BTreeMap<RoleName, RolePlan>,
    /// The silences that come again.
    pub maintenance: Vec<MaintenanceWindow>,
    /// The assessments, by name.
    pub assessments: BTreeMap<String, AssessmentSettings>,
    /// What gives a tier to incidents.
    pub decision: DecisionMatrix,
    /// The rules that turn alerts into incidents.
    pub triggers: BTreeMap<TriggerName, Trigger>,
    /// The time zones that it was read with.
    pub zones: Arc<Zones>,
    pub(super) by_kind: BTreeMap<String, Vec<TriggerName>>,
    pub(super) language: ExpressionLanguage,
}

/// The names outside the matrix that it may refer to.
#[derive(Debug, Clone, Copy)]
pub struct KnownNames<'a> {
    /// Templates by name, with their revisions.
    pub templates: &'a BTreeMap<String, String>,
}

/// The result of reading a matrix.
#[derive(Debug)]
pub struct ParsedMatrix {
    /// The matrix; `None` if there is any error.
    pub matrix: Option<Matrix>,
    /// Every fault, in the order of the files and their lines.
    pub diagnostics: Vec<Diagnostic>,
}

impl Matrix {
    /// The alerts of a body, as the mapping of its source makes them. It costs at most `most` units of
    /// [`CostMeter`](crate::matrix::CostMeter), and `each` besides.
    pub fn map_body(&self, map: &BodyMap, body: &serde_json::Value, most: u64) -> MappedBody {
        map.apply(&self.language, body, most)
    }

    /// The same of items that were read by themselves, `around` them what is left of the body.
    pub fn map_items(
        &self,
        map: &BodyMap,
        around: &serde_json::Value,
        items: Vec<Result<serde_json::Value, String>>,
        most: u64,
    ) -> MappedBody {
        map.each(&self.language, around, items, most)
    }

    /// The plan of a trigger, to be frozen into an incident.
    pub fn plan(&self, trigger: &TriggerName) -> Option<Arc<EscalationPlan>> {
        self.triggers.get(trigger).map(|trigger| trigger.plan.clone())
    }

    /// The tier of an incident with these facts at a civil time; `None` where the matrix decides none.
    pub fn tier(&self, trigger: &TriggerName, facts: Option<&TierFacts>, civil: Timestamp) -> Option<TierDecision> {
        let rule = self.triggers.get(trigger)?.tier.as_ref()?;
        Some(rule.decide(&self.decision, facts?, civil))
    }

    /// The plan of a trigger for an incident of this tier; the trigger's own, where the matrix decides none.
    pub fn plan_of_tier(&self, trigger: &TriggerName, decision: Option<TierDecision>) -> Option<Arc<EscalationPlan>> {
        let trigger = self.triggers.get(trigger)?;
        let plan = trigger.tiers.as_ref().zip(decision).and_then(|(lowest, decision)| {
            let plan = if lowest.is_of(decision.tier) { lowest.clone() } else { lowest.raised_to(decision.tier)? };
            Some(Arc::new(plan.decided(decision)))
        });
        Some(plan.unwrap_or_else(|| trigger.plan.clone()))
    }

    /// The plan for alerts that a trigger cannot evaluate: it pages only the catch-all. `None` without a catch-all.
    pub fn failure_plan(&self, trigger: &TriggerName) -> Option<Arc<EscalationPlan>> {
        self.triggers.get(trigger)?.failure_plan.clone()
    }

    /// The plan for Stentor's reports about itself: it pages only the catch-all. `None` without a catch-all.
    pub fn operators_plan(&self) -> Option<Arc<EscalationPlan>> {
        let plan = self.triggers.values().find_map(|trigger| trigger.failure_plan.as_deref())?;
        Some(Arc::new(EscalationPlan { trigger: SELF.into(), on_resolved: OnResolved::Resolve, ..plan.clone() }))
    }

    /// The plan for alerts that no trigger takes, from sources that want them paged: it pages only the catch-all.
    pub fn unmatched_plan(&self) -> Option<Arc<EscalationPlan>> {
        let plan = self.operators_plan()?;
        Some(Arc::new(EscalationPlan { on_resolved: OnResolved::Note, ..EscalationPlan::clone(&plan) }))
    }

    /// That no trigger looks at alerts of this kind, and which kind may be meant; `None` if one does.
    pub fn unknown_kind(&self, kind: &str) -> Option<String> {
        let known = self.triggers.values().flat_map(|trigger| trigger.on.iter().map(String::as_str));
        let is_known = known.clone().any(|known| known == kind);
        let shown = excerpt(kind, KIND_SHOWN);
        (!is_known).then(|| format!("no trigger has the kind `{shown}`: {}", nearest::instead(kind, known)))
    }

    /// Whether this source's alerts page the catch-all if no trigger takes them.
    pub fn pages_unmatched(&self, source: &SourceName) -> bool {
        self.sources.get(source).is_some_and(|source| source.pages_unmatched)
    }

    /// The plan for a role that is called by hand: that role alone, and its `next`. `None` if the role is not in the
    /// matrix.
    pub fn plan_by_hand(&self, role: &RoleName) -> Option<Arc<EscalationPlan>> {
        self.roles.contains_key(role).then(|| {
            let accept_timeout =
                self.channels.iter().map(|(name, channel)| (name.clone(), AcceptTimeout(channel.accept_timeout)));
            let (revision, roles, accept_timeout) = (&self.revision, &self.roles, accept_timeout.collect());
            // No room: the person who calls by hand already has one.
            let plans = PlanBuilder {
                decision: &self.decision,
                revision,
                roles,
                accept_timeout,
                report_timeout: report_timeouts(&self.channels),
                living: BTreeMap::new(),
                zone: Zone::utc(),
            };
            Arc::new(plans.plan(TriggerName::from(BY_HAND), vec![role.clone()], Vec::new(), OnResolved::Note))
        })
    }

    /// Divides every wait of every ladder by `by`, for drills that people watch.
    pub fn compress(&mut self, by: u32) {
        for trigger in self.triggers.values_mut() {
            trigger.plan = Arc::new(trigger.plan.compressed(by));
            trigger.failure_plan = trigger.failure_plan.as_ref().map(|plan| Arc::new(plan.compressed(by)));
        }
    }

    /// The person of this Unix user.
    pub fn person_of_unix(&self, user: &str) -> Option<&PersonName> {
        self.person_with(|person| person.unix.as_deref() == Some(user))
    }

    /// Whether this Unix user is the site's mail server.
    pub fn hands_in_mail(&self, user: &str) -> bool {
        self.channels.iter().any(|(_, channel)| channel.config.mail_in() == Some(user))
    }

    /// The person of whom this is known: the number, the account, the mailbox.
    pub fn person_of(&self, field: ContactField, value: &str) -> Option<&PersonName> {
        self.person_with(|person| person.contact(field) == Some(value))
    }

    /// The settings of a channel.
    pub fn channel(&self, name: &ChannelName) -> Option<&ChannelSettings> {
        self.channels.iter().find(|(other, _)| other == name).map(|(_, settings)| settings)
    }

    /// Every secret in the matrix, each once.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        let of_channels = self.channels.iter().flat_map(|(_, channel)| channel.config.secrets());
        let of_ping = self.daemon.ping.iter().filter_map(|ping| match &ping.url {
            SecretAddress::Kept(secret) => Some(secret),
            SecretAddress::Written(_) => None,
        });
        let of_anchors = self.daemon.anchors.iter().filter_map(|anchors| anchors.webhook.as_ref());
        let of_anchors = of_anchors.flat_map(ChannelConfig::secrets);
        let of_sources = self.sources.values().flat_map(|source| source.tokens.iter().chain(source.signing_keys()));
        let classifiers = self.assessments.values().filter_map(|own| own.classifier.as_ref());
        let of_classifiers = classifiers.flat_map(ClassifierSettings::secrets);
        let of_sources = of_sources.chain(of_classifiers);
        let mut secrets: Vec<_> = of_sources.chain(of_channels).chain(of_ping).chain(of_anchors).collect();
        secrets.sort();
        secrets.dedup();
        secrets
    }

    fn person_with(&self, is_it: impl Fn(&Person) -> bool) -> Option<&PersonName> {
        self.people.iter().find(|(_, person)| is_it(person)).map(|(name, _)| name)
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matrix").field("revision", &self.revision).finish_non_exhaustive()
    }
}
