//! What a brief says of its question, in the order in which it is read: what happened, what is asked by when, and what
//! happens otherwise. Decided here once; each form has words of its own.

use super::{
    fit,
    words::{BriefWords, EXERCISE, listed},
};
use crate::{
    core::{
        AnswerLevel, Ask, AskOption, Engagement, RoleName, form::FILL_IN, plan::StepTarget, printable::capitalised,
    },
    template::{
        action::action_of,
        brief::{AlarmText, TextForm},
    },
};

/// The most options whose labels stand in the question of a screen.
const LABELLED_MAX: usize = 4;

/// The longest label of an option, in characters.
const LABEL_MAX: usize = 32;

/// The longest fact to repeat with its name, in characters.
const FACT_MAX: usize = 80;

/// What happens if nobody answers in time.
pub(super) enum Otherwise {
    /// Another role is asked already, at the same time.
    AskedToo(String),
    /// The reader is asked once more.
    Again,
    /// The reader is asked until somebody answers: nobody else is left.
    UntilAnswered,
    /// These people are asked; "you" if the reader is one of them.
    People(Vec<String>),
    /// This role is asked.
    Role(String),
    /// The default of the request takes effect: this option.
    Default(String),
    /// The request expires.
    Expires,
    /// The user whose conversation waits is told that nobody is there.
    NobodyThere,
}

impl Otherwise {
    /// What happens next in the ladder of the reader's role. `None` once nobody waits for it any more.
    pub(super) fn of(words: &BriefWords<'_>) -> Option<Self> {
        if let Some(ask) = words.asked() {
            let default = ask.default.as_ref().and_then(|name| ask.option(name));
            return Some(default.map_or(Self::Expires, |option| Self::Default(fit::clean(&option.label, LABEL_MAX))));
        }
        let engagement = words.engagement().filter(|e| e.is_open())?;
        if words.waits_for_taker().is_some_and(|until| engagement.deadline.is_none_or(|step| until <= step)) {
            return Some(Self::NobodyThere);
        }
        let row = words.row()?;
        if let Some(next) = &engagement.waits_on {
            return Some(Self::AskedToo(words.role_name(words.incident().asked_for(next))));
        }
        let step_plan = row.steps.get(engagement.step);
        if engagement.exhausted || step_plan.is_some_and(|step_plan| engagement.round < step_plan.repeat) {
            return Some(Self::Again);
        }
        if let Some(step) = row.steps.get(engagement.step + 1) {
            return Some(Self::next_step(words, &step.page));
        }
        Some(match next_of(words, engagement, row.next.as_ref()) {
            Some(next) => Self::Role(words.role_name(&next)),
            None => Self::UntilAnswered,
        })
    }

    fn next_step(words: &BriefWords<'_>, page: &[StepTarget]) -> Self {
        let is_reader = |whom: &StepTarget| matches!(whom, StepTarget::Person(person) if words.reads(person));
        if page.iter().all(is_reader) {
            return Self::Again;
        }
        let (readers, others): (Vec<_>, Vec<_>) = page.iter().partition(|whom| is_reader(whom));
        let name = |whom: &&StepTarget| match whom {
            StepTarget::Person(person) => words.person(person),
            StepTarget::Rotation(rotation) => format!("{} on call", fit::clean(rotation.as_str(), 24)),
        };
        Self::People(readers.iter().chain(&others).map(name).collect())
    }

    /// A clause: `Bo Lind is paged`.
    pub(super) fn clause(&self) -> String {
        match self {
            Self::AskedToo(role) => format!("{role} is being asked too"),
            Self::Again => "you are paged again".to_owned(),
            Self::UntilAnswered => "you are paged again until somebody answers".to_owned(),
            Self::People(names) => {
                let one = names.len() == 1 && names.first().is_some_and(|name| name != "you");
                format!("{} {} paged", listed(names), if one { "is" } else { "are" })
            }
            Self::Role(role) => format!("{role} takes over"),
            Self::Default(option) => format!("\"{option}\" takes effect"),
            Self::Expires => "it expires and nothing is decided".to_owned(),
            Self::NobodyThere => "the user is told that nobody is there".to_owned(),
        }
    }

