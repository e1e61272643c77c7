//! A reader who was asked already, and is asked again for the role that takes over.

use super::{
    crisis::{brief_of, flash_crash, later, opened},
    render, says,
};
use stentor::{
    core::{Answer, Page},
    template::{PageTemplates, TextForm},
};

/// The note about who did not answer, in a brief of the head of desk that this person reads.
fn note(unable: &[&str], reader: &str) -> String {
    let mut incident = opened(flash_crash(false));
    for (seconds, person) in unable.iter().enumerate() {
        says(&mut incident, person, Answer::Unable, seconds as u64 + 1);
    }
    let incident = later(incident, 95);
    let brief = brief_of(&incident, "head-of-desk");
    let page = Page { person: Some(reader.into()), ..brief.clone() };
    let body = render(&PageTemplates::shipped(), &incident, &page, TextForm::Screen).body;
    let note = body.lines().nth(1).unwrap_or_default().to_owned();
    // The times are said elsewhere.
    note.split(" since ").next().unwrap().to_owned()
}

#[test]
fn nobody_stands_in_for_themselves() {
    for (unable, reader, expected) in [
        (&[][..], "eli", "No answer from Ana Ruiz and Bo Lind (trader)"),
        (&[], "ana", "No answer from Bo Lind (trader)"),
        (&["ana"], "bo", "You were asked for trader, without an answer"),
        (&["ana", "bo"], "eli", "Ana Ruiz and Bo Lind (trader) can not take it: you stand in."),
        (&["ana", "bo"], "ana", "Bo Lind (trader) can not take it: you stand in."),
    ] {
        assert_eq!(note(unable, reader), expected, "{unable:?} {reader}");
    }
}
