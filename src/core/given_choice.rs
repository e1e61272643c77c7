//! A choice as a person gives it, before it is judged.

use super::{answer_via::AnswerVia, form_answer::FormAnswer, names::PersonName};

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
}

impl GivenChoice {
    /// A choice by this way, which says nothing more about it.
    pub fn new(person: PersonName, option: &str, via: AnswerVia) -> Self {
        Self { person, option: option.to_owned(), via, page: None, digest: None, origin: None, doubt: None }
    }
}

/// The answer to a form by an authenticated person.
#[derive(Debug, Clone)]
pub struct GivenForm {
    /// Who answers, and how it came. Its option is said by the answer.
    pub by: GivenChoice,
    /// What they filled in.
    pub answer: FormAnswer,
}
