//! Writes a matrix as TOML.

use super::draft::{MatrixDraft, PersonDraft, RoleDraft, RotationDraft, SourceDraft, TriggerDraft};

/// The channels of every imported matrix.
const DESK: &str = "desk";
const MAIL: &str = "mail";
const SMS: &str = "sms";

/// How many turns stand on one line.
const TURNS_A_LINE: usize = 7;

/// The whole file.
pub fn written(draft: &MatrixDraft, tool: &str) -> String {
    let mut text =
        format!("# Made from the set-up of {tool} by `stentor import`. Read its report, then run `stentor check`.\n\n");
    text += "[channel.desk]\nkind = \"screen\"\n\n";
    if draft.has_mail() {
        text += "# Fill in your mail server and the sender.\n[channel.mail]\nkind = \"smtp\"\nurl  = \"smtp://127.0.0.1:25\"\n\
                 from = \"stentor@example.com\"\n\n";
    }
    if draft.has_phone() {
        text += "# Fill in how your SMS gateway takes messages. Until its address is set, it sends nothing.\n[channel.sms]\n\
                 kind  = \"http\"\nurl   = { env = \"SMS_GATEWAY_URL\" }\nneeds = \"phone\"\n\
                 body  = '{ \"to\": {{ to }}, \"text\": {{ text }} }'\n\n";
    }
    draft.sources.iter().for_each(|source| text += &of_source(source));
    draft.people.iter().for_each(|person| text += &of_person(person));
    draft.rotations.iter().for_each(|rotation| text += &of_rotation(rotation));
    draft.roles.iter().for_each(|role| text += &of_role(role, draft));
    draft.triggers.iter().for_each(|trigger| text += &of_trigger(trigger));
    if !draft.catch_all.is_empty() {
        let (page, by) = (names(&draft.catch_all), names(&channels(draft, &draft.catch_all)));
        text += &format!("[catch-all]\npage  = {page}\nby    = {by}\nevery = \"5m\"\n");
    }
    text.trim_end().to_owned() + "\n"
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn names(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

/// The same, with a long list on several lines.
fn turns(people: &[String]) -> String {
    if people.len() <= TURNS_A_LINE {
        return names(people);
    }
    let lines = people.chunks(TURNS_A_LINE).map(|line| {
        let line: Vec<String> = line.iter().map(|name| quoted(name)).collect();
        format!("  {},\n", line.join(", "))
    });
    format!("[\n{}]", lines.collect::<String>())
}

/// The channels by which one of these people can be reached.
fn channels(draft: &MatrixDraft, page: &[String]) -> Vec<String> {
    let mut channels = vec![DESK.to_owned()];
    if draft.people_of(page).any(|person| person.phone.is_some()) {
        channels.push(SMS.into());
    }
    if draft.people_of(page).any(|person| person.email.is_some()) {
        channels.push(MAIL.into());
    }
    channels
}

fn of_source(source: &SourceDraft) -> String {
    let SourceDraft { key, token, unmatched_pages, map } = source;
    let unmatched = if *unmatched_pages { "unmatched = \"catch-all\"\n" } else { "" };
    let mut text = format!("[source.{key}]\ntoken     = {{ env = {} }}\n{unmatched}\n", quoted(token));
    if !map.is_empty() {
        text += &format!("[source.{key}.map]\n{}\n\n", map.join("\n"));
    }
    text
}

fn of_person(person: &PersonDraft) -> String {
    let mut text = format!("[person.{}]\nname     = {}\n", person.key, quoted(&person.name));
    for (key, value) in [("email   ", &person.email), ("phone   ", &person.phone), ("timezone", &person.timezone)] {
        if let Some(value) = value {
            text += &format!("{key} = {}\n", quoted(value));
        }
    }
    text + "\n"
}

fn of_rotation(rotation: &RotationDraft) -> String {
    let RotationDraft { key, people, handoff, timezone, overrides } = rotation;
    let mut text = format!(
        "[rotation.{key}]\npeople   = {}\nhandoff  = {}\ntimezone = {}\n",
        turns(people),
        quoted(handoff),
        quoted(timezone)
    );
    if !overrides.is_empty() {
        text += "overrides = [\n";
        for over in overrides {
            let time = |at: crate::core::Timestamp| at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            text += &format!(
                "  {{ person = {}, from = {}, until = {} }},\n",
                quoted(&over.person),
                time(over.from),
                time(over.until)
            );
        }
        text += "]\n";
    }
    text + "\n"
}

fn of_role(role: &RoleDraft, draft: &MatrixDraft) -> String {
    let mut text = format!("[role.{}]\n", role.key);
    if let Some(name) = &role.name {
        text += &format!("name = {}\n", quoted(name));
    }
    text += "step = [\n";
    for step in &role.steps {
        let (page, by) = (names(&step.page), names(&channels(draft, &step.page)));
        text += &format!("  {{ page = {page}, by = {by}, wait = \"{}m\" }},\n", step.wait_minutes.max(1));
    }
    text + "]\n\n"
}

fn of_trigger(trigger: &TriggerDraft) -> String {
    let TriggerDraft { key, on, sources, when, incident_key, roles, about } = trigger;
    let mut text = String::new();
    about.lines().for_each(|line| text += &format!("# {line}\n"));
    text += &format!("[trigger.{key}]\non       = {}\nsources  = {}\n", names(on), names(sources));
    if let Some(when) = when {
        text += &format!("when     = {}\n", quoted(when));
    }
    if let Some(key) = incident_key {
        text += &format!("key      = {}\n", quoted(key));
    }
    text + &format!("roles    = {}\nresolved = \"resolve\"\n\n", names(roles))
}
