//! The pages of one incident, and what is asked about them at each step. An incident that nobody answers has thousands:
//! no step looks through all of them, and a copy shares them with its original.

use crate::core::{
    names::{ChannelName, PersonName, RoleName},
    page::{Page, PagePurpose},
    page_marks::{LastAsked, LiveMarks},
    time::Timestamp,
};
use rpds::{RedBlackTreeMapSync as Map, RedBlackTreeSetSync as Set};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    ops::Index,
    sync::Arc,
};

/// The pages by number. The other fields are indexes: they follow from the pages.
#[derive(Debug, Clone, Default)]
pub struct IncidentPages {
    rows: Map<u32, Arc<Page>>,
    /// Queued pages by their person; `None` for posts.
    queued: Set<(Option<PersonName>, u32)>,
    /// Queued pages whose channel must accept them by then.
    patience: Set<(Timestamp, u32)>,
    /// Briefs by role, step entry and person.
    steps: Map<(RoleName, u32, PersonName), Vec<u32>>,
    /// Briefs by their birth, role and person: one call of one person.
    calls: Map<BriefCall, Vec<u32>>,
    asked: BTreeMap<Option<RoleName>, Map<PersonName, LastAsked>>,
    /// Briefs that their person has, or may have, by role, person and birth.
    reached: Set<(RoleName, PersonName, Timestamp, u32)>,
    rooms: BTreeMap<ChannelName, RoomPosts>,
    /// How many a sandbox kept, and how many of those were for a person.
    sandboxed: (usize, usize),
}

/// When, for which role, whom.
pub type BriefCall = (Timestamp, RoleName, PersonName);

/// What was posted to one room.
#[derive(Debug, Clone, Default)]
struct RoomPosts {
    update: Option<u32>,
    archived: bool,
    invited: Set<PersonName>,
}

impl IncidentPages {
    /// The page with this number.
    pub fn get(&self, n: &u32) -> Option<&Arc<Page>> {
        self.rows.get(n)
    }

    /// Whether there is a page with this number.
    pub fn contains_key(&self, n: &u32) -> bool {
        self.rows.contains_key(n)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All numbers, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &u32> {
        self.rows.keys()
    }

    /// All pages, by number. Nothing that is done at each step may read them all.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Arc<Page>> {
        self.rows.values()
    }

