//! A choice as a person gives it, before it is judged.

use super::{
    answer_via::AnswerVia,
    form_answer::FormAnswer,
    names::PersonName,
    request::{APPROVE, Ask},
};

/// A choice by an authenticated person.
#[derive(Debug, Clone)]
pub struct GivenChoice {
    /// The person.
    pub person: PersonName,
    /// The option's name.
    pub option: String,
    /// The way it arrived.
    pub via: AnswerVia,
    /// The page that it answers, if known.
    pub page: Option<u32>,
    /// The digest that the page showed, where the way it arrived says so.
    pub digest: Option<String>,
    /// What its provider calls the message that says it, where it may hand that over twice.
    pub origin: Option<String>,
    /// What contradicts it, as the matrix says.
    pub doubt: Option<String>,
    /// What they repeated of the facts.
    pub repeated: Option<String>,
}

/// An option as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedOption {
    /// Its name.
    pub option: String,
    /// What they repeated of the facts.
    pub repeated: Option<String>,
}

impl NamedOption {
    /// What they said, in words.
    pub fn words(&self) -> String {
        self.repeated.iter().fold(self.option.clone(), |words, repeated| format!("{words} {repeated}"))
    }
}

impl GivenChoice {
    /// A choice by this way, which says nothing more about it.
    pub fn new(person: PersonName, said: NamedOption, via: AnswerVia) -> Self {
        let NamedOption { option, repeated } = said;
        Self { person, option, via, page: None, digest: None, origin: None, doubt: None, repeated }
    }
}

/// What an authenticated person filled in: the answer to a form, or an action as they approve it.
#[derive(Debug, Clone)]
pub struct GivenForm {
    /// Who answers, and how it came. Its option is said by the answer.
    pub by: GivenChoice,
    /// What they filled in.
    pub answer: FormAnswer,
}

impl Ask {
    /// The option of what somebody filled in; `None` if nothing can be.
    pub fn option_of(&self, answer: &FormAnswer) -> Option<String> {
        let form = self.form.as_ref().map(|form| form.option_of(answer));
        form.or_else(|| self.edit.as_ref().map(|_| APPROVE.to_owned()))
    }
}
