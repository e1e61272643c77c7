//! What the assessments made of an alert, each part in its own line.

use crate::{
    cli::table::say,
    core::{
        Alert,
        assessment::{Assessment, AssessmentPart},
        printable::one_line,
    },
};

/// Prints them; nothing where nothing was assessed.
pub fn print(alert: &Alert) {
    for (name, assessment) in &alert.assessed {
        say(&format!("  assessed {name}: {}", result(assessment)));
        for part in &assessment.parts {
            say(&format!("    {}", one_line(&shown(part))));
        }
        if 0 < assessment.more {
            say(&format!("    and {} more", assessment.more));
        }
        if 0 < assessment.unread {
            say(&format!("    the last {} bytes of the text were not read", assessment.unread));
        }
    }
}

/// The level with its score, or why there is none.
pub fn result(assessment: &Assessment) -> String {
    if let Some(why) = &assessment.failed {
        return format!("could not be made: {}", one_line(why));
    }
    let confidence = assessment.confidence.map_or_else(String::new, |sure| format!(", confidence {sure}"));
    format!("{}, score {}{confidence}", one_line(&assessment.level), assessment.score)
}

/// With where it stands, or why it says nothing.
fn shown(part: &AssessmentPart) -> String {
    match part {
        AssessmentPart::Phrase { quote, language, .. } | AssessmentPart::Negated { quote, language, .. } => {
            format!("{part} ({language}): {quote:?}")
        }
        AssessmentPart::RuleFailed { why, .. } | AssessmentPart::ClassifierAbsent { why, .. } => {
            format!("{part}: {why}")
        }
        AssessmentPart::Rule { .. } | AssessmentPart::Classifier { .. } => part.to_string(),
    }
}
