//! What comes back from people and providers: answers, reports of delivery, the end of an incident.

use crate::{
    core::{
        Actor, Answer, AnswerVerdict, AnswerVia, ChannelName, ClassificationKind, Event, GivenAnswer, Incident,
        IncidentId, IncidentInput, Page, PageId, PagePurpose, PageState, PersonName, RoleName, page::PageStage,
    },
    engine::inbound::InboundResponses,
    store::{AskedQuery, AskedStanding, LockSet, RequestClass, StoreError, Transaction, earlier, transact},
};
use std::{sync::Arc, time::Duration};

/// How long after the end of its incident a page's code is still known, so that a late answer is told that it is over.
/// Codes are short, so they can not be known for ever: a guess would sooner or later match an old page.
pub const CODE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a report about a page waits until the page counts as accepted. Providers wait 15 s for us.
pub const SETTLE_WAIT: Duration = Duration::from_secs(10);

/// The page that a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodedPage {
    /// The page.
    pub page: PageId,
    /// Whether its incident is open.
    pub open: bool,
}

/// What waits for a person's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingPages {
    /// Roles that they were asked for and that nobody has yet, of the newest incidents.
    pub roles: Vec<(IncidentId, RoleName)>,
    /// How many older incidents wait for them as well.
    pub more: usize,
}

/// How an answer came.
#[derive(Debug, Clone)]
pub struct AnswerSource {
    /// By what.
    pub via: AnswerVia,
    /// What its provider calls the message, where it may hand that over twice.
    pub origin: Option<String>,
}

