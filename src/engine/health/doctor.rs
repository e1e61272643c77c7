//! The doctor's checks that only a running daemon can make: its loops, its clock, its ping, its public address.

use crate::{
    channel::{ProbeCheck, is_loopback},
    core::time::StepTime,
    engine::{
        health::Health,
        health::checkup::{self, DoctorPart, part},
    },
};
use reqwest::{Client, Url, redirect::Policy};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};

/// The path at which the daemon answers its own test request.
pub const ECHO: &str = "/hooks/self";

/// The header that signs the daemon's test request to itself.
pub const SIGNATURE: &str = "x-stentor-signature";

/// How far the wall clock may differ from the store's time, in microseconds, before the doctor warns.
const DRIFT_MAX_US: i64 = 1_000_000;

/// How far the journal's time may be ahead of the wall clock, in microseconds, before it is no drift any more but a clock
/// that was wrong: an hour.
const AHEAD_MAX_US: i64 = 3_600_000_000;

/// What is wrong when the wall clock is so far ahead of the store's time, in microseconds; `None` if they agree. It
/// stops no page: ladders keep the store's time, and who is on call is looked up by the wall clock.
pub fn clock_problem(ahead_us: i64) -> Option<String> {
    let seconds = ahead_us.unsigned_abs() as f64 / 1e6;
    if ahead_us <= -AHEAD_MAX_US {
        let span = humantime::format_duration(Duration::from_secs(ahead_us.unsigned_abs() / 1_000_000));
        return Some(format!(
            "the journal's time is {span} ahead of the wall clock: a wall clock is wrong, or was wrong when the journal was \
             written. Set the wall clock if it is wrong now, and restart. If it is right, waits are as long as they should \
             be, but the times in the journal, in reports and in texts are too late by that much; to begin anew, stop \
             Stentor while nothing is open and start it on a new state folder (keep the old one: it is the record)"
        ));
    }
    let is = if ahead_us < 0 { "behind" } else { "ahead of" };
    (DRIFT_MAX_US <= ahead_us.saturating_abs()).then(|| {
        format!(
            "the wall clock is {seconds:.1} s {is} the journal's and the ladders' clock: one of them was set wrong; \
             who is on call follows the wall clock"
        )
    })
}

/// How long a request to the public address may take.
const ECHO_TIME_MAX: Duration = Duration::from_secs(8);

impl Health {
    /// All parts to check. `wall_us` is how far the wall clock is ahead of the store's time, in microseconds.
    pub fn parts(self: &Arc<Self>, wall_us: i64) -> Vec<DoctorPart> {
        let config = self.context.config.load_full();
        let health = || self.clone();
        let (one, two, three, four, five) = (health(), health(), health(), config.clone(), health());
        let mut parts = vec![
            part("daemon", async move { one.work(wall_us).await }),
            part("ping", async move { vec![two.ping_check()] }),
            part("state", async move { checkup::space(three.context.store.room()) }),
            part("secrets", async move { checkup::secrets(&four) }),
            part("listener", async move { vec![five.listener().await] }),
        ];
        let anchors = self.clone();
        if config.matrix.daemon.anchors.is_some() {
            parts.push(part("anchors", async move { anchors.anchor_checks() }));
        }
        let (matrix, now) = (config.clone(), self.context.store.now());
        parts.push(part("time zones", async move { checkup::zones(matrix.matrix.zones.data(), now) }));
        parts.extend(checkup::channels(&config));
        let health = self.clone();
        parts.push(part("people", async move {
            let (proofs, store) = (health.context.store.proofs().await, &health.context.store);
            let time = StepTime { now: store.now(), civil: store.civil_now() };
            let mut checks = health.inbound.opt_out_checks();
            checks.extend(checkup::people(
                &config,
                proofs,
                (&health.inbound.opt_outs(), &health.inbound.unlinked()),
                time,
            ));
            checks
        }));
        parts
    }

