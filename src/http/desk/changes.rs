//! What is new on a desk since it was last told: the first time all of it, then only the cards that changed.
//!
//! A desk with a hundred pages is hundreds of kilobytes, and in a crisis it changes many times a second.

use crate::{
    core::{Incident, IncidentId, PageId, PersonName, Timestamp},
    engine::RuntimeConfig,
    http::{
        desk::{
            cards::{self, Card},
            snapshot::{AskedOf, DeskAbout, about, asked, readable},
        },
        state::AppState,
    },
    store::StoreError,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Weak},
};

/// The news of a desk.
#[derive(Serialize)]
pub struct DeskChange {
    /// Counts from 1, which is the whole desk. A desk that missed a number connects anew.
    pub seq: u64,
    /// When it was so.
    pub now: Timestamp,
    /// What is true of the desk as a whole, if it changed.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    about: Option<DeskAbout>,
    /// Its person's pages.
    pages: CardChanges,
    /// The rows of its board.
    incidents: CardChanges,
}

/// The whole desk in the form of version 0.1.0, whose pages may still be open in browsers.
#[derive(Serialize)]
pub struct WholeDesk {
    now: Timestamp,
    #[serde(flatten)]
    about: Option<DeskAbout>,
    pages: Vec<Box<RawValue>>,
    incidents: Vec<Box<RawValue>>,
}

impl DeskChange {
    /// The first change of a desk, which is all of it.
    pub fn into_whole(self) -> WholeDesk {
        let Self { now, about, pages, incidents, .. } = self;
        WholeDesk { now, about, pages: pages.cards, incidents: incidents.cards }
    }
}

impl DeskChange {
    /// The words of its pages as they are kept, once.
    pub fn take_shown(&mut self) -> Vec<(PageId, String)> {
        std::mem::take(&mut self.pages.shown)
    }
}

/// The news of one list of cards.
#[derive(Default, Serialize)]
struct CardChanges {
    /// The keys of all its cards in their order, if that changed. A card that is not among them is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Vec<String>>,
    /// The cards that are new or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Box<RawValue>>,
    /// The words of the pages among them, see [`Card::shown`].
    #[serde(skip)]
    shown: Vec<(PageId, String)>,
}

impl CardChanges {
    fn is_empty(&self) -> bool {
        self.order.is_none() && self.cards.is_empty()
    }
}

/// Which incidents have changed since a desk was last told.
pub enum ChangedIncidents {
    /// Any may have.
    Any,
    /// At most [`CHANGED_MAX`].
    These(BTreeSet<IncidentId>),
}

/// The largest number of changed incidents that are looked at one by one.
const CHANGED_MAX: usize = 64;

impl ChangedIncidents {
    /// None has.
    pub fn none() -> Self {
        Self::These(BTreeSet::new())
    }

    /// This one has, too.
    pub fn add(&mut self, id: IncidentId) {
        if let Self::These(ids) = self {
            ids.insert(id);
            if CHANGED_MAX < ids.len() {
                *self = Self::Any;
            }
        }
    }
}

/// What one desk was told last. It holds a digest of each card that the desk shows, and no card: their number is bounded
/// by the limits of a desk.
#[derive(Default)]
pub struct DeskChanges {
    seq: u64,
    config: Weak<RuntimeConfig>,
    about: u64,
    asked: AskedOf,
    pages: SentCards,
    incidents: SentCards,
}

impl DeskChanges {
    /// What is new, where these incidents have changed; `None` if nothing is.
    pub async fn next(
        &mut self,
        app: &AppState,
        person: &PersonName,
        changed: &ChangedIncidents,
    ) -> Result<Option<DeskChange>, StoreError> {
        let live = app.engine.config();
        let config = Arc::downgrade(&live);
        let is_anew = self.seq == 0 || !self.config.ptr_eq(&config);
        let asked = match is_anew || self.is_concerned(app, person, changed).await {
            true => Some(asked(app, person).await?),
            false => None,
        };
        let mine = match &asked {
            Some(asked) => Some(readable(app, &asked.ids).await),
            None => None,
        };
        let board = app.board.now(app.engine.reads()).await?;
        let about = about(app, &live, person, asked.as_ref().unwrap_or(&self.asked), &board).await?;
        // Nothing is waited for after this: what was noted as told is told.
        if is_anew {
            self.pages.redraw();
            self.incidents.redraw();
            self.config = config;
        }
        self.asked = asked.unwrap_or_else(|| std::mem::take(&mut self.asked));
        let now = app.engine.now();
        let pages = mine.map_or_else(CardChanges::default, |mine| {
            self.pages.changes(&mine, now, |incident| cards::pages(app, &live, incident, person))
        });
        let incidents = self.incidents.changes(&board.incidents, now, |incident| cards::row(&live, incident, person));
        Ok(self.told(about, now, pages, incidents))
    }

