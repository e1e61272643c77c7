//! Silences are made, changed and ended.

use crate::{
    core::{
        Actor, SourceEvent, SourceName, Timestamp,
        judgement::{JudgementLayer, PendingAlert, of_row},
        names::SELF,
        silence::{Silence, SilenceId, SilenceState},
    },
    engine::{
        admission::{Admission, admission_result::AdmissionResult},
        runtime_config::RuntimeConfig,
        silences::ChangedSilences,
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{collections::BTreeSet, sync::Arc};

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

/// What alerts were judged by.
#[derive(Clone)]
pub(super) struct JudgementBasis {
    /// The matrix.
    pub config: Arc<RuntimeConfig>,
    /// The version of the silences.
    silences: u64,
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
        let shifted = |at: Timestamp| at.on_clock(civil, now);
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

    /// Keeps a silence, new or changed. What it does not hold any more is judged at once. One that it replaces ends with the
    /// same commit.
    ///
    /// # Errors
    /// What is wrong with it; then nothing has changed.
    pub async fn keep_silence(
        &self,
        silence: Silence,
        replaces: Option<SilenceId>,
        by: Actor,
    ) -> Result<SilenceId, SilenceFault> {
        let now = self.context.store.now();
        if let Some(flaw) = silence.flaw(now) {
            return Err(SilenceFault::Flaw(flaw));
        }
        if self.windows().iter().any(|window| window.id == silence.id || Some(window.id) == replaces) {
            return Err(SilenceFault::OfMatrix);
        }
        if self.context.silences.get(silence.id).is_none() && !self.context.silences.has_room(replaces, now) {
            return Err(SilenceFault::NoRoom);
        }
        let id = silence.id;
        let ends = replaces.map(|id| (SourceEvent::SilenceEnded { silence: id, by: by.clone() }, id));
        self.note_silences(ends.into_iter().chain([(SourceEvent::SilenceKept { silence, by }, id)]).collect()).await?;
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
        self.note_silences(vec![(SourceEvent::SilenceEnded { silence: id, by }, id)]).await?;
        Ok(silence)
    }

    /// Journals these, and looks again at what their silences hold. That comes after the change is in force: what is judged
    /// meanwhile is held by the silence as it was.
    async fn note_silences(&self, events: Vec<(SourceEvent, SilenceId)>) -> Result<(), StoreError> {
        let source = SourceName::from(SELF);
        let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
        let noted = events.clone();
        let run = move |tx: &mut Transaction<'_>| {
            noted.iter().for_each(|(event, _)| tx.record_source(&source, event.clone()));
        };
        let (_, committed) = transact(&*self.context.store, RequestClass::Ladder, needs, run).await?;
        for (event, id) in &events {
            self.context.silences.apply(committed.at, event);
            tracing::info!(silence = %id, "a silence was changed");
        }
        self.silences_changed(ChangedSilences::These(events.into_iter().map(|(_, id)| id).collect())).await;
        Ok(())
    }

    /// What these hold is judged anew: now, or as soon as the store takes it.
    pub(super) async fn silences_changed(&self, changed: ChangedSilences) {
        self.context.silences.note_changed(changed);
        if let Err(error) = self.look_again_at_silenced().await {
            tracing::error!(%error, "what a changed silence holds could not be looked at again; trying again");
        }
    }

    /// Whether silences have changed and what they hold was not looked at again.
    pub fn has_changed_silences(&self) -> bool {
        self.context.silences.has_changed()
    }

    /// Makes due what changed silences hold.
    ///
    /// # Errors
    /// Those of the store: it has to be done again.
    pub(super) async fn look_again_at_silenced(&self) -> Result<(), StoreError> {
        let changed = Arc::new(self.context.silences.take_changed());
        if *changed == ChangedSilences::Nothing {
            return Ok(());
        }
        let (meant, config) = (changed.clone(), self.context.config.load_full());
        // By another matrix an alert may not have to wait, or have another trigger.
        let is_other = move |row: &str, pending: &PendingAlert| {
            let trigger = of_row(row).and_then(|(trigger, _)| config.matrix.triggers.get(&trigger));
            let has_delay = trigger.is_some_and(|trigger| trigger.layers.delay.is_some());
            trigger.is_none() || (pending.layer == JudgementLayer::Delay && !has_delay)
        };
        let run = move |tx: &mut Transaction<'_>| {
            tx.look_again_at(|row, pending| {
                let is_silenced = pending.silence.is_some_and(|id| meant.contains(id));
                is_silenced || (*meant == ChangedSilences::All && is_other(row, pending))
            })
        };
        let looked = transact(&*self.context.store, RequestClass::Ladder, LockSet::default(), run).await;
        if looked.is_err() {
            self.context.silences.note_changed(ChangedSilences::clone(&changed));
        }
        looked.map(|_| ())
    }

    /// What alerts are judged by from here on.
    pub(super) fn basis(&self) -> JudgementBasis {
        JudgementBasis { silences: self.context.silences.version(), config: self.context.config.load_full() }
    }

    /// Looks again at what was held by a silence, if matrix or silences have changed since it was judged.
    pub(super) async fn check_held(&self, basis: &JudgementBasis, results: impl Iterator<Item = &AdmissionResult>) {
        let held = results.filter_map(|result| match result {
            AdmissionResult::Held { silence, .. } => *silence,
            _ => None,
        });
        let held: BTreeSet<SilenceId> = held.collect();
        let is_other = || !Arc::ptr_eq(&basis.config, &self.context.config.load());
        if !held.is_empty() && (self.context.silences.version() != basis.silences || is_other()) {
            self.silences_changed(ChangedSilences::These(held)).await;
        }
    }
}