    async fn work(&self, wall_us: i64) -> Vec<ProbeCheck> {
        let problems = self.check().await;
        let mut checks: Vec<ProbeCheck> = problems.into_iter().map(|sign| ProbeCheck::failed("work", sign)).collect();
        if checks.is_empty() {
            checks
                .push(ProbeCheck::fine("work", "its loops run, commits are stored, ladders and queues make progress"));
        }
        checks.extend(self.late_brief().map(|sign| ProbeCheck::doubtful("pages", sign)));
        checks.extend(self.context.alerts.led_nowhere().into_iter().map(|sign| ProbeCheck::doubtful("alerts", sign)));
        checks.extend(self.over_quota().into_iter().map(|sign| ProbeCheck::failed("alerts", sign)));
        checks.extend(self.quarantine_checks());
        for (channel, broken) in self.delivery.breakers().broken() {
            checks.push(ProbeCheck::failed(
                "breaker",
                format!("channel {channel} reaches nobody, its pages fail over: {}", broken.why),
            ));
        }
        for (channel, heard) in self.inbound_connections().into_iter().filter(|(_, heard)| heard.open == 0) {
            let why = heard.last_error.unwrap_or_else(|| "no link is up yet".to_owned());
            checks.push(ProbeCheck::failed("links", format!("channel {channel} receives nothing: {why}")));
        }
        checks.push(match clock_problem(wall_us) {
            None => ProbeCheck::fine("clock", "the wall clock and the ladders' agree"),
            Some(problem) if wall_us <= -AHEAD_MAX_US => ProbeCheck::failed("clock", problem),
            Some(problem) => ProbeCheck::doubtful("clock", problem),
        });
        checks
    }

    /// Whether copies of anchors reach those whom the matrix names.
    fn anchor_checks(&self) -> Vec<ProbeCheck> {
        let problems = self.anchor_problems().into_iter().map(|problem| ProbeCheck::failed("copies", problem));
        let taken = self.context.anchors.taken().into_iter().filter_map(|(name, taken)| Some((name, taken?)));
        let fine = taken.map(|(name, seq)| ProbeCheck::fine("copies", format!("{name} has all up to anchor {seq}")));
        let checks: Vec<_> = problems.chain(fine).collect();
        if checks.is_empty() {
            return vec![ProbeCheck::doubtful("copies", "no anchor was handed over since the daemon started")];
        }
        checks
    }

    fn ping_check(&self) -> ProbeCheck {
        let Some(ping) = self.context.config.load().matrix.daemon.ping.clone() else {
            let help = "nobody is told if this daemon dies: set [daemon] ping = { url = \"..\" }";
            return ProbeCheck::doubtful("dead-man", help);
        };
        let every = humantime::format_duration(ping.every);
        let pinged = self.pinged();
        match (pinged.last_error, pinged.last) {
            (Some(error), _) => ProbeCheck::failed("dead-man", error),
            (None, Some(_)) => ProbeCheck::fine("dead-man", format!("sent every {every}")),
            (None, None) => ProbeCheck::doubtful("dead-man", "none has been sent yet"),
        }
    }

    /// Checks whether the public address leads to this daemon, and passes signed requests on unchanged.
    async fn listener(&self) -> ProbeCheck {
        let address = &self.context.public_url;
        match self.echo(address, ECHO_TIME_MAX).await {
            Err(why) => ProbeCheck::failed("public_url", format!("{address}: {why}")),
            Ok(()) if Url::parse(address).is_ok_and(|url| url.host_str().is_some_and(is_loopback)) => {
                let help = "links in pages work on this machine only: set [daemon] public_url";
                ProbeCheck::doubtful("public_url", format!("{address} points to this machine; {help}"))
            }
            Ok(()) => ProbeCheck::fine("public_url", format!("{address} reaches this daemon")),
        }
    }

    /// Calls this daemon by one of its addresses, on a new connection. The error says why that did not reach it.
    pub(super) async fn echo(&self, address: &str, most: Duration) -> Result<(), String> {
        let error = |error: reqwest::Error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            format!("not reached from this machine: {cause}")
        };
        let client = Client::builder().redirect(Policy::none()).timeout(most);
        let here = Url::parse(address).is_ok_and(|url| url.host_str().is_some_and(is_loopback));
        let client = if here { client.no_proxy() } else { client }.build().map_err(error)?;
        let nonce = format!("{}", self.context.store.now());
        let signed = client.post(format!("{address}{ECHO}")).body(nonce.clone());
        let signed = signed.header(SIGNATURE, self.context.keys.echo_call(&nonce).expose_secret());
        let answer = signed.send().await.map_err(error)?;
        let status = answer.status();
        let text = answer.text().await.map_err(error)?;
        match (status.is_success(), self.context.keys.is_echo(&nonce, text.trim())) {
            (true, true) => Ok(()),
            (true, false) => Err("something else answers there".to_owned()),
            (false, _) => Err(format!("the server there answers {status}; POST {ECHO} must be forwarded unchanged")),
        }
    }
}
