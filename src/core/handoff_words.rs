//! Handoffs in words.

use super::handoff::{HandoffMove, HandoffResult, HandoffSolved, HandoffStep, HandoffVerdict};

/// A step and its effect, in one sentence.
pub fn told(moved: &HandoffMove, person: &str) -> String {
    match &moved.verdict {
        HandoffVerdict::Done => format!("{person} {}", done(&moved.step)),
        verdict => format!("{person} said {:?}: {}", label(&moved.step), effect(verdict)),
    }
}

/// The same for logs, without the words of people.
pub fn logged(moved: &HandoffMove) -> String {
    format!("{} said {:?}: {}", moved.person, label(&moved.step), effect(&moved.verdict))
}

fn done(step: &HandoffStep) -> String {
    match step {
        HandoffStep::Connect => "speaks to the user now".to_owned(),
        HandoffStep::Finish { result } => format!("finished: {}", finished(result)),
        HandoffStep::Return { note } => format!("gave it back to the machine{}", noted(note.as_deref())),
        HandoffStep::PassOn { why } => format!("passed it on: {why}"),
    }
}

/// What a person says with this step.
pub fn label(step: &HandoffStep) -> &'static str {
    match step {
        HandoffStep::Connect => "connected",
        HandoffStep::Finish { .. } => "finished",
        HandoffStep::Return { .. } => "back to the machine",
        HandoffStep::PassOn { .. } => "pass it on",
    }
}

/// The effect of a step, as told to the person who made it.
pub fn effect(verdict: &HandoffVerdict) -> String {
    match verdict {
        HandoffVerdict::Done => "it is noted".into(),
        HandoffVerdict::Repeated => "you said so before".into(),
        HandoffVerdict::NotYours { has: Some(has) } => format!("{has} has it, nothing was changed"),
        HandoffVerdict::NotYours { has: None } => "nobody has it, nothing was changed: take it first".into(),
        HandoffVerdict::Closed => "it is over, nothing was changed".into(),
    }
}

/// How a conversation was finished.
pub fn finished(result: &HandoffResult) -> String {
    let solved = match result.solved {
        HandoffSolved::Yes => "solved",
        HandoffSolved::No => "not solved",
        HandoffSolved::FollowUp => "somebody follows up",
    };
    let needed = if result.needed { "" } else { ", nobody was needed" };
    format!("{solved}{needed}{}", noted(result.note.as_deref()))
}

fn noted(note: Option<&str>) -> String {
    note.map_or(String::new(), |note| format!(" ({note})"))
}
