//! Silences are made, changed and ended.

use crate::{
    core::{
        Actor, SourceEvent, SourceName,
        names::SELF,
        silence::{Silence, SilenceId, SilenceState},
    },
    engine::admission::Admission,
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};

/// Why a silence was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SilenceFault {
    /// Something is wrong with it.
    #[error("{0}")]
    Flaw(String),
    /// There are as many as there may be.
    #[error("there are as many silences as there may be: end some of them first")]
    NoRoom,
    /// There is none with this id, or it is over.
    #[error("no silence with this id is in force")]
    Unknown,
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Admission {
    /// The silences that are in force, will be, or were within the last five days; those that end first first.
    pub fn silences(&self) -> Vec<Silence> {
        self.context.silences.all()
    }

    /// One of them.
    pub fn silence(&self, id: SilenceId) -> Option<Silence> {
        self.context.silences.get(id)
    }

    /// Keeps a silence, new or changed. What it does not hold any more is judged at once.
    ///
    /// # Errors
    /// What is wrong with it; then nothing has changed.
    pub async fn keep_silence(&self, silence: Silence, by: Actor) -> Result<SilenceId, SilenceFault> {
        let now = self.context.store.now();
        if let Some(flaw) = silence.flaw(now) {
            return Err(SilenceFault::Flaw(flaw));
        }
        if self.context.silences.get(silence.id).is_none() && !self.context.silences.has_room(now) {
            return Err(SilenceFault::NoRoom);
        }
        let id = silence.id;
        self.note_silence(SourceEvent::SilenceKept { silence, by }, id).await?;
        Ok(id)
    }

    /// Ends a silence now. What it holds is judged at once.
    ///
    /// # Errors
    /// There is no such silence, or its end could not be kept.
    pub async fn end_silence(&self, id: SilenceId, by: Actor) -> Result<Silence, SilenceFault> {
        let now = self.context.store.now();
        let known = self.context.silences.get(id).filter(|silence| silence.state(now) != SilenceState::Expired);
        let silence = known.ok_or(SilenceFault::Unknown)?;
        self.note_silence(SourceEvent::SilenceEnded { silence: id, by }, id).await?;
        Ok(silence)
    }

    /// Journals it, and looks again at what this silence holds, in one commit.
    async fn note_silence(&self, event: SourceEvent, id: SilenceId) -> Result<(), StoreError> {
        let source = SourceName::from(SELF);
        let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
        let noted = event.clone();
        let run = move |tx: &mut Transaction<'_>| {
            tx.record_source(&source, noted.clone());
            tx.look_again_at_silenced(id)
        };
        let (waiting, committed) = transact(&*self.context.store, RequestClass::Ladder, needs, run).await?;
        self.context.silences.apply(committed.at, &event);
        tracing::info!(silence = %id, waiting, "a silence was changed");
        Ok(())
    }
}
