//! Silences are made, changed and ended.

use crate::{
    core::{
        Actor, SourceEvent, SourceName, Timestamp,
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
    /// It is a maintenance window.
    #[error("this is a maintenance window of the matrix: change it there")]
    OfMatrix,
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Admission {
    /// The silences that are in force, will be, or were within the last five days, with the maintenance windows of the
    /// matrix that are in force or come next; those that end first first.
    pub fn silences(&self) -> Vec<Silence> {
        let mut all = self.context.silences.all(self.context.store.now());
        all.extend(self.windows());
        all.sort_by_key(|silence| (silence.ends_at, silence.id));
        all
    }

    /// One of them.
    pub fn silence(&self, id: SilenceId) -> Option<Silence> {
        let window = || self.windows().into_iter().find(|window| window.id == id);
        self.context.silences.get(id).or_else(window)
    }

    /// On the store's clock, as silences are.
    fn windows(&self) -> Vec<Silence> {
        let (now, civil) = (self.context.store.now(), self.context.store.civil_now());
        let shifted = |at: Timestamp| Timestamp::from_micros(at.as_micros() + now.micros_since(civil));
        let config = self.context.config.load();
        let windows = config.matrix.maintenance.iter().filter_map(|window| window.at(civil));
        let own = |silence: Silence| Silence {
            starts_at: shifted(silence.starts_at),
            ends_at: shifted(silence.ends_at),
            updated_at: shifted(silence.updated_at),
            ..silence
        };
        windows.map(own).collect()
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
        if self.windows().iter().any(|window| window.id == silence.id) {
            return Err(SilenceFault::OfMatrix);
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
        if self.windows().iter().any(|window| window.id == id) {
            return Err(SilenceFault::OfMatrix);
        }
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
