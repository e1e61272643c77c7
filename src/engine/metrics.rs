//! Metrics, for Prometheus to scrape.

use crate::{
    channel::SendError,
    core::{
        ChannelName, ClassificationKind, Event, RoleName, SendReceipt, SourceName, StandIn, Timestamp, TriggerName,
        names::{BY_HAND, SELF},
    },
    engine::{
        alert_tally::CountedResult, listeners::ListenerFullness, metric_labels::*, runtime_config::RuntimeConfig,
    },
    store::{CommittedEvent, QuarantinedRow},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Duration};

pub use crate::engine::metric_labels::ChannelProofs;

type Seconds = Family<SendLabels, Histogram, fn() -> Histogram>;

/// The registry and its metrics. It is a value, so that several engines in one process stay apart.
pub struct Metrics {
    registry: Registry,
    pages: Family<PageLabels, Counter>,
    send_seconds: Seconds,
    engagement: Family<RoleLabels, Histogram, fn() -> Histogram>,
    sandbox_engagements: Family<RoleLabels, Counter>,
    lateness: Histogram,
    oldest_unsent: Gauge<f64, AtomicU64>,
    broken: Family<ChannelLabel, Gauge>,
    proof_age: Family<ChannelLabel, Gauge>,
    unproven: Family<ChannelLabel, Gauge>,
    links: Family<ChannelLabel, Gauge>,
    linked_since: Family<ChannelLabel, Gauge<f64, AtomicU64>>,
    roles_entered: Family<EnteredLabels, Counter>,
    roles_handed_back: Family<HandedBackLabels, Counter>,
    incidents_opened: Family<OpenedLabels, Counter>,
    incidents_resolved: Family<DrillLabel, Counter>,
    incidents_judged: Family<JudgedLabels, Counter>,
    alerts: Family<AlertApiLabels, Counter>,
    monitor_events: Family<MonitorEventLabels, Counter>,
    alert_results: Family<AlertLabels, Counter>,
    alert_kinds: Family<AlertKindLabels, Counter>,
    quarantined: Gauge,
    reloads: Family<OutcomeLabel, Counter>,
    connections: Family<ListenerLabel, Gauge>,
    connections_max: Family<ListenerLabel, Gauge>,
    turned_away: Family<ListenerLabel, Counter>,
    found_again: Counter,
    waited_for: Gauge,
}

impl Metrics {
    /// An empty registry with every metric named.
    pub fn new() -> Self {
        let send: fn() -> Histogram = || Histogram::new(SEND_SECONDS);
        let engage: fn() -> Histogram = || Histogram::new(ENGAGE_SECONDS);
        let metrics = Self {
            registry: Registry::with_prefix("stentor"),
            pages: Family::default(),
            send_seconds: Family::new_with_constructor(send),
            engagement: Family::new_with_constructor(engage),
            sandbox_engagements: Family::default(),
            lateness: Histogram::new(LATE_SECONDS),
            oldest_unsent: Gauge::default(),
            broken: Family::default(),
            proof_age: Family::default(),
            unproven: Family::default(),
            links: Family::default(),
            linked_since: Family::default(),
            roles_entered: Family::default(),
            roles_handed_back: Family::default(),
            incidents_opened: Family::default(),
            incidents_resolved: Family::default(),
            incidents_judged: Family::default(),
            alerts: Family::default(),
            monitor_events: Family::default(),
            alert_results: Family::default(),
            alert_kinds: Family::default(),
            quarantined: Gauge::default(),
            reloads: Family::default(),
            connections: Family::default(),
            connections_max: Family::default(),
            turned_away: Family::default(),
            found_again: Counter::default(),
            waited_for: Gauge::default(),
        };
        metrics.named()
    }

