//! Forms: the first answer that fits, of a person who was asked, decides. Who may answer, and what is too late, is as for a
//! choice.

use super::Decider;
use crate::core::{
    form_answer::FormAnswer,
    given_choice::{GivenChoice, GivenForm},
    request::Ask,
};

impl Decider<'_> {
    /// Takes what somebody filled in.
    pub(super) fn fill_in(&mut self, said: GivenForm) {
        let GivenForm { by, answer } = said;
        let form = self.request().and_then(|request| request.ask.form.as_ref());
        let option = form.map_or(by.option.clone(), |form| form.option_of(&answer));
        self.decide(GivenChoice { option, ..by }, Some(answer));
    }

    /// What a choice fills in, if the request is a form and one choice is all.
    pub(super) fn answer_of(&self, option: &str) -> Option<FormAnswer> {
        self.request()?.ask.form.as_ref()?.chosen(option)
    }
}

/// Whether this is an answer to what is asked. An answer to a form must fit it: nobody else has looked before.
pub(super) fn takes(ask: &Ask, option: &str, answer: Option<&FormAnswer>) -> bool {
    match (&ask.form, answer) {
        (None, None) => ask.option(option).is_some(),
        (Some(form), Some(answer)) => form.fits(answer),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