impl From<AnswerVia> for AnswerSource {
    fn from(via: AnswerVia) -> Self {
        Self { via, origin: None }
    }
}

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// The store can not keep the answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InboundResponses {
    /// Takes the answer of an authenticated person. The verdict is durable when this returns. A message that had
    /// answered before is [`AnswerVerdict::Repeated`] and changes nothing, over a restart, too.
    pub async fn answer(&self, id: IncidentId, said: GivenAnswer) -> Result<AnswerVerdict, AnswerError> {
        let origin = said.origin.clone();
        let events = self.context.step(id, IncidentInput::Answer(said)).await?;
        let verdict = events.into_iter().find_map(|happened| match happened.event {
            Event::Answered { verdict, .. } => Some(verdict),
            _ => None,
        });
        match (verdict, origin) {
            (Some(verdict), _) => Ok(verdict),
            (None, Some(origin)) if self.has_heard(id, &origin).await? => Ok(AnswerVerdict::Repeated),
            (None, _) => Err(AnswerError::NoIncident(id)),
        }
    }

    /// Withdraws a request. Returns whether it was open.
    pub async fn cancel(&self, id: IncidentId, by: Actor, why: Option<String>) -> Result<bool, StoreError> {
        Ok(!self.context.step(id, IncidentInput::Cancel { by, why }).await?.is_empty())
    }

    pub(super) async fn has_heard(&self, id: IncidentId, origin: &str) -> Result<bool, StoreError> {
        Ok(self.context.store.view(id).await?.is_some_and(|incident| incident.has_heard(origin)))
    }

    /// Takes an answer to a page; `None` stands for the answer that the page asks for.
    pub async fn answer_page(
        &self,
        page: PageId,
        person: PersonName,
        answer: Option<Answer>,
        by: impl Into<AnswerSource>,
    ) -> Result<AnswerVerdict, AnswerError> {
        let incident = self.context.store.view(page.incident).await?.ok_or(AnswerError::NoIncident(page.incident))?;
        let answer = answer.unwrap_or_else(|| asked_of(&incident, page.n));
        let AnswerSource { via, origin } = by.into();
        self.answer(page.incident, GivenAnswer { person, answer, via, page: Some(page.n), role: None, origin }).await
    }

    /// Resolves an incident. Returns whether it was open.
    pub async fn resolve(&self, id: IncidentId, by: Actor) -> Result<bool, StoreError> {
        self.resolve_because(id, by, None).await
    }

    /// Resolves an incident for a reason that everybody who was asked can read. Returns whether it was open.
    pub async fn resolve_because(&self, id: IncidentId, by: Actor, why: Option<String>) -> Result<bool, StoreError> {
        Ok(!self.context.step(id, IncidentInput::Resolve { by, why }).await?.is_empty())
    }

    /// Resolves an incident and records its classification in the same commit. Returns whether it was open; if it was
    /// over already, only the classification is recorded.
    pub async fn resolve_as(
        &self,
        id: IncidentId,
        by: Actor,
        why: Option<String>,
        was: Option<(ClassificationKind, Option<String>)>,
    ) -> Result<bool, StoreError> {
        let config = self.context.config.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            let was_open = !tx
                .step(id, IncidentInput::Resolve { by: by.clone(), why: why.clone() }, &config.matrix.roster)
                .is_empty();
            if let Some((finding, note)) = was.clone() {
                tx.step(id, IncidentInput::Judge { by: by.clone(), finding, note }, &config.matrix.roster);
            }
            was_open
        };
        Ok(transact(&*self.context.store, RequestClass::Ladder, needs, run).await?.0)
    }

    /// Records how far a page got, as a device or a screen reports it.
    pub async fn report(&self, page: PageId, stage: PageStage) -> Result<(), StoreError> {
        self.context.step(page.incident, IncidentInput::Reported { page: page.n, stage }).await.map(drop)
    }

    /// Records that the person's desk shows a page.
    pub async fn shown_at_desk(&self, page: PageId) -> Result<(), StoreError> {
        self.context.step(page.incident, IncidentInput::ShownAtDesk { page: page.n }).await.map(drop)
    }

    /// Records that the message with the provider's id `id` did not arrive. It counts only if that message was the
    /// accepted one: an earlier attempt with an unknown outcome says nothing about the page.
    pub async fn undelivered_message(&self, page: PageId, id: &str, why: String) -> Result<(), StoreError> {
        let row = self.settled(page).await?;
        let other = row.and_then(|row| row.receipt.as_ref().map(|kept| kept.id != id)).unwrap_or(false);
        if other { Ok(()) } else { self.undelivered(page, why).await }
    }

    /// Records that a page did not arrive although the provider had accepted it. The report may come before that was
    /// recorded, so it waits for that, at most `SETTLE_WAIT`.
    pub async fn undelivered(&self, page: PageId, why: String) -> Result<(), StoreError> {
        self.settled(page).await?;
        self.context.step(page.incident, IncidentInput::Undelivered { page: page.n, why }).await.map(drop)
    }

    /// The page as soon as it is not being sent any more, at the latest after [`SETTLE_WAIT`].
    async fn settled(&self, page: PageId) -> Result<Option<Arc<Page>>, StoreError> {
        let mut changes = self.context.changes();
        let look = async || {
            let incident = self.context.store.view(page.incident).await?;
            Ok::<_, StoreError>(incident.and_then(|incident| incident.pages.get(&page.n).cloned()))
        };
        let wait = async {
            loop {
                let row = look().await?;
                if row.as_ref().is_none_or(|row| row.state != PageState::Queued) {
                    return Ok(row);
                }
                // If changes were missed, it looks again as well.
                let _ = changes.recv().await;
            }
        };
        match tokio::time::timeout(SETTLE_WAIT, wait).await {
            Ok(row) => row,
            Err(_) => look().await,
        }
    }

    /// What waits for this person, newest first: the roles of the first `most` incidents by name, the others as a
    /// number.
    pub async fn waiting_for(&self, person: &PersonName, most: usize) -> Result<WaitingPages, StoreError> {
        let query = AskedQuery { standing: AskedStanding::Waits, oldest: false, limit: most };
        let asked = self.context.store.asked(person.clone(), query).await?;
        let mut waiting = WaitingPages { roles: Vec::new(), more: asked.total.saturating_sub(asked.incidents.len()) };
        for id in asked.incidents {
            let incident = match self.context.store.view(id).await {
                // An unreadable incident does not hide the others.
                Err(StoreError::Corrupt { .. }) => continue,
                incident => incident?,
            };
            let Some(incident) = incident else { continue };
            waiting.roles.extend(incident.waiting_roles(person).map(|role| (id, role.clone())));
        }
        Ok(waiting)
    }

    /// The page of this person that a code belongs to. All their briefs are compared that are open or ended within
    /// [`CODE_KEPT`], however many there are. If several have this code, one that waits for them wins, then an open
    /// one, then the newest.
    pub async fn page_with_code(&self, person: &PersonName, code: &str) -> Result<Option<CodedPage>, StoreError> {
        let ended_since = earlier(self.context.store.now(), CODE_KEPT);
        let mut briefs = self.context.store.briefs_of(person.clone(), ended_since).await?;
        briefs.retain(|of| self.context.keys.is_code(of.brief, code));
        Ok(briefs.into_iter().max().map(|of| CodedPage { page: of.brief.page, open: of.open }))
    }

    /// The newest page to which this channel's provider gave this id; `None` for an empty id.
    pub async fn page_with_receipt(&self, channel: &ChannelName, id: &str) -> Result<Option<PageId>, StoreError> {
        if id.is_empty() {
            return Ok(None);
        }
        self.context.store.page_by_receipt(channel.clone(), id.to_owned()).await
    }
}

/// The answer that a page asks for.
pub fn asked_of(incident: &Incident, n: u32) -> Answer {
    let page = incident.pages.get(&n).filter(|page| matches!(page.purpose, PagePurpose::Brief { .. }));
    let row = page.and_then(|page| page.role.as_ref()).and_then(|role| incident.plan.roles.get(role));
    row.map_or(Answer::Wilco, |row| Answer::of_level(row.engaged_by))
}