    fn named(mut self) -> Self {
        let r = &mut self.registry;
        r.register("pages", "Attempts to send a page, by channel and outcome", self.pages.clone());
        r.register_with_unit(
            "send",
            "From the start of an attempt to the provider's response",
            Unit::Seconds,
            self.send_seconds.clone(),
        );
        r.register_with_unit(
            "time_to_engagement",
            "Incident opened until the role had somebody, each time; roles_handed_back counts those that did not stand",
            Unit::Seconds,
            self.engagement.clone(),
        );
        r.register(
            "sandbox_engagements",
            "Roles that had their outcome where pages were kept in the sandbox; their times are in no histogram",
            self.sandbox_engagements.clone(),
        );
        r.register_with_unit(
            "timer_lateness",
            "How late the earliest ladder that was due was found",
            Unit::Seconds,
            self.lateness.clone(),
        );
        r.register_with_unit(
            "oldest_unsent_page_age",
            "Age of the oldest page that was not yet given to a channel",
            Unit::Seconds,
            self.oldest_unsent.clone(),
        );
        let quarantined = "Rows of the store that can not be read and that nobody has cleared yet";
        r.register("quarantined_rows", quarantined, self.quarantined.clone());
        r.register("channel_broken", "1 while a channel reaches nobody and its pages fail over", self.broken.clone());
        r.register_with_unit(
            "oldest_contact_proof_age",
            "Age of the oldest proven contact of any person, by channel",
            Unit::Seconds,
            self.proof_age.clone(),
        );
        r.register("contacts_never_proven", "People never proven to be reached, by channel", self.unproven.clone());
        r.register("channel_links", "Links that are up, for channels with an inbound connection", self.links.clone());
        r.register(
            "channel_linked_since_timestamp_seconds",
            "Since when there is one, in Unix time; 0 while there is none",
            self.linked_since.clone(),
        );
        r.register(
            "roles_entered",
            "Ladders that began, by role and whether it was required",
            self.roles_entered.clone(),
        );
        r.register("roles_handed_back", "Roles that were handed back, by role", self.roles_handed_back.clone());
        r.register("incidents_opened", "Incidents opened", self.incidents_opened.clone());
        r.register("incidents_resolved", "Incidents resolved", self.incidents_resolved.clone());
        r.register(
            "incidents_judged",
            "Outcomes of incidents, as people classified them",
            self.incidents_judged.clone(),
        );
        r.register("alert_requests", "Requests with alerts, by API and outcome", self.alerts.clone());
        r.register(
            "monitor_events",
            "Events of monitors that page nobody, by API and what they are",
            self.monitor_events.clone(),
        );
        r.register("alert_results", "Alerts, by source and what became of them", self.alert_results.clone());
        let kinds = "The same, by the kind of the alerts and the layer that held them";
        r.register("alert_kind_results", kinds, self.alert_kinds.clone());
        r.register("reloads", "Reloads of the matrix, by outcome", self.reloads.clone());
        r.register(
            "connections",
            "Open connections of a listener; at its maximum it is full",
            self.connections.clone(),
        );
        r.register("connections_max", "The most connections that a listener accepts", self.connections_max.clone());
        r.register(
            "connections_turned_away",
            "Connections that were closed at once, because their peer was at its limit",
            self.turned_away.clone(),
        );
        r.register("requests_waited_for", "Waits and streams of requests that are open", self.waited_for.clone());
        r.register(
            "pages_found_again",
            "Pages that were due but in no queue, which is a bug, and were queued again",
            self.found_again.clone(),
        );
        self
    }

    /// Counts an event.
    pub fn count(&self, happened: &CommittedEvent) {
        match &happened.event {
            Event::Opened(opening) => {
                let trigger = opening.plan.trigger.to_string();
                self.incidents_opened.get_or_create(&OpenedLabels { trigger, drill: flag(happened.drill) }).inc();
            }
            Event::RoleEntered { role, instead_of } => {
                let required = flag(instead_of.is_none());
                let labels = EnteredLabels { role: role.to_string(), required, drill: flag(happened.drill) };
                self.roles_entered.get_or_create(&labels).inc();
            }
            Event::Resolved { .. } => {
                self.incidents_resolved.get_or_create(&DrillLabel { drill: flag(happened.drill) }).inc();
            }
            Event::Judged { finding, .. } => {
                let labels = JudgedLabels { outcome: finding.as_str(), drill: flag(happened.drill) };
                self.incidents_judged.get_or_create(&labels).inc();
            }
            Event::Engaged { role, .. } => self.engaged(happened, role, "engaged"),
            Event::Covered { role, .. } => self.engaged(happened, role, "covered"),
            Event::HandedBack { role, .. } => {
                let labels = HandedBackLabels { role: role.to_string(), drill: flag(happened.drill) };
                self.roles_handed_back.get_or_create(&labels).inc();
            }
            _ => {}
        }
    }

