//! What is different about drills: they give way to live incidents, they end by themselves, and faults are injected
//! into them.

use crate::{
    channel::SendError,
    core::{
        FaultKind, Incident, IncidentId, IncidentInput, Page, PageId, SendReceipt, StandIn, Timestamp, page::PageStage,
    },
    engine::{context::each, delivery::Delivery, delivery::compose::ComposedMessage},
    store::StoreError,
};
use std::{
    collections::BTreeSet,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

/// How soon a page of a drill that may not go now is looked at again: by then the core has withdrawn it.
const HELD: Duration = Duration::from_millis(200);

impl Delivery {
    /// Stops every drill while a live incident is open. Returns how many. The live incident never waits for this.
    pub async fn tick_drills(&self) -> Result<usize, StoreError> {
        let open = self.context.store.open_now().await?;
        let Some(by) = open.live else { return Ok(0) };
        let stops = open.drills.iter().map(|id| self.context.step(*id, IncidentInput::Preempt { by }));
        let stopped = each(futures_util::future::join_all(stops).await)?;
        Ok(stopped.iter().filter(|events| !events.is_empty()).count())
    }

    /// Pages that a drill delays and that are due now.
    pub fn take_late(&self) -> Vec<PageId> {
        let now = self.context.store.now();
        let mut late = self.late();
        let rest = late.split_off(&(now + Duration::from_micros(1), PageId { incident: IncidentId(0), n: 0 }));
        std::mem::replace(&mut *late, rest).into_iter().map(|(_, page)| page).collect()
    }

    /// When [`Delivery::take_late`] has the next.
    pub fn next_late(&self) -> Option<Timestamp> {
        self.late().first().map(|(at, _)| *at)
    }

    /// Sends a page that a drill delayed, if the drill still runs and nobody has answered for its role.
    pub async fn bring_late(&self, page: PageId) -> Result<(), StoreError> {
        let Some(composed) = self.prepare_late(page).await? else { return Ok(()) };
        let config = self.context.config.load_full();
        let Some(active) = config.channels.get(&composed.channel) else { return Ok(()) };
        let person = composed.message.to.person();
        if let Some(why) = person.and_then(|person| self.inbound.opt_out_reason(&composed.channel, &person)) {
            return self.inbound.undelivered(page, why).await;
        }
        let sending = tokio::time::timeout(active.timeout, active.channel.send(&composed.message)).await;
        match sending {
            // A page in the sandbox has reached nobody, late or not.
            Ok(Ok(receipt)) if receipt.stand_in.is_some() => Ok(()),
            Ok(Ok(_)) => self.inbound.report(page, PageStage::Delivered).await,
            Ok(Err(error)) => self.inbound.undelivered(page, error.to_string()).await,
            Err(_) => self.inbound.undelivered(page, "no answer in time".to_owned()).await,
        }
    }

    /// Composes a delayed page; `None` if it is not wanted any more.
    pub async fn prepare_late(&self, page: PageId) -> Result<Option<ComposedMessage>, StoreError> {
        let Some(incident) = self.context.store.view(page.incident).await? else { return Ok(None) };
        let row = incident.pages.get(&page.n).filter(|row| is_still_due(&incident, row));
        let Some(row) = row else { return Ok(None) };
        if self.is_held(&incident).await? {
            return Ok(None);
        }
        Ok(self.compose(&self.context.config.load_full(), &incident, row).ok())
    }

    /// Whether no page of this incident may start now: it is a drill that is past its end, or a live incident is open.
    /// The closing messages of a drill that is over may go.
    pub(super) async fn is_held(&self, incident: &Incident) -> Result<bool, StoreError> {
        if !incident.drill || !incident.is_open() {
            return Ok(false);
        }
        Ok(incident.is_overdue_drill(self.context.store.now()) || self.context.store.open_now().await?.live.is_some())
    }

    /// Queues a page again that may not start now, until the core has decided what happens to its drill.
    pub(super) fn put_off(&self, page: PageId) {
        let at = self.context.store.now() + HELD;
        self.queues().retry(page, at);
        self.wake.notify_one();
    }

    /// The fault that a drill injects instead of sending a page, and its result; `None` if the page is sent.
    pub fn injected(
        &self,
        composed: &ComposedMessage,
        now: Timestamp,
    ) -> Option<(FaultKind, Result<SendReceipt, SendError>)> {
        let fault = composed.fault.clone()?;
        let taken = |stand_in| Ok(SendReceipt::of_stand_in(stand_in, fault.to_string()));
        let result = match &fault {
            FaultKind::Down { .. } => Err(SendError::retry(fault.to_string())),
            FaultKind::Broken { .. } => Err(SendError::broken(fault.to_string())),
            FaultKind::Absent { .. } => taken(StandIn::Drill),
            FaultKind::Delayed { by, .. } => {
                self.late().insert((now + *by, composed.message.page));
                self.wake.notify_one();
                // If the channel is in the sandbox, the delayed page will go there.
                let config = self.context.config.load();
                let is_sandboxed =
                    config.channels.get(&composed.channel).is_some_and(|active| active.sandboxed.is_some());
                taken(if is_sandboxed { StandIn::Sandbox } else { StandIn::Drill })
            }
        };
        Some((fault, result))
    }

    fn late(&self) -> MutexGuard<'_, BTreeSet<(Timestamp, PageId)>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A brief is due until its role has an outcome; when a drill is over, only its closing messages are.
fn is_still_due(incident: &Incident, page: &Page) -> bool {
    let role = page.role.as_ref().and_then(|role| incident.engagements.get(role));
    incident.is_open() && (!page.purpose.is_brief() || role.is_some_and(|engagement| engagement.is_open()))
}