    /// The same where every letter counts, after "else": `Bo Lind`.
    fn short(&self) -> String {
        match self {
            Self::AskedToo(_) => self.clause(),
            Self::Again | Self::UntilAnswered => "you again".to_owned(),
            Self::People(names) => listed(names),
            Self::Role(role) => role.clone(),
            Self::Default(option) => option.clone(),
            Self::Expires => "it expires".to_owned(),
            Self::NobodyThere => "nobody is there".to_owned(),
        }
    }

    /// Whether it happens without waiting for an answer.
    fn is_now(&self) -> bool {
        matches!(self, Self::AskedToo(_))
    }
}

/// The answer level that the role requires.
pub(super) fn level(words: &BriefWords<'_>) -> AnswerLevel {
    words.row().map_or(AnswerLevel::Wilco, |row| row.engaged_by)
}

/// The time by which an answer is wanted, if it still is.
fn due(words: &BriefWords<'_>) -> Option<String> {
    if let Some(ask) = words.asked() {
        return Some(words.time(ask.deadline));
    }
    let engagement = words.engagement().filter(|e| e.is_open())?;
    let due = [engagement.deadline, words.waits_for_taker()].into_iter().flatten().min();
    due.map(|at| words.time(at))
}

/// The parts of a brief that still asks something.
pub(super) fn open_parts(words: &BriefWords<'_>, form: TextForm) -> Option<AlarmText> {
    let asks = words.engagement().is_none_or(|engagement| engagement.outcome.is_none());
    (words.brief.page.purpose.is_brief() && asks).then(|| parts(words, form))
}

/// The three parts on their own, for a form that shows each in a place of its own.
fn parts(words: &BriefWords<'_>, form: TextForm) -> AlarmText {
    let by = due(words).map_or_else(|| "now".to_owned(), |due| format!("by {due}"));
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    let otherwise = Otherwise::of(words).map(|otherwise| {
        let clause = fit::cut(&otherwise.clause(), fit::HEADLINE_MAX);
        if otherwise.is_now() { format!("{}.", capitalised(&clause)) } else { format!("Otherwise {clause}.") }
    });
    let exercise = words.is_drill().then(|| EXERCISE.to_owned());
    let last: Vec<String> = otherwise.into_iter().chain(exercise).collect();
    AlarmText {
        what: words.summary(),
        action: action_of(words.incident()).map(|action| action.line),
        ask: format!("{}{repeated}: {} {by}.{}", words.role_title(), how(words, form, true), agreement(words)),
        otherwise: (!last.is_empty()).then(|| last.join(" ")),
    }
}

/// What is asked by when, else what, and in a drill that it is one, for the first line of a text; with the labels of the
/// options, or their letters alone.
pub(super) fn sentence(words: &BriefWords<'_>, form: TextForm, labels: bool) -> String {
    let exercise = if words.is_drill() { format!(" {EXERCISE}") } else { String::new() };
    let when = when(due(words), Otherwise::of(words).as_ref(), Otherwise::clause);
    format!("{}: {}{when}.{}{exercise}", words.role_title(), how(words, form, labels), agreement(words))
}

/// How many people must agree, if it is more than the reader, and what they repeat with their choice.
fn agreement(words: &BriefWords<'_>) -> String {
    let agree = match words.asked().map(|ask| ask.approvals) {
        Some(needed) if 1 < needed => format!(" {needed} people must agree."),
        _ => String::new(),
    };
    let fact = repeats(words).map_or_else(String::new, |fact| format!(" Repeat {fact} with your choice."));
    agree + &fact
}

/// What the reader must repeat to decide.
pub(super) fn repeats(words: &BriefWords<'_>) -> Option<String> {
    words.incident().repeats().filter(|_| words.decides()).map(|fact| fit::clean(&fact, FACT_MAX))
}

/// The same for a call, after the words `You are asked`.
pub(super) fn spoken(words: &BriefWords<'_>) -> String {
    let role = words.role().map_or_else(|| "on call".to_owned(), |role| words.role_name(role));
    // The role `it` must not be read as the word "it".
    let role = if role.len() <= 2 { role.to_uppercase() } else { role };
    let wanted = match (words.asked(), level(words)) {
        (Some(_), _) if !words.decides() => format!("to find {}, because nobody else can decide,", words.deciders()),
        (Some(ask), _) if ask.needs_a_form() => "to fill in a form".to_owned(),
        (Some(_), _) => "to decide".to_owned(),
        (None, AnswerLevel::Wilco) => "to take it".to_owned(),
        (None, AnswerLevel::Roger) => "to confirm it".to_owned(),
    };
    let exercise = if words.is_drill() { " in this exercise" } else { "" };
    let when = when(due(words), Otherwise::of(words).as_ref(), Otherwise::clause);
    format!("You are asked as {role} {wanted}{exercise}{when}.{}", agreement(words))
}

