//! What people did who decided a request, in words.

use super::{
    action_edit::{ActionChange, change_words},
    form_answer::{FORM_ANSWER, FormAnswer},
};

/// What somebody did who gave this answer, or chose with these changes. What they typed into a form is for those who look
/// at the request, not for texts and logs; what is done differently is for everybody.
pub(super) fn done(option: &str, answer: Option<&FormAnswer>, changes: &[ActionChange]) -> String {
    match changes {
        [] if is_elsewhere(option, answer) => "filled in the form".to_owned(),
        [] => format!("chose {option}"),
        changes => format!("chose {option} with changes ({})", change_words(changes)),
    }
}

/// What these people decided.
pub(super) fn decided(option: &str, answer: Option<&FormAnswer>, changes: &[ActionChange], by: &str) -> String {
    match changes {
        [] if is_elsewhere(option, answer) => format!("{by} {}", done(option, answer, changes)),
        [] => format!("decided: {option}, by {by}"),
        changes => format!("{by} approved with changes: {}", change_words(changes)),
    }
}

/// Whether the option says nothing, because the answer is in the fields.
fn is_elsewhere(option: &str, answer: Option<&FormAnswer>) -> bool {
    answer.is_some() && option == FORM_ANSWER
}