    fn engaged(&self, happened: &CommittedEvent, role: &RoleName, outcome: &'static str) {
        let labels = RoleLabels { role: role.to_string(), outcome, drill: flag(happened.drill) };
        if happened.sandboxed {
            self.sandbox_engagements.get_or_create(&labels).inc();
            return;
        }
        let seconds = happened.at.micros_since(happened.opened_at) as f64 / 1e6;
        self.engagement.get_or_create(&labels).observe(seconds);
    }

    /// Counts an attempt to send. A page in the sandbox is no send and has no duration.
    pub fn sent(&self, channel: &ChannelName, drill: bool, result: &Result<SendReceipt, SendError>, took: Duration) {
        let (channel, drill) = (channel.to_string(), flag(drill));
        let outcome = match result {
            Ok(receipt) => match receipt.stand_in {
                None => "accepted",
                Some(StandIn::Sandbox) => "sandbox",
                Some(StandIn::Drill) => "injected",
                Some(StandIn::Unneeded) => "unneeded",
            },
            Err(SendError::DeskClosed { .. }) => "desk-closed",
            Err(SendError::Retry { unknown: false, .. }) => "retry",
            Err(SendError::Retry { unknown: true, .. }) => "unknown",
            Err(SendError::Unreachable { .. }) => "unreachable",
            Err(SendError::Broken { .. }) => "broken",
        };
        self.pages.get_or_create(&PageLabels { channel: channel.clone(), outcome, drill }).inc();
        if !matches!(result, Ok(receipt) if receipt.stand_in.is_some()) {
            self.send_seconds.get_or_create(&SendLabels { channel, drill }).observe(took.as_secs_f64());
        }
    }

    /// Sets whether a channel is broken.
    pub fn channel_broken(&self, channel: &ChannelName, is_broken: bool) {
        self.broken.get_or_create(&ChannelLabel { channel: channel.to_string() }).set(i64::from(is_broken));
    }

    /// Sets the ages of proofs of contact. Channels that are not named any more are removed; one that was never proven to
    /// reach anybody has no age.
    pub fn contacts(&self, proven: &BTreeMap<ChannelName, ChannelProofs>) {
        self.proof_age.clear();
        self.unproven.clear();
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for (channel, proven) in proven {
            let label = ChannelLabel { channel: channel.to_string() };
            if let Some(oldest) = proven.oldest_seconds {
                self.proof_age.get_or_create(&label).set(whole(oldest));
            }
            self.unproven.get_or_create(&label).set(whole(proven.never as u64));
        }
    }

    /// Sets how many inbound connections of a channel are up, and since when there is one.
    pub fn links(&self, channel: &ChannelName, links: usize, since: Option<Timestamp>) {
        let label = ChannelLabel { channel: channel.to_string() };
        self.links.get_or_create(&label).set(i64::try_from(links).unwrap_or(i64::MAX));
        self.linked_since.get_or_create(&label).set(since.map_or(0.0, |since| since.as_micros() as f64 / 1e6));
    }

    /// Records how late a timer was.
    pub fn late(&self, by: Duration) {
        self.lateness.observe(by.as_secs_f64());
    }

    /// Counts a request with alerts.
    pub fn alert_request(&self, api: &'static str, outcome: &'static str) {
        self.alerts.get_or_create(&AlertApiLabels { api, outcome }).inc();
    }

    /// Counts an event of a monitor that pages nobody.
    pub fn monitor_event(&self, api: &'static str, event: &'static str) {
        self.monitor_events.get_or_create(&MonitorEventLabels { api, event }).inc();
    }

    /// Counts what became of an alert for one trigger. Sources that are not in the matrix go by what they are: `user`
    /// for people at the control socket, whose kinds have no names here: there may be many people.
    pub fn alert(&self, source: &SourceName, kind: Option<&str>, counted: CountedResult) {
        let (source, is_one) = source.as_str().split_once(':').map_or((source.as_str(), true), |(of, _)| (of, false));
        let (source, result, drill) = (source.to_owned(), counted.result, flag(counted.drill));
        self.alert_results.get_or_create(&AlertLabels { source: source.clone(), result, drill }).inc();
        let kind = kind.filter(|_| is_one).unwrap_or_default().to_owned();
        let layer = counted.layer.unwrap_or_default();
        self.alert_kinds.get_or_create(&AlertKindLabels { source, kind, result, layer, drill }).inc();
    }