    /// All pages with their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&u32, &Arc<Page>)> {
        self.rows.iter()
    }

    /// The number of the newest page; 0 without one.
    pub fn last_number(&self) -> u32 {
        self.rows.last().map_or(0, |(n, _)| *n)
    }

    /// Adds a page, in place of one with the same number.
    pub fn insert(&mut self, page: Arc<Page>) {
        if let Some(before) = self.rows.get(&page.n).cloned() {
            self.mark(&before, LiveMarks::of(&before), LiveMarks::NONE);
        }
        self.mark(&page, LiveMarks::NONE, LiveMarks::of(&page));
        if page.purpose.is_brief() {
            self.brief(&page);
        }
        if page.person.is_none() {
            self.post(&page);
        }
        self.rows.insert_mut(page.n, page);
    }

    /// Changes the page with this number, if there is one.
    pub fn change(&mut self, n: u32, change: impl FnOnce(&mut Page)) {
        let Some(row) = self.rows.get_mut(&n) else { return };
        let before = LiveMarks::of(row);
        change(Arc::make_mut(row));
        let after = LiveMarks::of(row);
        if before != after {
            let page = row.clone();
            self.mark(&page, before, after);
        }
    }

    /// Queued pages, in no order that means anything.
    pub fn queued(&self) -> impl Iterator<Item = &Page> {
        self.queued.iter().filter_map(|(_, n)| self.page(*n))
    }

    /// Queued pages for this person; `None` for posts.
    pub fn queued_for(&self, person: Option<&PersonName>) -> impl Iterator<Item = &Page> {
        let theirs = self.queued.range((person.cloned(), 0)..=(person.cloned(), u32::MAX));
        theirs.filter_map(|(_, n)| self.page(*n))
    }

    /// The first time by which a channel must accept a queued page.
    pub fn accept_deadline(&self) -> Option<Timestamp> {
        self.patience.first().map(|(until, _)| *until)
    }

    /// Queued pages that their channel should have accepted by `now`, by number.
    pub fn overdue(&self, now: Timestamp) -> Vec<u32> {
        let mut late: Vec<u32> = self.patience.range(..=(now, u32::MAX)).map(|(_, n)| *n).collect();
        late.sort_unstable();
        late
    }

    /// The briefs of one entering of a step.
    pub fn of_step(&self, role: &RoleName, step_entry: u32) -> impl Iterator<Item = &Page> {
        let nobody = || PersonName::from("");
        let (from, to) = (step_entry, step_entry.saturating_add(1));
        let briefs = self.steps.range((role.clone(), from, nobody())..(role.clone(), to, nobody()));
        briefs.flat_map(|(_, numbers)| numbers).filter_map(|n| self.page(*n))
    }

    /// The briefs of one entering of a step for one person.
    pub fn of_step_to(&self, role: &RoleName, step_entry: u32, person: &PersonName) -> impl Iterator<Item = &Page> {
        let briefs = self.steps.get(&(role.clone(), step_entry, person.clone()));
        briefs.into_iter().flatten().filter_map(|n| self.page(*n))
    }

    /// The briefs for one person of the last step that asked them for this role.
    pub fn last_call(&self, role: &RoleName, person: &PersonName) -> impl Iterator<Item = &Page> {
        self.last_call_before(role, person, u32::MAX)
    }

    /// The briefs for one person of the last step that asked them for this role before this entering of a step.
    pub fn last_call_before(
        &self,
        role: &RoleName,
        person: &PersonName,
        step_entry: u32,
    ) -> impl Iterator<Item = &Page> {
        let last = self.asked.get(&Some(role.clone())).and_then(|people| people.get(person));
        let entry = last.and_then(|last| match last.step_entry.cmp(&step_entry) {
            Ordering::Less => Some(last.step_entry),
            Ordering::Equal => {
                let call = self.calls.get(&(last.before?, role.clone(), person.clone()))?;
                let entries = call.iter().filter_map(|n| Some(self.page(*n)?.step_entry));
                entries.filter(|entry| *entry < step_entry).max()
            }
            // They were asked again since then: a page that is composed now is rarely so old.
            Ordering::Greater => {
                let nobody = || PersonName::from("");
                let earlier = self.steps.range((role.clone(), 0, nobody())..(role.clone(), step_entry, nobody()));
                earlier.rev().find(|((.., whose), _)| whose == person).map(|((_, entry, _), _)| *entry)
            }
        });
        entry.into_iter().flat_map(move |entry| self.of_step_to(role, entry, person))
    }

    /// Whether this person has, or may have, a brief for this role from that time or later that is from before this
    /// entering of a step.
    pub fn may_have_reached(&self, role: &RoleName, person: &PersonName, since: Timestamp, step_entry: u32) -> bool {
        let of = |at: Timestamp, n: u32| (role.clone(), person.clone(), at, n);
        let mut theirs = self.reached.range(of(since, 0)..=of(Timestamp::MAX, u32::MAX));
        // Steps are entered one after the other: the oldest is of the earliest.
        theirs.next().and_then(|(.., n)| self.page(*n)).is_some_and(|page| page.step_entry < step_entry)
    }

    /// Who was asked for what and when, in order, each with the pages by which they were.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = (&BriefCall, impl Iterator<Item = &Page>)> {
        self.calls.iter().map(|(call, numbers)| (call, numbers.iter().filter_map(|n| self.page(*n))))
    }

    /// How many calls there were.
    pub fn call_count(&self) -> usize {
        self.calls.size()
    }

    /// Everybody who was asked for any role.
    pub fn asked(&self) -> BTreeSet<&PersonName> {
        self.asked.values().flat_map(|people| people.keys()).collect()
    }

    /// Whether this person was asked for any role.
    pub fn has_asked(&self, person: &PersonName) -> bool {
        self.asked.values().any(|people| people.contains_key(person))
    }

    /// Everybody who was asked for this role.
    pub fn asked_for(&self, role: &RoleName) -> impl Iterator<Item = &PersonName> {
        self.asked_of(role).map(|(person, _)| person)
    }

    /// Whether this person was asked for this role.
    pub fn has_asked_for(&self, role: &RoleName, person: &PersonName) -> bool {
        self.asked.get(&Some(role.clone())).is_some_and(|people| people.contains_key(person))
    }

    /// Everybody who was asked for this role at that time or later.
    pub fn asked_since(&self, role: &RoleName, since: Timestamp) -> impl Iterator<Item = &PersonName> {
        self.asked_of(role).filter(move |(_, last)| since <= last.at).map(|(person, _)| person)
    }

    /// Everybody who was asked for this role at that time or later, but before this entering of a step.
    pub fn asked_before(&self, role: &RoleName, step_entry: u32, since: Timestamp) -> BTreeSet<&PersonName> {
        let nobody = || PersonName::from("");
        let earlier = || self.steps.range((role.clone(), 0, nobody())..(role.clone(), step_entry, nobody()));
        // In the first round this is the answer, however many are asked.
        if earlier().next().is_none() {
            return BTreeSet::new();
        }
        if self.asked_of(role).all(|(_, last)| last.step_entry <= step_entry) {
            let asked = self.asked_of(role).filter(|(_, last)| last.before(step_entry).is_some_and(|at| since <= at));
            return asked.map(|(person, _)| person).collect();
        }
        // They were asked again since then: a page that is composed now is rarely so old.
        let recent = |n: &u32| self.page(*n).is_some_and(|page| since <= page.born_at);
        earlier().filter(|(_, numbers)| numbers.iter().any(recent)).map(|((.., person), _)| person).collect()
    }

    /// The newest update of a room's card.
    pub fn room_update(&self, room: &ChannelName) -> Option<&Page> {
        self.page(self.rooms.get(room)?.update?)
    }

    /// Whether a room has been archived, or is about to be.
    pub fn is_archived(&self, room: &ChannelName) -> bool {
        self.rooms.get(room).is_some_and(|posts| posts.archived)
    }

    /// Whether this person was invited to a room.
    pub fn is_invited(&self, room: &ChannelName, person: &PersonName) -> bool {
        self.rooms.get(room).is_some_and(|posts| posts.invited.contains(person))
    }

    /// Whether a sandbox kept any of them.
    pub fn is_sandboxed(&self) -> bool {
        self.sandboxed.0 != 0
    }

    /// Whether a sandbox kept any that was for a person.
    pub fn is_sandboxed_for_people(&self) -> bool {
        self.sandboxed.1 != 0
    }

    fn page(&self, n: u32) -> Option<&Page> {
        self.rows.get(&n).map(|page| &**page)
    }

    fn asked_of(&self, role: &RoleName) -> impl Iterator<Item = (&PersonName, &LastAsked)> {
        self.asked.get(&Some(role.clone())).into_iter().flat_map(|people| people.iter())
    }

    fn mark(&mut self, page: &Page, before: LiveMarks, after: LiveMarks) {
        let queued = || (page.person.clone(), page.n);
        match (before.queued, after.queued) {
            (false, true) => self.queued.insert_mut(queued()),
            (true, false) => drop(self.queued.remove_mut(&queued())),
            _ => {}
        }
        if before.patience != after.patience {
            if let Some(until) = before.patience {
                self.patience.remove_mut(&(until, page.n));
            }
            if let Some(until) = after.patience {
                self.patience.insert_mut((until, page.n));
            }
        }
        let brief = || Some((page.role.clone()?, page.person.clone()?, page.born_at, page.n));
        match (before.reached, after.reached) {
            (false, true) => brief().into_iter().for_each(|brief| self.reached.insert_mut(brief)),
            (true, false) => {
                if let Some(brief) = brief() {
                    self.reached.remove_mut(&brief);
                }
            }
            _ => {}
        }
        let counted =
            |marks: LiveMarks| (usize::from(marks.sandboxed), usize::from(marks.sandboxed && page.person.is_some()));
        let ((all, people), (less, fewer)) = (counted(after), counted(before));
        self.sandboxed = (self.sandboxed.0 + all - less, self.sandboxed.1 + people - fewer);
    }

    fn brief(&mut self, page: &Page) {
        let Some(person) = &page.person else { return };
        let people = self.asked.entry(page.role.clone()).or_default();
        let last = people.get(person).map_or(LastAsked::of(page), |last| last.again(page));
        people.insert_mut(person.clone(), last);
        let Some(role) = &page.role else { return };
        add(&mut self.steps, (role.clone(), page.step_entry, person.clone()), page.n);
        add(&mut self.calls, (page.born_at, role.clone(), person.clone()), page.n);
    }

    fn post(&mut self, page: &Page) {
        let posts = self.rooms.entry(page.channel.clone()).or_default();
        match &page.purpose {
            PagePurpose::RoomUpdate { .. } => posts.update = posts.update.max(Some(page.n)),
            PagePurpose::RoomArchive => posts.archived = true,
            PagePurpose::RoomInvite { people } => {
                people.iter().for_each(|person| posts.invited.insert_mut(person.clone()));
            }
            _ => {}
        }
    }
}

fn add<K: Ord + Clone>(map: &mut Map<K, Vec<u32>>, key: K, n: u32) {
    match map.get_mut(&key) {
        Some(numbers) if numbers.contains(&n) => {}
        Some(numbers) => numbers.push(n),
        None => map.insert_mut(key, vec![n]),
    }
}

/// Indexes follow from the pages.
impl PartialEq for IncidentPages {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Index<&u32> for IncidentPages {
    type Output = Arc<Page>;

    fn index(&self, n: &u32) -> &Arc<Page> {
        &self.rows[n]
    }
}

impl FromIterator<Arc<Page>> for IncidentPages {
    fn from_iter<I: IntoIterator<Item = Arc<Page>>>(pages: I) -> Self {
        let mut all = Self::default();
        pages.into_iter().for_each(|page| all.insert(page));
        all
    }
}