/// The same for an SMS, without how to answer; what happens otherwise has at most `max` characters.
pub(super) fn short_when(words: &BriefWords<'_>, max: usize) -> String {
    let otherwise = Otherwise::of(words).filter(|_| 0 < max);
    when(due(words), otherwise.as_ref(), |otherwise| fit::cut(&otherwise.short(), max))
}

fn when(due: Option<String>, otherwise: Option<&Otherwise>, text: impl Fn(&Otherwise) -> String) -> String {
    let by = due.map(|due| format!(" by {due}"));
    let otherwise = otherwise.map(|otherwise| (text(otherwise), otherwise.is_now()));
    match (by, otherwise) {
        (Some(by), Some((text, true))) => format!("{by}; {text}"),
        (Some(by), Some((text, false))) => format!("{by}, else {text}"),
        (Some(by), None) => by,
        (None, Some((text, true))) => format!(" now; {text}"),
        (None, Some((text, false))) => format!(" now, else {text}"),
        (None, None) => " now".to_owned(),
    }
}

/// How to give the wanted answer; a drill asks for different words.
fn how(words: &BriefWords<'_>, form: TextForm, labels: bool) -> String {
    if words.asked().is_some() && !words.decides() {
        return format!("only {} can decide: find them", words.deciders());
    }
    if words.asked().is_some_and(Ask::needs_a_form) {
        return match form {
            TextForm::Screen | TextForm::Voice => "fill in the form".to_owned(),
            TextForm::Sms => FILL_IN.to_owned(),
            TextForm::Slack => "press \"Fill in the form\" below".to_owned(),
            TextForm::Mail | TextForm::Board => "open the link and fill in the form".to_owned(),
        };
    }
    if let Some(ask) = words.asked() {
        // A screen has buttons with the labels.
        let on_buttons = form == TextForm::Screen && LABELLED_MAX < ask.options.len();
        let options = if labels && !on_buttons { labelled(ask) } else { letters(ask) };
        return match form {
            TextForm::Screen => format!("decide: {options}"),
            TextForm::Sms => format!("reply with the code and a letter: {options}"),
            TextForm::Slack if repeats(words).is_some() => {
                format!("choose on the desk, by the link of a mail or by a text message: {options}")
            }
            TextForm::Slack => format!("press one below: {options}"),
            TextForm::Mail => format!("open the link in this mail and choose: {options}{}", or_change(words)),
            TextForm::Board => format!("open the link below and choose: {options}{}", or_change(words)),
            TextForm::Voice => "decide".to_owned(),
        };
    }
    let wanted = level(words).words(words.is_drill());
    match form {
        TextForm::Screen | TextForm::Sms | TextForm::Voice => format!("press \"{wanted}\""),
        TextForm::Slack => format!("press \"{wanted}\" below"),
        TextForm::Mail => format!("open the link in this mail and press \"{wanted}\""),
        TextForm::Board => format!("open the link below and press \"{wanted}\""),
    }
}

/// That the action can be changed behind the link.
fn or_change(words: &BriefWords<'_>) -> &'static str {
    if words.takes_changes() { ", or change it there" } else { "" }
}

fn labelled(ask: &Ask) -> String {
    let option = |(letter, option): (char, &AskOption)| format!("{letter} {}", fit::clean(&option.label, LABEL_MAX));
    ask.lettered().map(option).collect::<Vec<_>>().join(", ")
}

/// `A to I`, for a text that has no room for the labels.
pub(super) fn letters(ask: &Ask) -> String {
    let last = ask.lettered().last().map_or('A', |(letter, _)| letter);
    format!("A to {last}")
}

/// The role that takes over. A role that already waits for this one would wait for nobody, so the ladder repeats.
fn next_of(words: &BriefWords<'_>, engagement: &Engagement, next: Option<&RoleName>) -> Option<RoleName> {
    let catch_all = RoleName::catch_all();
    let plan = &words.incident().plan;
    let last = (words.role() != Some(&catch_all) && plan.roles.contains_key(&catch_all)).then_some(&catch_all);
    let next = next.or(last)?;
    (!engagement.stands_for.contains(next)).then(|| next.clone())
}
