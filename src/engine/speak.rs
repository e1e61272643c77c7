//! Humans' words in: answers by every way, and the end of an incident.

use super::Engine;
use crate::{
    core::{
        Actor, Answer, AnswerVerdict, AnswerVia, ChannelName, ClassificationKind, Event, GivenAnswer, Incident,
        IncidentId, IncidentInput, Page, PageId, PagePurpose, PageState, PersonName, RoleName, page::PageStage,
    },
    store::{AskedQuery, AskedStanding, LockSet, RequestClass, StoreError, Transaction, earlier, transact},
};
use std::{sync::Arc, time::Duration};

/// How long after its incident's end a page's code is still known: who answers late hears that it is over. Codes are short:
/// were they known for ever, everybody's next guess would be one of an old page.
pub const CODE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a report about a page waits until it is kept that its provider took it. Providers wait 15 s for us.
pub const SETTLE_WAIT: Duration = Duration::from_secs(10);

/// A page that a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodedPage {
    /// It.
    pub page: PageId,
    /// Whether its incident is open.
    pub open: bool,
}

/// What waits for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingPages {
    /// The roles that they were asked for and that nobody has yet, of the newest incidents.
    pub roles: Vec<(IncidentId, RoleName)>,
    /// How many older incidents wait for them besides.
    pub more: usize,
}