    /// Whether the pages of this desk may have changed, or there is a new one.
    async fn is_concerned(&self, app: &AppState, person: &PersonName, changed: &ChangedIncidents) -> bool {
        let ChangedIncidents::These(ids) = changed else { return true };
        for id in ids {
            if self.asked.ids.contains(id) {
                return true;
            }
            let incident = app.engine.reads().view(*id).await;
            if incident.map_or(true, |incident| incident.is_some_and(|incident| incident.has_asked(person))) {
                return true;
            }
        }
        false
    }

    fn told(
        &mut self,
        mut about: DeskAbout,
        now: Timestamp,
        pages: CardChanges,
        incidents: CardChanges,
    ) -> Option<DeskChange> {
        if !self.pages.order.is_empty() {
            about.idle.clear();
        }
        // This can not fail: these are our own types, and all map keys are strings.
        let digest = digest(&serde_json::to_string(&about).unwrap_or_default());
        let about = Some(about).filter(|_| self.about != digest || self.seq == 0);
        self.about = digest;
        if about.is_none() && pages.is_empty() && incidents.is_empty() {
            return None;
        }
        self.seq += 1;
        Some(DeskChange { seq: self.seq, now, about, pages, incidents })
    }
}

/// The cards of one list that a desk has.
#[derive(Default)]
struct SentCards {
    incidents: HashMap<IncidentId, SentIncident>,
    order: Vec<String>,
}

struct SentIncident {
    /// The state of the incident from which its cards were made. A state that is still in memory is not drawn again.
    of: Weak<Incident>,
    cards: Vec<SentCard>,
}

struct SentCard {
    key: String,
    until: Option<Timestamp>,
    digest: u64,
}

impl SentCards {
    /// Everything is made anew the next time; what is the same then is not sent.
    fn redraw(&mut self) {
        self.incidents.values_mut().for_each(|sent| sent.of = Weak::new());
    }

    fn changes(
        &mut self,
        incidents: &[Arc<Incident>],
        now: Timestamp,
        draw: impl Fn(&Incident) -> Vec<Card>,
    ) -> CardChanges {
        let mut before = std::mem::take(&mut self.incidents);
        let (mut order, mut fresh, mut shown) = (Vec::with_capacity(self.order.len()), Vec::new(), Vec::new());
        for incident in incidents {
            let of = Arc::downgrade(incident);
            let sent = match before.remove(&incident.id) {
                Some(sent) if sent.of.ptr_eq(&of) => sent,
                before => {
                    let (cards, changed) = self.drawn(before.as_ref(), draw(incident), now);
                    for card in changed {
                        fresh.push(card.json);
                        shown.extend(card.shown);
                    }
                    SentIncident { of, cards }
                }
            };
            order.extend(sent.cards.iter().filter(|card| card.is_shown(now)).map(|card| card.key.clone()));
            self.incidents.insert(incident.id, sent);
        }
        let order = Some(order).filter(|order| *order != self.order);
        if let Some(order) = &order {
            self.order.clone_from(order);
        }
        CardChanges { order, cards: fresh, shown }
    }

    /// What is to be remembered of cards, and those that the desk does not have so.
    fn drawn(&self, before: Option<&SentIncident>, cards: Vec<Card>, now: Timestamp) -> (Vec<SentCard>, Vec<Card>) {
        let before = before.map_or(&[][..], |sent| &sent.cards);
        let mut changed = Vec::new();
        let remember = |card: Card| {
            let sent = SentCard { digest: digest(card.json.get()), key: card.key.clone(), until: card.until };
            let same = |had: &SentCard| had.key == sent.key && had.digest == sent.digest;
            // A desk forgets a card as soon as it is not in the order.
            let has = before.iter().any(same) && self.order.contains(&sent.key);
            if !has && sent.is_shown(now) {
                changed.push(card);
            }
            sent
        };
        (cards.into_iter().map(remember).collect(), changed)
    }
}

impl SentCard {
    fn is_shown(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
