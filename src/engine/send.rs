//! One attempt to send one page, from its turn to its settlement.

use super::{
    Engine,
    caught::{caught, caught_in},
    compose::ComposedMessage,
    delivery::{RETRY_AFTER_MAX, ReadyPages},
};
use crate::{
    channel::SendError,
    core::{
        FaultKind, HeldWhy, IncidentInput, Page, PageId, PagePurpose, SendOutcome, SendReceipt, Timestamp,
        retry::{backoff, backoff_to},
        settlement::TOO_LATE,
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{sync::atomic::Ordering, time::Duration};

/// How soon a page is tried again that this node may not send before its lease is renewed.
const LEASE_WAIT: Duration = Duration::from_millis(200);

/// How long a word that asks for nothing is tried for: past that it is no news.
const NOTICE_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long another system is told what happened: it may be down over night, and wants to know all the same.
const SYSTEM_LIFE: Duration = Duration::from_secs(24 * 3600);

/// The longest wait between two attempts to tell another system.
const SYSTEM_LONGEST: Duration = Duration::from_secs(5 * 60);

/// How long a room is tried to be kept in order: what its card shows, whether it is put away. This does not age.
const ROOM_LIFE: Duration = Duration::from_secs(6 * 3600);

/// At this refusal a page whose channel panics is given up by it.
const PANICS_MAX: u32 = 3;

/// Why a page was refused whose channel panicked; what the panic said is in the log alone, for it may tell anything.
const PANICKED: &str = "a bug in Stentor, which is in the log";

/// How an attempt ended, to be settled.
#[derive(Debug, Clone)]
pub struct SendAttempt {
    /// Which page.
    pub page: PageId,
    /// When it began.
    pub sent_at: Timestamp,
    /// When it ended: a provider's wish counts from there, however long the store takes to keep it.
    pub ended_at: Timestamp,
    /// What was shown: content hash and text.
    pub shown: (String, String),
    /// What the channel said.
    pub result: Result<SendReceipt, SendError>,
    /// What a drill made go wrong on purpose: then no channel was asked.
    pub trouble: Option<FaultKind>,
}

impl Engine {
    /// What may be sent now.
    pub fn tick_delivery(&self) -> ReadyPages {
        let (now, live) = (self.store.now(), self.live.load());
        let everywhere = crate::core::retry::SendPace { every: Duration::from_millis(100), burst: 10 };
        self.delivery().ready(now, |channel| live.channels.get(channel).map_or(everywhere, |wired| wired.pace))
    }

    /// Sends a page whose turn it is and settles it. Bounded in time by its channel's timeout, as long as the store can
    /// keep how it ended.
    pub async fn send(&self, page: PageId) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let Some(composed) = self.prepare(page).await? else { return Ok(()) };
        let sent_at = self.store.now();
        let Some(wired) = live.channels.get(&composed.channel) else {
            let why = "the channel is not in the matrix any more".to_owned();
            return self.settle(page, SendOutcome::Unreachable { why }, None, None).await;
        };
        if let Some((trouble, result)) = self.injected(&composed, sent_at) {
            let shown = (composed.hash, composed.shown);
            return self
                .keep_attempt(&SendAttempt { page, sent_at, ended_at: sent_at, shown, result, trouble: Some(trouble) })
                .await;
        }
        // A room's own trouble says nothing about reaching people; a webhook has nothing but posts.
        let person = composed.message.to.person();
        let guarded = person.is_some() || composed.message.purpose.is_notice();
        let left = person.as_ref().and_then(|person| self.is_closed_to(&composed.channel, person));
        let closed = || guarded.then(|| self.breakers().closed_to(&composed.channel, sent_at)).flatten();
        if let Some(why) = left.or_else(closed) {
            return self.settle(page, SendOutcome::Unreachable { why }, None, None).await;
        }
        let sending = caught_in(async { wired.channel.send(&composed.message).await });
        let result = match tokio::time::timeout(wired.timeout, sending).await {
            Ok(Ok(result)) => result,
            Ok(Err(why)) => {
                tracing::error!(page.id = %page, why, "the channel panicked, which is a bug; it counts as a refusal");
                self.panicked(page).await
            }
            Err(_) => {
                let why = format!("no answer within {}", humantime::format_duration(wired.timeout));
                Err(SendError::Retry { after: None, why, unknown: true })
            }
        };
        let ended_at = self.store.now();
        self.metrics.sent(&composed.channel, composed.message.drill, &result, ended_at.since(sent_at));
        let attempt =
            SendAttempt { page, sent_at, ended_at, shown: (composed.hash, composed.shown), result, trouble: None };
        self.keep_attempt(&attempt).await?;
        if guarded {
            self.watch_channel(&composed.channel, &attempt.result).await;
        }
        if let Some(person) = person {
            self.watch_person(&composed.channel, &person, &attempt.result).await;
        }
        Ok(())
    }

    /// What a panic means: a refusal, and what may have been sent all the same. After some of them the channel reaches
    /// nobody with this page, which goes round.
    async fn panicked(&self, page: PageId) -> Result<SendReceipt, SendError> {
        let incident = self.store.view(page.incident).await.ok().flatten();
        let refusals = incident.as_ref().and_then(|incident| incident.pages.get(&page.n)).map_or(0, |row| row.refusals);
        match refusals + 1 {
            ..PANICS_MAX => Err(SendError::Retry { after: None, why: PANICKED.to_owned(), unknown: true }),
            _ => Err(SendError::unreachable(PANICKED)),
        }
    }

    /// The attempt panicked beside the channel: while it was prepared, or settled.
    pub async fn refuse_for_panic(&self, page: PageId) -> Result<(), StoreError> {
        let now = self.store.now();
        let settlement = match self.panicked(page).await {
            Err(SendError::Retry { after, why, unknown }) => self.again(page, after, why, unknown, now).await?,
            _ => SendOutcome::Unreachable { why: PANICKED.to_owned() },
        };
        self.settle(page, settlement, None, None).await
    }

    /// What was sent is not sent again because the store could not keep it: keeping it is tried again.
    async fn keep_attempt(&self, attempt: &SendAttempt) -> Result<(), StoreError> {
        while let Err(error) = self.finish(attempt).await {
            // Nothing is kept any more: of anything, or of this incident.
            if matches!(error, StoreError::Closed | StoreError::Corrupt { .. }) {
                return Err(error);
            }
            let page = attempt.page;
            tracing::error!(page.id = %page, %error, "how this page ended could not be kept; keeping it is tried again");
            tokio::time::sleep(crate::core::retry::FIRST).await;
        }
        Ok(())
    }

    /// Checks that a page is still wanted and may be sent by this node, and composes it. None when there is nothing to
    /// send; then it is settled or queued again.
    pub async fn prepare(&self, page: PageId) -> Result<Option<ComposedMessage>, StoreError> {
        let (now, live) = (self.store.now(), self.live.load_full());
        let lease = Timestamp::from_micros(self.lease_until.load(Ordering::Acquire));
        if lease < now + super::live::SEND_TIMEOUT_MAX {
            self.delivery().retry(page, now + LEASE_WAIT);
            self.wake.notify_one();
            return Ok(None);
        }
        let incident = self.store.view(page.incident).await?;
        // The last look before the send: whatever was committed by now is seen.
        if !self.store.is_wanted(page).await? {
            self.drop_unsent(page).await?;
            return Ok(None);
        }
        let Some((incident, row)) = incident.as_ref().and_then(|i| Some((i, i.pages.get(&page.n)?))) else {
            self.delivery().finish(page);
            return Ok(None);
        };
        if self.is_held(incident).await? {
            self.put_off(page);
            return Ok(None);
        }
        let composed = caught(|| self.compose(&live, incident, row)).unwrap_or_else(|why| {
            tracing::error!(page.id = %page, why, "composing this page panicked, which is a bug; it goes round");
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

    /// Settles an attempt. An error means that nothing was kept: it is to be called again.
    pub async fn finish(&self, attempt: &SendAttempt) -> Result<(), StoreError> {
        let SendAttempt { page, sent_at, ended_at, shown, result, trouble } = attempt.clone();
        let settlement = match result {
            Ok(receipt) => {
                if receipt.stand_in.is_none() {
                    self.delivery().took(page);
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
        // Where nothing was sent, nobody need hear how it ended.
        let sent_at = Some(sent_at).filter(|_| !trouble.as_ref().is_some_and(FaultKind::asks_no_channel));
        self.settle_as(page, settlement, sent_at, Some(shown), trouble).await
    }

    /// A page that was withdrawn before it was sent: it is noted, so that nobody is told who was never asked.
    pub async fn drop_unsent(&self, page: PageId) -> Result<(), StoreError> {
        self.settle(page, SendOutcome::Unsent, None, None).await?;
        self.delivery().finish(page);
        Ok(())
    }

    /// A page that may not be tried yet: the ladder hears of it, and may know another way.
    pub async fn hold(&self, page: PageId, until: Timestamp, why: HeldWhy) -> Result<(), StoreError> {
        self.settle(page, SendOutcome::Held { until, why }, None, None).await
    }

    /// The store failed before the attempt began: its turn comes again, unless its incident can not be read any more.
    /// Whether it comes.
    pub fn postpone(&self, page: PageId) -> bool {
        if self.store.is_quarantined(page.incident) {
            self.delivery().finish(page);
            return false;
        }
        let at = self.store.now() + crate::core::retry::FIRST;
        self.delivery().retry(page, at);
        self.wake.notify_one();
        true
    }

    /// Nothing was shown: what waits for a desk is tried again when one opens.
    async fn no_desk(&self, page: PageId, until: Timestamp, why: String) -> Result<SendOutcome, StoreError> {
        let incident = self.store.view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        if row.is_some_and(|row| row.purpose.waits_for_desk()) {
            self.delivery().desk_closed(page, until);
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
        // What the provider asked for holds for others of this channel, whatever can be read of this page's incident.
        if let Some(after) = after {
            self.delivery().throttled(page, after, now);
        }
        let incident = self.store.view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        Ok(again(row.map(|row| &**row), after, why, unknown, now))
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
        trouble: Option<FaultKind>,
    ) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let needs = LockSet { incidents: vec![page.incident], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            let text = shown.as_ref().map(|(hash, text)| {
                unit.keep_text(hash, text);
                hash.clone()
            });
            if let Some(trouble) = &trouble {
                let injected = IncidentInput::Injected { page: page.n, trouble: trouble.clone() };
                unit.step(page.incident, injected, &live.matrix.roster);
            }
            let input = IncidentInput::Settled { page: page.n, settlement: settlement.clone(), sent_at, text };
            unit.step(page.incident, input, &live.matrix.roster);
        };
        let ((), committed) = transact(&*self.store, RequestClass::Ladder, needs, run).await?;
        if committed.events.is_empty() {
            // It ended by another way, or belongs to another node now.
            self.delivery().finish(page);
        }
        Ok(())
    }
}

/// How an attempt that failed for now is settled; `after` is the pause that the provider asked for. A word that asks for
/// nothing is given up once it is no news any more.
pub fn again(page: Option<&Page>, after: Option<Duration>, why: String, unknown: bool, now: Timestamp) -> SendOutcome {
    if page.is_some_and(|page| life(&page.purpose).is_some_and(|life| page.born_at + life <= now)) {
        return SendOutcome::Unreachable { why: format!("{TOO_LATE}{why}") };
    }
    let refusals = page.map_or(0, |page| page.refusals);
    let longest = page.is_some_and(|page| page.purpose.is_notice()).then_some(SYSTEM_LONGEST);
    let own = longest.map_or_else(|| backoff(refusals + 1), |longest| backoff_to(refusals + 1, longest));
    let wait = after.map_or(own, |after| after.min(RETRY_AFTER_MAX));
    SendOutcome::Retry { at: now + wait, why, unknown }
}

/// How long a message is tried for; a brief until it is withdrawn.
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
