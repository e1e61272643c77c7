//! What an incident asks, in a few lines: for the top of `stentor show`.

use crate::{
    core::printable::one_line,
    http::api::asked_view::{AskedChoice, AskedOption, AskedView},
};

/// The lines below the question, which is the incident's own first line.
pub fn lines(asked: &AskedView) -> Vec<String> {
    let mut lines: Vec<String> = asked.action.iter().map(|action| format!("  {}", one_line(action))).collect();
    lines.extend(asked.options.iter().map(option));
    if let Some(at) = asked.deadline {
        let default = asked.options.iter().find(|option| option.default);
        let otherwise = match default {
            Some(option) => format!("{} takes effect", one_line(&option.label)),
            None if asked.options.is_empty() => "the user is told that nobody is there".to_owned(),
            None => "it expires".to_owned(),
        };
        lines.push(format!("  until {at}, else {otherwise}"));
    }
    lines.extend(asked.choices.iter().map(choice));
    lines.extend(asked.ended.as_ref().map(|ended| format!("  {}", one_line(ended))));
    if asked.ended.is_none() && !asked.options.is_empty() {
        lines.push(format!("  {}", agreement(asked)));
    }
    lines
}

fn option(option: &AskedOption) -> String {
    let default = if option.default { " (the default)" } else { "" };
    let does = option.does.as_ref().map_or(String::new(), |does| format!(": {}", one_line(does)));
    format!("  {} {}{default}{does}", option.letter, one_line(&option.label))
}

fn choice(choice: &AskedChoice) -> String {
    let at = choice.at.to_utc().format("%H:%M:%S UTC");
    format!("  {} chose {} by {} at {at}", one_line(&choice.person), one_line(&choice.option), choice.via)
}

fn agreement(asked: &AskedView) -> String {
    let none = if asked.choices.is_empty() { "nobody has chosen yet; " } else { "" };
    match asked.approvals {
        1 => format!("{none}one person decides"),
        needed => format!("{none}{needed} people must agree"),
    }
}
