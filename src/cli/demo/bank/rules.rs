//! What the bot of the demo understands, and how sure it is.

/// What the bot makes of one message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Understood {
    pub intent: &'static str,
    pub answer: &'static str,
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether the user asks for a person in words.
    pub asks_for_person: bool,
}

const fn known(intent: &'static str, answer: &'static str, confidence: f64) -> Understood {
    Understood { intent, answer, confidence, asks_for_person: false }
}

/// By which words a message is recognised, first match first.
const KNOWN: [(&[&str], Understood); 7] = [
    (
        &["person", "human", "somebody real", "an adviser", "an agent"],
        Understood {
            intent: "person",
            answer: "I can ask whether a person is free.",
            confidence: 0.96,
            asks_for_person: true,
        },
    ),
    (&["refinanc"], known("refinancing", "With 5 years left, refinancing usually pays only below 3.1 percent.", 0.91)),
    (&["pension"], known("pension", "Your pension plan can be changed once a year.", 0.9)),
    (&["open", "hours"], known("opening-hours", "The branch is open Monday to Friday from 9 to 17.", 0.97)),
    (&["balance"], known("balance", "Your balance is on the first page of the app.", 0.94)),
    (&["fee"], known("fee", "It may be the yearly fee of your card, 12.00 EUR.", 0.44)),
    (&["card"], known("card", "You can block a card in the app, under Cards.", 0.88)),
];

/// If it recognises nothing.
const UNKNOWN: Understood = known("unknown", "I did not understand that. Can you say it in other words?", 0.2);

/// What the bot makes of a message.
pub fn understood(text: &str) -> Understood {
    let text = text.to_lowercase();
    let found = KNOWN.iter().find(|(words, _)| words.iter().any(|word| text.contains(word)));
    found.map_or(UNKNOWN, |(_, understood)| *understood)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_asks_for_a_person_in_words() {
        for text in ["Let me talk to a PERSON", "is there a human?", "an adviser please, about refinancing"] {
            assert!(understood(text).asks_for_person, "{text}");
        }
        assert_eq!(understood("Can I refinance my house?").intent, "refinancing");
        assert_eq!(understood("xyzzy"), UNKNOWN);
    }
}
