//! One attempt to send one page, from the queue to its recorded outcome.

use crate::{
    channel::SendError,
    core::{
        FaultKind, HeldWhy, IncidentInput, Page, PageId, PagePurpose, SendOutcome, SendReceipt, Timestamp,
        retry::{backoff, backoff_to},
        send_outcome::TOO_LATE,
    },
    engine::{
        active_channel::SEND_TIMEOUT_MAX,
        caught::{caught, caught_in},
        delivery::{
            Delivery,
            compose::ComposedMessage,
            queues::{RETRY_AFTER_MAX, ReadyPages},
        },
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::time::Duration;

/// How soon a page is tried again when this node's lease must be renewed first.
const LEASE_WAIT: Duration = Duration::from_millis(200);

/// How long a message that asks for nothing is tried: after that it is old news.
const NOTICE_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long a webhook to another system is tried: that system may be down over night.
const SYSTEM_LIFE: Duration = Duration::from_secs(24 * 3600);

/// The longest wait between two attempts of a webhook.
const SYSTEM_LONGEST: Duration = Duration::from_secs(5 * 60);

/// How long updates of a room (its card, its archiving) are tried: they do not get old.
const ROOM_LIFE: Duration = Duration::from_secs(6 * 3600);

/// A shorter pause than this is not a provider's wish: `Retry-After` counts whole seconds.
const SHORTEST_WISH: Duration = Duration::from_secs(1);

/// After so many panics of its channel a page gives up on that channel.
const PANICS_MAX: u32 = 3;

/// What is said when a channel panicked. The panic's own text is in the log only: it may contain anything.
const PANICKED: &str = "a bug in Stentor, which is in the log";

/// The outcome of an attempt, to be recorded.
#[derive(Debug, Clone)]
pub struct SendAttempt {
    /// The page.
    pub page: PageId,
    /// When the attempt began.
    pub sent_at: Timestamp,
    /// When the attempt ended: a pause that the provider asked for counts from here.
    pub ended_at: Timestamp,
    /// The text that was shown: its content hash and the text.
    pub shown: (String, String),
    /// What the channel returned.
    pub result: Result<SendReceipt, SendError>,
    /// The fault that a drill injected; then no channel was asked.
    pub fault: Option<FaultKind>,
}

impl Delivery {
    /// The pages that may be sent now.
    pub fn tick_delivery(&self) -> ReadyPages {
        let (now, config) = (self.context.store.now(), self.context.config.load());
        let everywhere = crate::core::retry::SendPace { every: Duration::from_millis(100), burst: 10 };
        self.queues().ready(now, |channel| config.channels.get(channel).map_or(everywhere, |active| active.pace))
    }

    /// Sends a page that is due and records the outcome. Its channel's timeout bounds the send; recording goes on until
    /// the store accepts it.
    pub async fn send(&self, page: PageId) -> Result<(), StoreError> {
        let config = self.context.config.load_full();
        let Some(composed) = self.prepare_kept(page).await? else { return Ok(()) };
        let sent_at = self.context.store.now();
        let Some(active) = config.channels.get(&composed.channel) else {
            let why = "the channel is not in the matrix any more".to_owned();
            return self.settle(page, SendOutcome::Unreachable { why }, None, None).await;
        };
        if let Some((fault, result)) = self.injected(&composed, sent_at) {
            let shown = (composed.hash, composed.shown);
            return self
                .keep_attempt(&SendAttempt { page, sent_at, ended_at: sent_at, shown, result, fault: Some(fault) })
                .await;
        }
        // A fault of a room says nothing about reaching people; a webhook has nothing but posts.
        let person = composed.message.to.person();
        let guarded = person.is_some() || composed.message.purpose.is_notice();
        let left = person.as_ref().and_then(|person| self.inbound.opt_out_reason(&composed.channel, person));
        let closed = || guarded.then(|| self.breakers().closed_to(&composed.channel, sent_at)).flatten();
        if let Some(why) = left.or_else(closed) {
            return self.settle(page, SendOutcome::Unreachable { why }, None, None).await;
        }
        let sending = caught_in(async { active.channel.send(&composed.message).await });
        let result = match tokio::time::timeout(active.timeout, sending).await {
            Ok(Ok(result)) => result,
            Ok(Err(why)) => {
                tracing::error!(page.id = %page, why, "the channel panicked, which is a bug; it counts as a refusal");
                self.panicked(page).await
            }
            Err(_) => {
                let why = format!("no answer within {}", humantime::format_duration(active.timeout));
                Err(SendError::Retry { after: None, why, unknown: true })
            }
        };
        let ended_at = self.context.store.now();
        self.context.metrics.sent(&composed.channel, composed.message.drill, &result, ended_at.since(sent_at));
        let attempt =
            SendAttempt { page, sent_at, ended_at, shown: (composed.hash, composed.shown), result, fault: None };
        self.keep_attempt(&attempt).await?;
        if guarded {
            self.watch_channel(&composed.channel, &attempt.result).await;
        }
        if let Some(person) = person {
            self.inbound.watch_person(&composed.channel, &person, &attempt.result).await;
        }
        Ok(())
    }

    /// What a panic counts as: a refusal of a page that may have been sent all the same. After several of them the
    /// channel counts as unable to reach this person, and the page uses another one.
    async fn panicked(&self, page: PageId) -> Result<SendReceipt, SendError> {
        let incident = self.context.store.view(page.incident).await.ok().flatten();
        let refusals = incident.as_ref().and_then(|incident| incident.pages.get(&page.n)).map_or(0, |row| row.refusals);
        match refusals + 1 {
            ..PANICS_MAX => Err(SendError::Retry { after: None, why: PANICKED.to_owned(), unknown: true }),
            _ => Err(SendError::unreachable(PANICKED)),
        }
    }

    /// The attempt panicked outside the channel: while the page was prepared, or recorded.
    pub async fn refuse_for_panic(&self, page: PageId) -> Result<(), StoreError> {
        let now = self.context.store.now();
        let settlement = match self.panicked(page).await {
            Err(SendError::Retry { after, why, unknown }) => self.again(page, after, why, unknown, now).await?,
            _ => SendOutcome::Unreachable { why: PANICKED.to_owned() },
        };
        self.settle(page, settlement, None, None).await
    }

    /// Records an attempt, and retries while the store fails: a page is not sent twice because the store could not keep
    /// its outcome.
    async fn keep_attempt(&self, attempt: &SendAttempt) -> Result<(), StoreError> {
        while let Err(error) = self.finish(attempt).await {
            // The store keeps nothing any more, or nothing about this incident.
            if matches!(error, StoreError::Closed | StoreError::Corrupt { .. }) {
                return Err(error);
            }
            let page = attempt.page;
            tracing::error!(page.id = %page, %error, "the outcome of this page could not be stored; trying again");
            tokio::time::sleep(crate::core::retry::FIRST).await;
        }
        Ok(())
    }

    /// Checks that a page is still wanted and that this node may send it, and composes it. `None` if there is nothing
    /// to send; then it is recorded or queued again.
    pub async fn prepare(&self, page: PageId) -> Result<Option<ComposedMessage>, StoreError> {
        let (now, config) = (self.context.store.now(), self.context.config.load_full());
        let lease = self.leased_until();
        if lease < now + SEND_TIMEOUT_MAX {
            self.queues().retry(page, now + LEASE_WAIT);
            self.wake.notify_one();
            return Ok(None);
        }
        let incident = self.context.store.view(page.incident).await?;
        // The last check before the send: it sees every commit so far.
        if !self.context.store.is_wanted(page).await? {
            self.drop_unsent(page).await?;
            return Ok(None);
        }
        let Some((incident, row)) = incident.as_ref().and_then(|i| Some((i, i.pages.get(&page.n)?))) else {
            self.queues().finish(page);
            return Ok(None);
        };
        if self.is_held(incident).await? {
            self.put_off(page);
            return Ok(None);
        }
        let composed = caught(|| self.compose(&config, incident, row)).unwrap_or_else(|why| {
            tracing::error!(page.id = %page, why, "composing this page panicked, which is a bug; it fails over");
            Err("it could not be composed: a bug in Stentor, which is in the log".to_owned())
        });
        match composed {
            Ok(composed) => Ok(Some(composed)),
            Err(why) => {
                self.settle(page, SendOutcome::Unreachable { why }, None, None).await?;
                Ok(None)
            }
        }
    }

    /// Records an attempt. After an error nothing was kept: call it again.
    pub async fn finish(&self, attempt: &SendAttempt) -> Result<(), StoreError> {
        let SendAttempt { page, sent_at, ended_at, shown, result, fault } = attempt.clone();
        let settlement = match result {
            Ok(receipt) => {
                if receipt.stand_in.is_none() {
                    self.queues().took(page);
                }
                SendOutcome::Accepted { receipt }
            }
            Err(SendError::Retry { after, why, unknown }) => self.again(page, after, why, unknown, ended_at).await?,
            Err(SendError::DeskClosed { after, why }) => {
                let settlement = self.no_desk(page, ended_at + after, why).await?;
                return self.settle(page, settlement, None, None).await;
            }
            Err(SendError::Unreachable { why, .. } | SendError::Broken { why }) => SendOutcome::Unreachable { why },
        };
        // If nothing was sent, nobody needs to be told how it ended.
        let sent_at = Some(sent_at).filter(|_| !fault.as_ref().is_some_and(FaultKind::asks_no_channel));
        self.settle_as(page, settlement, sent_at, Some(shown), fault).await
    }

    /// Records that a page was withdrawn before it was sent, so that people who were never asked get no follow-up.
    pub async fn drop_unsent(&self, page: PageId) -> Result<(), StoreError> {
        self.settle(page, SendOutcome::Unsent, None, None).await?;
        self.queues().finish(page);
        Ok(())
    }

    /// Records that a page must wait: the ladder may know another channel.
    pub async fn hold(&self, page: PageId, until: Timestamp, why: HeldWhy) -> Result<(), StoreError> {
        self.settle(page, SendOutcome::Held { until, why }, None, None).await
    }

    /// The store failed before the attempt began. Queues the page again, unless its incident can not be read any more.
    /// Returns whether it did.
    pub fn postpone(&self, page: PageId) -> bool {
        if self.context.store.is_quarantined(page.incident) {
            self.queues().finish(page);
            return false;
        }
        let at = self.context.store.now() + crate::core::retry::FIRST;
        self.queues().retry(page, at);
        self.wake.notify_one();
        true
    }

    /// No desk is open: a page that waits for a desk is tried again when one opens; others count as unreachable.
    async fn no_desk(&self, page: PageId, until: Timestamp, why: String) -> Result<SendOutcome, StoreError> {
        let incident = self.context.store.view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        if row.is_some_and(|row| row.purpose.waits_for_desk()) {
            self.queues().desk_closed(page, until);
            return Ok(SendOutcome::Held { until, why: HeldWhy::DeskClosed });
        }
        Ok(SendOutcome::Unreachable { why })
    }

    async fn again(
        &self,
        page: PageId,
        after: Option<Duration>,
        why: String,
        unknown: bool,
        now: Timestamp,
    ) -> Result<SendOutcome, StoreError> {
        let incident = self.context.store.view(page.incident).await;
        let row = incident.iter().flatten().find_map(|incident| incident.pages.get(&page.n));
        let row = row.map(|row| &**row);
        // The pause that a provider asked for holds for the other pages of this channel, even if this page's incident
        // can not be read.
        if let Some(after) = after {
            self.queues().throttled(page, after.max(least_wait(row, after)), now);
        }
        let outcome = again(row, after, why, unknown, now);
        incident.map(|_| outcome)
    }

    async fn settle(
        &self,
        page: PageId,
        settlement: SendOutcome,
        sent_at: Option<Timestamp>,
        shown: Option<(String, String)>,
    ) -> Result<(), StoreError> {
        self.settle_as(page, settlement, sent_at, shown, None).await
    }

    async fn settle_as(
        &self,
        page: PageId,
        settlement: SendOutcome,
        sent_at: Option<Timestamp>,
        shown: Option<(String, String)>,
        fault: Option<FaultKind>,
    ) -> Result<(), StoreError> {
        let config = self.context.config.load_full();
        let needs = LockSet { incidents: vec![page.incident], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            let text = shown.as_ref().map(|(hash, text)| {
                tx.keep_text(hash, text);
                hash.clone()
            });
            if let Some(fault) = &fault {
                let injected = IncidentInput::Injected { page: page.n, fault: fault.clone() };
                tx.step(page.incident, injected, &config.matrix.roster);
            }
            let input = IncidentInput::Settled { page: page.n, settlement: settlement.clone(), sent_at, text };
            tx.step(page.incident, input, &config.matrix.roster);
        };
        let ((), committed) = transact(&*self.context.store, RequestClass::Ladder, needs, run).await?;
        if committed.events.is_empty() {
            // It ended in another way, or belongs to another node now.
            self.queues().finish(page);
        }
        Ok(())
    }
}

/// The outcome of an attempt that failed for now; `after` is the pause that the provider asked for. A message that asks
/// for nothing is given up when it is too old.
pub fn again(page: Option<&Page>, after: Option<Duration>, why: String, unknown: bool, now: Timestamp) -> SendOutcome {
    if page.is_some_and(|page| life(&page.purpose).is_some_and(|life| page.born_at + life <= now)) {
        return SendOutcome::Unreachable { why: format!("{TOO_LATE}{why}") };
    }
    let wait = match after {
        None => own_wait(page),
        Some(after) => after.clamp(least_wait(page, after), RETRY_AFTER_MAX),
    };
    SendOutcome::Retry { at: now + wait, why, unknown }
}

/// The wait of a page whose provider asks for none.
fn own_wait(page: Option<&Page>) -> Duration {
    let refusals = page.map_or(0, |page| page.refusals) + 1;
    match page.is_some_and(|page| page.purpose.is_notice()) {
        true => backoff_to(refusals, SYSTEM_LONGEST),
        false => backoff(refusals),
    }
}

/// The shortest wait, whatever pause the provider asks for: one that always asks for a short one must not be asked
/// without end. A pause of nothing, or until a time in the past, is none.
fn least_wait(page: Option<&Page>, after: Duration) -> Duration {
    let own = own_wait(page);
    if after < SHORTEST_WISH { own } else { own / 4 }
}

/// How long a message is tried; `None` for a brief, which is tried until it is withdrawn.
fn life(purpose: &PagePurpose) -> Option<Duration> {
    match purpose {
        PagePurpose::Brief { .. } => None,
        PagePurpose::Taken { .. }
        | PagePurpose::HandedBack { .. }
        | PagePurpose::StoodDown
        | PagePurpose::Announced
        | PagePurpose::Resolved
        | PagePurpose::RoomCard
        | PagePurpose::RoomLine { .. }
        | PagePurpose::RoomNote { .. }
        | PagePurpose::RoomInvite { .. } => Some(NOTICE_LIFE),
        PagePurpose::RoomUpdate { .. }
        | PagePurpose::RoomFurnish
        | PagePurpose::RoomSummary
        | PagePurpose::RoomArchive => Some(ROOM_LIFE),
        PagePurpose::Notice { .. } => Some(SYSTEM_LIFE),
    }
}
