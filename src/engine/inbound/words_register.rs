//! What of people's words was kept, so that each is kept once and their number is bounded; counts of what was refused.

use crate::core::{AnswerVia, IncidentId, PersonName, RefusedInput, SourceEvent, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// How many different texts of one incident are kept for one person, of their desk and of links in their mails each.
pub const SHOWN_TEXTS_MAX: usize = 40;

/// How many exchanges with one person are kept in [`WORDS_WINDOW`]; the others are counted.
pub const EXCHANGES_MAX: u32 = 60;

/// The time in which exchanges and refusals are counted together.
pub const WORDS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// How many senders have a count of refusals of their own; all others share one.
pub const REFUSED_MAX: usize = 1_000;

/// The people and incidents that are remembered; of more, all are forgotten, and kept once more.
const REMEMBERED_MAX: usize = 20_000;

/// Where a person reads about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadAt {
    /// Their desk.
    Desk,
    /// The page behind the link in a mail.
    MailLink,
}

/// What is remembered of what was kept.
#[derive(Debug, Default)]
pub struct KeptWords {
    shown: HashMap<(ReadAt, PersonName, IncidentId), BTreeSet<String>>,
    exchanges: BTreeMap<PersonName, ExchangeCount>,
    refused: BTreeMap<RefusedSender, RefusedCount>,
}

#[derive(Debug)]
struct ExchangeCount {
    since: Timestamp,
    via: AnswerVia,
    kept: u32,
    left_out: u32,
}

/// What was refused, by which way, and the mark of its sender.
type RefusedSender = (RefusedInput, String, String);

#[derive(Debug)]
struct RefusedCount {
    since: Timestamp,
    via: AnswerVia,
    count: u32,
}

impl KeptWords {
    /// Whether one more is kept of this person; then, how many were left out before it.
    pub fn may_exchange(&mut self, person: &PersonName, via: AnswerVia, now: Timestamp) -> Option<u32> {
        let new = || ExchangeCount { since: now, via, kept: 0, left_out: 0 };
        let count = self.exchanges.entry(person.clone()).or_insert_with(new);
        if count.since + WORDS_WINDOW <= now {
            (count.since, count.kept) = (now, 0);
        }
        count.via = via;
        if EXCHANGES_MAX <= count.kept {
            count.left_out += 1;
            return None;
        }
        count.kept += 1;
        Some(std::mem::take(&mut count.left_out))
    }

    /// Whether the text is shown there for the first time; then, whether it is the last one that is kept.
    pub fn is_newly_shown(
        &mut self,
        at: ReadAt,
        person: &PersonName,
        incident: IncidentId,
        hash: &str,
    ) -> Option<bool> {
        if REMEMBERED_MAX <= self.shown.len() {
            self.shown.clear();
        }
        let known = self.shown.entry((at, person.clone(), incident)).or_default();
        if SHOWN_TEXTS_MAX <= known.len() || !known.insert(hash.to_owned()) {
            return None;
        }
        Some(known.len() == SHOWN_TEXTS_MAX)
    }

    pub fn refuse(&mut self, what: RefusedInput, via: AnswerVia, mark: String, now: Timestamp) -> Option<SourceEvent> {
        let mut key = (what, via.to_string(), mark);
        if REFUSED_MAX <= self.refused.len() && !self.refused.contains_key(&key) {
            key.2 = "others".to_owned();
        }
        let count = self.refused.entry(key.clone()).or_insert(RefusedCount { since: now, via, count: 0 });
        count.count += 1;
        (count.count == 1).then(|| count.event(&key))
    }

    /// What is to be journaled because its time is over: of exchanges, and of refusals.
    pub fn over(&mut self, now: Timestamp, is_stop: bool) -> (Vec<SourceEvent>, Vec<SourceEvent>) {
        let is_over = |since: Timestamp| is_stop || since + WORDS_WINDOW <= now;
        let (mut exchanges, mut refused) = (Vec::new(), Vec::new());
        self.exchanges.retain(|person, count| {
            if is_over(count.since) && 0 < count.left_out {
                let (person, via, left_out) = (person.clone(), count.via, count.left_out);
                exchanges.push(SourceEvent::Exchanged { person, via, said: None, told: None, left_out });
            }
            !is_over(count.since)
        });
        self.refused.retain(|key, count| {
            if is_over(count.since) && 1 < count.count {
                refused.push(count.event(key));
            }
            !is_over(count.since)
        });
        (exchanges, refused)
    }
}

impl RefusedCount {
    fn event(&self, (what, _, mark): &RefusedSender) -> SourceEvent {
        SourceEvent::Refused { what: *what, via: self.via, sender: mark.clone(), count: self.count, since: self.since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_is_kept_of_one_text_one_desk_and_one_person_is_bounded_and_says_so() {
        let (mut kept, ana) = (KeptWords::default(), PersonName::from("ana"));
        let mut show = |at, incident, text: &str| kept.is_newly_shown(at, &ana, IncidentId(incident), text);
        let shown: Vec<_> = (0..60).map(|n| show(ReadAt::Desk, 1, &n.to_string())).collect();
        assert_eq!(shown.iter().flatten().count(), SHOWN_TEXTS_MAX);
        assert_eq!(shown[SHOWN_TEXTS_MAX - 1], Some(true), "the last one says that it is the last");
        assert_eq!(show(ReadAt::Desk, 2, "1"), Some(false));
        assert_eq!(show(ReadAt::Desk, 2, "1"), None, "once");
        assert_eq!(show(ReadAt::MailLink, 1, "1"), Some(false), "a full desk takes no room from a link");
        assert_eq!(show(ReadAt::MailLink, 1, "1"), None, "once");

        let said = (0..EXCHANGES_MAX + 5).filter_map(|_| kept.may_exchange(&ana, AnswerVia::Sms, at(0))).count();
        assert_eq!(said, EXCHANGES_MAX as usize);
        assert_eq!(kept.may_exchange(&ana, AnswerVia::Sms, at(600)), Some(5), "those before are counted");
    }

    #[test]
    fn refusals_are_a_line_at_once_and_one_with_their_count() {
        let (mut kept, sms) = (KeptWords::default(), AnswerVia::Sms);
        let refuse =
            |kept: &mut KeptWords, mark: &str, s| kept.refuse(RefusedInput::WrongCode, sms, mark.into(), at(s));
        assert!(matches!(refuse(&mut kept, "a", 0), Some(SourceEvent::Refused { count: 1, .. })));
        assert!((1..200).all(|n| refuse(&mut kept, "a", n).is_none()));
        assert_eq!(kept.over(at(599), false).1, Vec::new());
        let lines = kept.over(at(600), false).1;
        assert!(matches!(&lines[..], [SourceEvent::Refused { count: 200, since, .. }] if *since == at(0)), "{lines:?}");
        // Any number of senders has a bounded number of lines.
        let lines = (0..5_000).filter(|n| refuse(&mut kept, &n.to_string(), 700).is_some()).count();
        assert_eq!(lines, REFUSED_MAX + 1);
        assert_eq!(kept.over(at(701), true).1.len(), 1, "the others, at a stop");
    }
}
