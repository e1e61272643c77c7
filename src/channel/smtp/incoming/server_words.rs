//! What a mail server wrote itself about a mail that it could not deliver, without the mail that it returns.

use super::{html::text_of, meaning::MailMeaning, phrases};
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

/// Letters of a part that are looked at for a status and a message id.
const LETTERS_MAX: usize = 64 * 1024;

/// Stands for the status of a failure if the server says none.
pub(super) const WITHOUT_STATUS: &str = "without a status";

/// Header fields of the returned mail; a server does not begin its own lines so.
const COPIED: [&str; 6] = ["return-path:", "received:", "message-id:", "dkim-signature:", "mime-version:", "from:"];

/// Words between which and a word of giving up it is still to come, or has not come.
const STILL_OPEN: [&str; 40] = [
    "will",
    "before",
    "until",
    "if",
    "when",
    "unless",
    "not",
    "eventually",
    "would",
    "may",
    "wird",
    "werden",
    "würde",
    "wenn",
    "falls",
    "sofern",
    "sobald",
    "bis",
    "bevor",
    "solange",
    "noch",
    "sera",
    "serait",
    "si",
    "avant",
    "jusqu",
    "será",
    "sería",
    "antes",
    "hasta",
    "sarà",
    "sarebbe",
    "prima",
    "finché",
    "seria",
    "até",
    "zal",
    "wordt",
    "als",
    "voordat",
];

/// Words behind a word of giving up with which it is still to come: `unzustellbar, wenn`.
const ONLY_IF: [&str; 5] = ["wenn", "falls", "sofern", "sobald", "bevor"];

/// A server's own words: its subject and its text, in lower case.
pub(super) struct ServerWords {
    subject: String,
    text: String,
}

impl ServerWords {
    pub fn of(mail: &Message<'_>) -> Self {
        let subject = mail.subject().unwrap_or_default().to_lowercase();
        // Behind it is our own subject.
        let own = subject.find("inc-").map_or(&*subject, |at| &subject[..at]);
        let is_written = |part: &&MessagePart<'_>| {
            matches!(part.body, PartType::Text(_) | PartType::Html(_))
                && !part.is_content_type("text", "rfc822-headers")
                && !part.is_content_type("text", "rfc822")
        };
        let own_text = |part: &MessagePart<'_>| match &part.body {
            PartType::Html(_) => without_copy(&text_of(&text(part))),
            _ => without_copy(&text(part)),
        };
        let texts: Vec<String> = mail.parts.iter().filter(is_written).map(own_text).collect();
        Self { subject: own.to_owned(), text: texts.join("\n\n") }
    }

    /// The subject, without ours.
    pub fn subject(&self) -> &str {
        self.subject.trim_start()
    }

    /// A server's mail is a bounce, unless it says that it goes on trying. That it has given up counts more.
    pub fn meaning(&self) -> MailMeaning {
        let status = status_in(&self.text);
        let is_final = status.as_ref().is_some_and(|status| status.starts_with('5')) || self.give_up();
        let is_late = status.is_some() || self.has(&phrases::DELAYS);
        if !is_final && is_late { MailMeaning::Nothing } else { MailMeaning::Bounced(self.status_or_none()) }
    }

    /// The enhanced status that the text names.
    pub fn status_or_none(&self) -> String {
        status_in(&self.text).unwrap_or_else(|| WITHOUT_STATUS.to_owned())
    }

    /// Whether they say at all that a mail was refused.
    pub fn refuse(&self) -> bool {
        self.text.contains("#5.") || self.give_up() || phrases::REFUSALS.iter().any(|words| self.text.contains(words))
    }

    fn give_up(&self) -> bool {
        let subject = self.subject.trim_start();
        phrases::FINAL_SUBJECTS.iter().any(|words| subject.starts_with(words))
            || self.text.lines().any(has_final_code)
            || !self.has(&phrases::STILL_TRIED) && sentences(&self.text).iter().any(|sentence| is_final(sentence))
    }

    /// Whether they say that a mail was refused, or that it is late.
    pub fn report(&self) -> bool {
        self.refuse() || status_in(&self.text).is_some() || self.has(&phrases::DELAYS)
    }

    fn has(&self, words: &phrases::Phrases) -> bool {
        words.iter().any(|words| self.text.contains(words) || self.subject.contains(words))
    }
}