    /// Makes the series that this configuration can have, so that the first crisis is a change from 0 and not a new
    /// series, which no rate shows. Drills get theirs with the first drill, but for alerts and outcomes.
    pub fn expect(&self, config: &RuntimeConfig) {
        let drill = flag(false);
        for channel in config.channels.keys() {
            for outcome in PAGE_OUTCOMES {
                drop(self.pages.get_or_create(&PageLabels { channel: channel.to_string(), outcome, drill }));
            }
            drop(self.send_seconds.get_or_create(&SendLabels { channel: channel.to_string(), drill }));
        }
        for role in config.matrix.roles.keys().map(RoleName::to_string) {
            for required in [flag(true), flag(false)] {
                drop(self.roles_entered.get_or_create(&EnteredLabels { role: role.clone(), required, drill }));
            }
            for outcome in ["engaged", "covered"] {
                drop(self.engagement.get_or_create(&RoleLabels { role: role.clone(), outcome, drill }));
            }
            drop(self.roles_handed_back.get_or_create(&HandedBackLabels { role, drill }));
        }
        let own = [SELF, BY_HAND].map(str::to_owned);
        for trigger in config.matrix.triggers.keys().map(TriggerName::to_string).chain(own) {
            drop(self.incidents_opened.get_or_create(&OpenedLabels { trigger, drill }));
        }
        drop(self.incidents_resolved.get_or_create(&DrillLabel { drill }));
        for source in config.matrix.sources.keys().map(SourceName::to_string) {
            for (result, drill) in ALERT_RESULTS.into_iter().flat_map(|result| DRILLS.map(|drill| (result, drill))) {
                drop(self.alert_results.get_or_create(&AlertLabels { source: source.clone(), result, drill }));
            }
        }
        for (kind, drill) in ClassificationKind::ALL.into_iter().flat_map(|kind| DRILLS.map(|drill| (kind, drill))) {
            drop(self.incidents_judged.get_or_create(&JudgedLabels { outcome: kind.as_str(), drill }));
        }
        for (api, outcome) in
            ALERT_APIS.into_iter().flat_map(|api| ["accepted", "refused"].map(|outcome| (api, outcome)))
        {
            drop(self.alerts.get_or_create(&AlertApiLabels { api, outcome }));
        }
        for outcome in ["loaded", "refused"] {
            drop(self.reloads.get_or_create(&OutcomeLabel { outcome }));
        }
    }

    /// Counts pages that were owed but in no queue.
    pub fn found_again(&self) {
        self.found_again.inc();
    }

    /// Sets how many connections the listeners have, and how many wait for a request.
    pub fn listeners(&self, listeners: &BTreeMap<&'static str, ListenerFullness>, waits: usize) {
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.waited_for.set(whole(waits));
        for (listener, ListenerFullness { open, most, turned_away }) in listeners {
            let label = ListenerLabel { listener };
            self.connections.get_or_create(&label).set(whole(*open));
            self.connections_max.get_or_create(&label).set(whole(*most));
            let counted = self.turned_away.get_or_create(&label);
            counted.inc_by(turned_away.saturating_sub(counted.get()));
        }
    }

    /// Counts a reload of the matrix.
    pub fn reload(&self, outcome: &'static str) {
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Sets how many unreadable rows nobody has looked at yet.
    pub fn quarantined(&self, entries: &[QuarantinedRow]) {
        let waiting = entries.iter().filter(|entry| entry.is_waiting()).count();
        self.quarantined.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// The metrics as OpenMetrics text.
    pub fn text(&self, oldest_unsent: Option<Timestamp>, now: Timestamp) -> String {
        self.oldest_unsent.set(oldest_unsent.map_or(0.0, |born| now.since(born).as_secs_f64()));
        let mut text = String::new();
        // Writing to a String can not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn flag(drill: bool) -> &'static str {
    if drill { "true" } else { "false" }
}
