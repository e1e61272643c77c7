//! What was seen, as text: to find out why a law was broken.

use super::{fixture::START, laws::Seen};
use stentor::core::{IncidentId, JournalRecord, SourceEvent, StoredLine, sentence::sentence};

/// One line for each thing that was seen.
pub fn timeline(tape: &[Seen]) -> String {
    let mut at = START;
    let mut text = String::new();
    for seen in tape {
        if let Seen::Clock { at: now, .. } = seen {
            at = *now;
        }
        let Some(what) = told(seen) else { continue };
        let micros = at.micros_since(START);
        text.push_str(&format!("{:>10}.{:06} {what}\n", micros / 1_000_000, micros % 1_000_000));
    }
    text
}

fn told(seen: &Seen) -> Option<String> {
    Some(match seen {
        Seen::Line(line) => line_told(line)?,
        Seen::Accepted { alert, .. } => format!("door: alert {alert} is accepted"),
        Seen::Said { incident, person, answer } => format!("{incident} human: {person} says {answer}"),
        Seen::Asked { key, request } => format!("door: request {request} of {key:?} is accepted"),
        Seen::Chose { incident, person, option, digest, .. } => {
            format!("{incident} human: {person} chooses {option} of {digest}")
        }
        Seen::Stepped { incident, person, step } => format!("{incident} human: {person} says {step}"),
        Seen::Withdrawn { incident } => format!("{incident} is about to be ended"),
        Seen::NewFacts { incident } => format!("{incident} has new facts"),
        Seen::ReadBack { request, state, told } => format!("{request} is read as {state:?}, its events tell {told:?}"),
        Seen::Started { node, page, .. } => format!("{} node {node}: page {} starts", page.incident, page.n),
        Seen::Injected { page, .. } => format!("{} page {} meets a fault on purpose", page.incident, page.n),
        Seen::Late { page } => format!("{} page {} is brought late", page.incident, page.n),
        Seen::SetAside { incident, .. } => format!("{incident} can not be read any more"),
        Seen::Lost => "trouble: a node is lost".into(),
        Seen::Throttled { node, page, until, .. } => format!("{} node {node}: held back until {until}", page.incident),
        Seen::TextMissing { hash } => format!("text {hash} is missing"),
        Seen::End => "the end".into(),
        Seen::Stored(_) | Seen::Clock { .. } | Seen::NextDeadline(_) | Seen::NextWait(_) => return None,
    })
}

fn line_told(line: &StoredLine) -> Option<String> {
    if line.chain.parse::<IncidentId>().is_ok() {
        let record: JournalRecord = serde_json::from_str(&line.body).ok()?;
        return Some(format!("{} {:>3} {}", line.chain, line.seq, sentence(&record.event)));
    }
    let record: JournalRecord<SourceEvent> = serde_json::from_str(&line.body).ok()?;
    Some(format!("{} {:>3} {:?}", line.chain, line.seq, record.event))
}