/// The sentences of a text, whose lines may be wrapped.
fn sentences(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split(['!', ';', ':']).flat_map(|part| part.split(". ")).map(str::to_owned).collect()
}

fn is_final(sentence: &str) -> bool {
    let around = |words: &str| sentence.find(words).map(|at| (&sentence[..at], &sentence[at + words.len()..]));
    let has = |text: &str, known: &[&str]| text.split(|c: char| !c.is_alphabetic()).any(|word| known.contains(&word));
    // A notice of what is undeliverable (`Unzustellbarkeitsmeldung`) is none yet.
    let is_open = |(before, after): (&str, &str)| {
        has(before, &STILL_OPEN) || has(after, &ONLY_IF) || after.starts_with(char::is_alphabetic)
    };
    phrases::GIVEN_UP.iter().filter_map(around).any(|around| !is_open(around))
}

/// Whether a line has a code of SMTP that refuses for good, where a server writes it: `550 User unknown`, `said: 550-5.1.1`.
fn has_final_code(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_code = |word: &str| {
        let code: String = word.trim_start_matches(['(', '<']).chars().take_while(char::is_ascii_digit).collect();
        matches!(&*code, "521" | "541" | "550" | "551" | "552" | "553" | "554" | "556")
            && !word[word.find(&code).unwrap_or_default() + code.len()..].starts_with(['.', ':', '/'])
    };
    let introduces = |word: &str| {
        word.ends_with([':', ';', '>', '<'])
            || matches!(
                word,
                "said" | "error" | "code" | "smtp" | "with" | "status" | "response" | "reply" | "returned"
            )
    };
    let is_introduced = |at: usize| at.checked_sub(1).is_none_or(|at| introduces(words[at]));
    let says_more = |at: usize| words.get(at + 1).is_some() || words[at].contains('-');
    (0..words.len()).any(|at| is_code(words[at]) && is_introduced(at) && says_more(at))
}

/// The lines above the returned mail, in lower case, and without quoted ones.
fn without_copy(text: &str) -> String {
    let lower = text.to_lowercase();
    let is_copy = |line: &&str| {
        COPIED.iter().any(|field| line.starts_with(field))
            || line.contains("live inc-")
            || line.contains("drill inc-")
            || phrases::COPY_BELOW.iter().any(|words| line.contains(words))
    };
    // A server's own summary has our subject between its words.
    let is_subject = |line: &&str| line.starts_with("subject:");
    let lines = lower.lines().map(str::trim);
    let own = lines.filter(|line| !is_subject(line) && !line.starts_with('>')).take_while(|line| !is_copy(line));
    own.collect::<Vec<_>>().join("\n")
}

/// The enhanced status in a server's own words (`#5.1.1`); of several one that is final.
pub(super) fn status_in(text: &str) -> Option<String> {
    let mut found: Option<String> = None;
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|word| word.trim_matches('.')) {
        let parts: Vec<&str> = word.split('.').collect();
        let is_status = matches!(parts[..], ["4" | "5", subject, detail]
            if (1..=3).contains(&subject.len()) && (1..=3).contains(&detail.len()));
        if is_status && found.as_ref().is_none_or(|found| found.starts_with('4')) {
            found = Some(word.to_owned());
        }
    }
    found
}

/// The text of a part.
pub(super) fn text(part: &MessagePart<'_>) -> String {
    let bytes = part.contents();
    String::from_utf8_lossy(&bytes[..bytes.len().min(LETTERS_MAX)]).into_owned()
}
