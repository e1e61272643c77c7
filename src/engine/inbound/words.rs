//! What people were shown and told, and what they said, to the letter: kept as texts beside the journal, named by lines
//! of a chain of their own (`source:stentor:words`). Codes are replaced by placeholders. Keeping delays nothing for
//! long and stops nothing: a record that can not be written is logged.

use crate::{
    core::{
        AnswerVia, PageId, PersonName, RefusedInput, SourceEvent, SourceName,
        event::text_hash,
        names::{SELF, WORDS},
    },
    engine::inbound::{
        InboundResponses, RefusedCredential,
        refused_credentials::RefusedCredentials,
        words_register::{KeptWords, ReadAt},
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
    template::CODE,
    text::reply::CODE_DIGITS,
};
use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How many characters of one text are kept; how many more there were is said at its end.
pub const WORDS_MAX: usize = 2_000;

/// How long a person may wait for the record of what they are told.
const KEEP_TIME_MAX: Duration = Duration::from_secs(1);

/// A line, and the texts that it names.
type WordsLine = (SourceEvent, Vec<(String, String)>);

impl InboundResponses {
    /// Keeps what a person said, and what they are told. Call it before they are told.
    pub async fn keep_exchange(&self, person: &PersonName, via: AnswerVia, said: &str, told: &str) {
        let Some(left_out) = self.kept_words().may_exchange(person, via, self.context.store.now()) else { return };
        let mut texts = Vec::new();
        let mut named = |text: &str| {
            let text = bounded(&masked(text));
            let hash = (!text.trim().is_empty()).then(|| text_hash(&text))?;
            texts.push((hash.clone(), text));
            Some(hash)
        };
        let (said, told) = (named(said), named(told));
        let event = SourceEvent::Exchanged { person: person.clone(), via, said, told, left_out };
        self.keep_words(WORDS, vec![(event, texts)]).await;
    }

    /// Keeps what a person is about to be shown there, as far as it was not shown there yet. The texts have placeholders.
    pub async fn keep_shown(&self, at: ReadAt, person: &PersonName, shown: impl IntoIterator<Item = (PageId, String)>) {
        let mut lines = Vec::new();
        for (PageId { incident, n: page }, text) in shown {
            let text = bounded(&text);
            let hash = text_hash(&text);
            let Some(last) = self.kept_words().is_newly_shown(at, person, incident, &hash) else { continue };
            let (person, text_of) = (person.clone(), hash.clone());
            let event = match at {
                ReadAt::Desk => SourceEvent::DeskShowed { person, incident, page, text: text_of, last },
                ReadAt::MailLink => SourceEvent::LinkShowed { person, incident, page, text: text_of, last },
            };
            lines.push((event, vec![(hash, text)]));
        }
        self.keep_words(WORDS, lines).await;
    }

    /// Counts an input that was refused: a line for its sender at once, and one with the count when [`WORDS_WINDOW`] is
    /// over, if there were more. `sender` is kept as a mark that does not reveal it.
    pub async fn note_refused(&self, what: RefusedInput, via: AnswerVia, sender: &str) {
        let mark = self.context.keys.number_mark(sender);
        let event = self.kept_words().refuse(what, via, mark, self.context.store.now());
        self.keep_words(SELF, event.into_iter().map(|event| (event, Vec::new())).collect()).await;
    }

    /// Counts a credential that was refused: a line for the first of its kind, and one with the count when
    /// [`super::CREDENTIALS_WINDOW`] is over, if there were more.
    pub async fn note_credential(&self, refused: RefusedCredential) {
        let event = self.refused_credentials().count(refused, self.context.store.now());
        self.keep_words(SELF, event.into_iter().map(|event| (event, Vec::new())).collect()).await;
    }

    /// Journals the counts whose time is over; at a stop, all of them.
    pub async fn tick_words(&self, is_stop: bool) {
        let now = self.context.store.now();
        let (exchanges, mut refused) = self.kept_words().over(now, is_stop);
        refused.extend(self.refused_credentials().over(now, is_stop));
        let bare = |events: Vec<SourceEvent>| events.into_iter().map(|event| (event, Vec::new())).collect();
        self.keep_words(WORDS, bare(exchanges)).await;
        self.keep_words(SELF, bare(refused)).await;
    }

    async fn keep_words(&self, chain: &'static str, lines: Vec<WordsLine>) {
        if lines.is_empty() {
            return;
        }
        let source = SourceName::from(chain);
        let needs = LockSet { sources: vec![source.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            for (event, texts) in &lines {
                texts.iter().for_each(|(hash, text)| tx.keep_text(hash, text));
                tx.record_source(&source, event.clone());
            }
        };
        // A full disk has its last space for ladders.
        let kept = transact(&*self.context.store, RequestClass::Admission, needs, run);
        let why = match timeout(KEEP_TIME_MAX, kept).await {
            Ok(Ok(_)) => return,
            Ok(Err(StoreError::Closed)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the store did not answer in time".to_owned(),
        };
        tracing::warn!(why, "what people were told or shown could not be kept");
    }

    fn refused_credentials(&self) -> MutexGuard<'_, RefusedCredentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_words(&self) -> MutexGuard<'_, KeptWords> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text with a placeholder in place of each code: of every number with so many digits, also if they are apart.
fn masked(text: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(char::is_numeric) {
        let (before, run) = rest.split_at(at);
        let end = run.find(|c: char| !c.is_numeric() && !matches!(c, ' ' | '-' | '.' | '\u{a0}')).unwrap_or(run.len());
        let run = run[..end].trim_end_matches(|c: char| !c.is_numeric());
        masked.push_str(before);
        let is_incident = before.ends_with("INC-");
        let has_code = CODE_DIGITS <= run.chars().filter(|c| c.is_numeric()).count();
        masked.push_str(if has_code && !is_incident { CODE } else { run });
        rest = &rest[at + run.len()..];
    }
    masked + rest
}

fn bounded(text: &str) -> String {
    let more = text.chars().skip(WORDS_MAX).count();
    let kept: String = text.chars().take(WORDS_MAX).collect();
    if more == 0 { kept } else { format!("{kept} [.. {more} more characters]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_kept_however_it_is_written() {
        for (text, kept) in [
            ("48213 2", CODE),
            ("48 213 I have it", &format!("{CODE} I have it")),
            ("code 4-8-2-1-3.", &format!("code {CODE}.")),
            ("٤٨٢١٣ wilco", &format!("{CODE} wilco")),
            ("standby 3", "standby 3"),
            (
                "INC-12345: you have it. Reply 48213 4 to hand it back.",
                &format!("INC-12345: you have it. Reply {CODE} to hand it back."),
            ),
            ("", ""),
        ] {
            assert_eq!(masked(text), kept, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_says_what_was_cut() {
        let long = bounded(&"x".repeat(WORDS_MAX + 7));
        assert!(long.ends_with("x [.. 7 more characters]"), "{long}");
    }
}