/// Why an answer came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// No such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// The store can not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Takes an authenticated person's answer in. The verdict is durable when this returns.
    pub async fn answer(&self, id: IncidentId, said: GivenAnswer) -> Result<AnswerVerdict, AnswerError> {
        let events = self.step(id, IncidentInput::Answer(said)).await?;
        let verdict = events.into_iter().find_map(|happened| match happened.event {
            Event::Answered { verdict, .. } => Some(verdict),
            _ => None,
        });
        verdict.ok_or(AnswerError::NoIncident(id))
    }

    /// An answer to a page. Without a word it is the answer that the page asks for.
    pub async fn answer_page(
        &self,
        page: PageId,
        person: PersonName,
        answer: Option<Answer>,
        via: AnswerVia,
    ) -> Result<AnswerVerdict, AnswerError> {
        let incident = self.store.view(page.incident).await?.ok_or(AnswerError::NoIncident(page.incident))?;
        let answer = answer.unwrap_or_else(|| asked_of(&incident, page.n));
        self.answer(page.incident, GivenAnswer { person, answer, via, page: Some(page.n), role: None }).await
    }

    /// Whether an incident is a drill; one that is not there is none.
    pub async fn is_drill(&self, id: IncidentId) -> Result<bool, StoreError> {
        Ok(self.store.view(id).await?.is_some_and(|incident| incident.drill))
    }

    /// Closes an incident; whether it was open.
    pub async fn resolve(&self, id: IncidentId, by: Actor) -> Result<bool, StoreError> {
        self.resolve_because(id, by, None).await
    }

    /// The same, for a reason that everybody who was asked reads.
    pub async fn resolve_because(&self, id: IncidentId, by: Actor, why: Option<String>) -> Result<bool, StoreError> {
        Ok(!self.step(id, IncidentInput::Resolve { by, why }).await?.is_empty())
    }

    /// Closes an incident and keeps what it was in the same commit; whether it was open. For one that is over already,
    /// only what it was.
    pub async fn resolve_as(
        &self,
        id: IncidentId,
        by: Actor,
        why: Option<String>,
        was: Option<(ClassificationKind, Option<String>)>,
    ) -> Result<bool, StoreError> {
        let live = self.live.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            let was_open = !unit
                .step(id, IncidentInput::Resolve { by: by.clone(), why: why.clone() }, &live.matrix.roster)
                .is_empty();
            if let Some((finding, note)) = was.clone() {
                unit.step(id, IncidentInput::Judge { by: by.clone(), finding, note }, &live.matrix.roster);
            }
            was_open
        };
        Ok(transact(&*self.store, RequestClass::Ladder, needs, run).await?.0)
    }

    /// A device or screen reports how far a page got.
    pub async fn report(&self, page: PageId, stage: PageStage) -> Result<(), StoreError> {
        self.step(page.incident, IncidentInput::Reported { page: page.n, stage }).await.map(drop)
    }

    /// Its person's desk shows a page.
    pub async fn shown_at_desk(&self, page: PageId) -> Result<(), StoreError> {
        self.step(page.incident, IncidentInput::ShownAtDesk { page: page.n }).await.map(drop)
    }

    /// The same of the message that the provider calls `id`: it counts only if that is the one that was accepted. One of
    /// an attempt before, whose outcome was not known, says nothing about it.
    pub async fn undelivered_message(&self, page: PageId, id: &str, why: String) -> Result<(), StoreError> {
        let row = self.settled(page).await?;
        let other = row.and_then(|row| row.receipt.as_ref().map(|kept| kept.id != id)).unwrap_or(false);
        if other { Ok(()) } else { self.undelivered(page, why).await }
    }

    /// The provider says that a page which it had taken did not arrive. It may say so before we have kept that it took
    /// the page at all: that is waited for, at most [`SETTLE_WAIT`].
    pub async fn undelivered(&self, page: PageId, why: String) -> Result<(), StoreError> {
        self.settled(page).await?;
        self.step(page.incident, IncidentInput::Undelivered { page: page.n, why }).await.map(drop)
    }

    /// A page once it is no longer being sent, or as it is after [`SETTLE_WAIT`].
    async fn settled(&self, page: PageId) -> Result<Option<Arc<Page>>, StoreError> {
        let mut changes = self.changes();
        let look = async || {
            let incident = self.store.view(page.incident).await?;
            Ok::<_, StoreError>(incident.and_then(|incident| incident.pages.get(&page.n).cloned()))
        };
        let wait = async {
            loop {
                let row = look().await?;
                if row.as_ref().is_none_or(|row| row.state != PageState::Queued) {
                    return Ok(row);
                }
                // Missed changes are changes: it is looked again.
                let _ = changes.recv().await;
            }
        };
        match tokio::time::timeout(SETTLE_WAIT, wait).await {
            Ok(row) => row,
            Err(_) => look().await,
        }
    }

    /// What waits for this person, newest first: of the first `most` incidents the roles by name, of the others how many.
    pub async fn waiting_for(&self, person: &PersonName, most: usize) -> Result<WaitingPages, StoreError> {
        let query = AskedQuery { standing: AskedStanding::Waits, oldest: false, limit: most };
        let asked = self.store.asked(person.clone(), query).await?;
        let mut waiting = WaitingPages { roles: Vec::new(), more: asked.total.saturating_sub(asked.incidents.len()) };
        for id in asked.incidents {
            let incident = match self.store.view(id).await {
                // One that can not be read hides no other.
                Err(StoreError::Corrupt { .. }) => continue,
                incident => incident?,
            };
            let Some(incident) = incident else { continue };
            waiting.roles.extend(incident.waiting_roles(person).map(|role| (id, role.clone())));
        }
        Ok(waiting)
    }

    /// Which page of this person a code belongs to. Every brief of theirs is compared that is open or ended within
    /// [`CODE_KEPT`], however many there are. Of several with one code it is one that waits for them, else an open one,
    /// and of these the newest.
    pub async fn page_with_code(&self, person: &PersonName, code: &str) -> Result<Option<CodedPage>, StoreError> {
        let ended_since = earlier(self.store.now(), CODE_KEPT);
        let mut briefs = self.store.briefs_of(person.clone(), ended_since).await?;
        briefs.retain(|of| self.keys.is_code(of.brief, code));
        Ok(briefs.into_iter().max().map(|of| CodedPage { page: of.brief.page, open: of.open }))
    }

    /// The page that this channel's provider gave this id, the newest one; an empty id names none.
    pub async fn page_with_receipt(&self, channel: &ChannelName, id: &str) -> Result<Option<PageId>, StoreError> {
        if id.is_empty() {
            return Ok(None);
        }
        self.store.page_by_receipt(channel.clone(), id.to_owned()).await
    }
}

/// The answer that a page asks for.
pub fn asked_of(incident: &Incident, n: u32) -> Answer {
    let page = incident.pages.get(&n).filter(|page| matches!(page.purpose, PagePurpose::Brief { .. }));
    let row = page.and_then(|page| page.role.as_ref()).and_then(|role| incident.plan.roles.get(role));
    row.map_or(Answer::Wilco, |row| Answer::of_level(row.engaged_by))
}
