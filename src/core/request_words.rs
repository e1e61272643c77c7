//! What people read of a request that waits for more of them.

use super::{
    names::PersonName,
    printable::capitalised,
    request::{Choice, Request},
    role_words::RoleReader,
};

/// Who has chosen what so far, in the order of their answers, and how many more must agree. Empty if nobody has, or if it
/// has ended.
pub fn chosen_so_far(request: &Request, reader: &dyn RoleReader) -> String {
    if request.outcome().is_some() {
        return String::new();
    }
    let mut choices: Vec<(&PersonName, &Choice)> = request.choices.iter().collect();
    choices.sort_by_key(|(_, choice)| choice.at);
    let said = |(person, choice): &(&PersonName, &Choice)| {
        let label = request.ask.option(&choice.option).map_or(choice.option.as_str(), |option| option.label.as_str());
        format!("{} chose {label}", reader.person(person))
    };
    let said: Vec<String> = choices.iter().map(said).collect();
    let missing = |(_, choice): &(&PersonName, &Choice)| {
        let agreed = u32::try_from(request.chosen_by(&choice.option).len()).unwrap_or(u32::MAX);
        request.ask.needed(&choice.option).saturating_sub(agreed)
    };
    let more = match choices.iter().map(missing).min() {
        None => return String::new(),
        Some(1) => "one more must agree".to_owned(),
        Some(missing) => format!("{missing} more must agree"),
    };
    capitalised(&format!("{}; {more}.", said.join(", ")))
}
