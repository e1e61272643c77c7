//! The silences that are in force, folded from Stentor's own chain.

use crate::core::{
    Alert, SourceEvent, Timestamp, TriggerName,
    judgement::SilencedUntil,
    silence::{MatcherSet, SILENCES_MAX, Silence, SilenceId, SilenceState},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a silence is shown after its end.
const SHOWN_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);

/// The most that are shown: of more, those go that ended first.
const SHOWN_MAX: usize = 10 * SILENCES_MAX;

/// How long after the end of a silence what it held may still wait, because the store is busy.
const LOOKED_AT_AFTER: Duration = Duration::from_secs(3600);

/// A silence, ready to be compared with alerts.
#[derive(Debug)]
struct KeptSilence {
    silence: Silence,
    /// `None` of one that is over.
    set: Option<MatcherSet>,
}

/// All silences that are shown, and which of them have changed since what they hold was last judged.
#[derive(Debug, Default)]
pub struct SilenceRegister {
    kept: RwLock<BTreeMap<SilenceId, KeptSilence>>,
    changed: Mutex<ChangedSilences>,
    /// How often one was changed since the start.
    version: AtomicU64,
}

/// Silences of which what they hold is to be judged anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ChangedSilences {
    /// None of them.
    #[default]
    Nothing,
    /// These.
    These(BTreeSet<SilenceId>),
    /// Any, maintenance windows as well: there is another matrix.
    All,
}

impl ChangedSilences {
    /// Whether it is among them.
    pub fn contains(&self, id: SilenceId) -> bool {
        match self {
            Self::Nothing => false,
            Self::These(ids) => ids.contains(&id),
            Self::All => true,
        }
    }

    fn add(&mut self, more: Self) {
        match (self, more) {
            (_, Self::Nothing) | (Self::All, _) => {}
            (Self::These(ids), Self::These(more)) => ids.extend(more),
            (all, more) => *all = more,
        }
    }
}

impl SilenceRegister {
    /// All that are shown at `now`, those that end first first.
    pub fn all(&self, now: Timestamp) -> Vec<Silence> {
        let shown = |kept: &&KeptSilence| now < kept.silence.ends_at + SHOWN_AFTER;
        let mut all: Vec<_> = self.read(|all| all.values().filter(shown).map(|kept| kept.silence.clone()).collect());
        all.sort_by_key(|silence: &Silence| (silence.ends_at, silence.id));
        all
    }

    /// One of them.
    pub fn get(&self, id: SilenceId) -> Option<Silence> {
        self.read(|all| all.get(&id).map(|kept| kept.silence.clone()))
    }

    /// Whether there is room for one more besides these, which end.
    pub fn has_room(&self, ending: Option<SilenceId>, now: Timestamp) -> bool {
        let counts =
            |kept: &&KeptSilence| kept.silence.state(now) != SilenceState::Expired && Some(kept.silence.id) != ending;
        self.read(|all| all.values().filter(counts).count()) < SILENCES_MAX
    }

    /// Whether one may hold something: it is in force, or was a moment ago.
    pub fn may_hold(&self, now: Timestamp) -> bool {
        let may = |kept: &KeptSilence| kept.silence.starts_at <= now && now < kept.silence.ends_at + LOOKED_AT_AFTER;
        self.read(|all| all.values().any(may))
    }

    /// The one that holds an alert of this trigger longest.
    pub fn holding(&self, alert: &Alert, trigger: &TriggerName, now: Timestamp) -> Option<SilencedUntil> {
        self.read(|all| {
            let active = all.values().filter(|kept| kept.silence.state(now) == SilenceState::Active);
            let matching = active.filter(|kept| kept.set.as_ref().is_some_and(|set| set.matches(alert, trigger)));
            let last = matching.max_by_key(|kept| (kept.silence.ends_at, kept.silence.id))?;
            Some(SilencedUntil { silence: last.silence.id, until: last.silence.ends_at })
        })
    }

    /// Notes that what these hold is to be judged anew.
    pub fn note_changed(&self, changed: ChangedSilences) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).add(changed);
    }

    /// Takes what was noted so.
    pub fn take_changed(&self) -> ChangedSilences {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something was noted so.
    pub fn has_changed(&self) -> bool {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) != ChangedSilences::Nothing
    }

    /// How often one was changed since the start: who reads it before they ask what holds an alert can see afterwards that
    /// the answer is out of date.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// Applies a journaled event.
    pub fn apply(&self, now: Timestamp, event: &SourceEvent) {
        self.change(now, event);
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    fn change(&self, now: Timestamp, event: &SourceEvent) {
        match event {
            SourceEvent::SilenceKept { silence, .. } => self.write(|all| {
                all.retain(|_, kept| now < kept.silence.ends_at + SHOWN_AFTER);
                for kept in all.values_mut().filter(|kept| kept.silence.ends_at <= now) {
                    kept.set = None;
                }
                if SHOWN_MAX <= all.len()
                    && let Some(first) = all.values().map(|kept| (kept.silence.ends_at, kept.silence.id)).min()
                {
                    all.remove(&first.1);
                }
                let set = Some(MatcherSet::new(&silence.matchers)).filter(|_| now < silence.ends_at);
                all.insert(silence.id, KeptSilence { silence: silence.clone(), set });
            }),
            SourceEvent::SilenceEnded { silence, .. } => self.write(|all| {
                if let Some(kept) = all.get_mut(silence) {
                    kept.set = None;
                    kept.silence.ends_at = kept.silence.ends_at.min(now);
                    kept.silence.updated_at = now;
                    kept.silence.starts_at = kept.silence.starts_at.min(kept.silence.ends_at);
                }
            }),
            _ => {}
        }
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<SilenceId, KeptSilence>) -> T) -> T {
        read(&self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut BTreeMap<SilenceId, KeptSilence>)) {
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}
