//! The templates of a request: its body, form and query. JSON is escaped by construction: every `{{ }}` writes a whole
//! JSON value, including quotes, and a result that is not valid JSON is not sent.

use crate::{
    channel::{
        Message, Recipient, SettingError,
        contact::{ContactField, EMAIL, PHONE},
    },
    core::PagePurpose,
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// The largest number of instructions that one template may execute.
const FUEL: u64 = 20_000;

/// The largest body in bytes. If a body is larger, only the first line of its text is sent. This is below the limits of
/// all chats that we know (Teams: 28 kB for each message).
pub const BODY_MAX: usize = 20_000;

/// The value of a form field, a query parameter or a header.
#[derive(Debug, Clone)]
pub enum FieldTemplate<S = SecretString> {
    /// A template.
    Text(String),
    /// A secret, used unchanged; in the matrix, a reference to it.
    Secret(S),
}

impl FieldTemplate {
    /// The secret, if the value is one.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Secret(secret) => Some(secret.expose_secret()),
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, Default)]
pub enum BodyTemplate<S = SecretString> {
    /// No body.
    #[default]
    None,
    /// A template that writes JSON.
    Json(String),
    /// Fields of a form.
    Form(BTreeMap<String, FieldTemplate<S>>),
}

/// The recipient of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRecipient {
    /// The recipient's address in the service's own form; empty for a room.
    pub to: String,
    /// The kind of contact data that it is.
    pub need: Option<ContactField>,
}

/// The parsed templates of one channel.
pub struct RequestTemplate {
    env: Environment<'static>,
    body: BodyTemplate,
    query: BTreeMap<String, FieldTemplate>,
}

/// A request filled in.
#[derive(Debug)]
pub struct FilledRequest {
    /// The JSON body, if there is one.
    pub json: Option<String>,
    /// Fields of a form.
    pub form: Option<Vec<(String, String)>>,
    /// Parameters to add to the URL.
    pub query: Vec<(String, String)>,
}

/// The variables of a template.
type TemplateValues = BTreeMap<&'static str, Value>;

const JSON: &str = "body.json";

impl RequestTemplate {
    /// Parses the templates.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if a template has a syntax error.
    pub fn new(body: BodyTemplate, query: BTreeMap<String, FieldTemplate>) -> Result<Self, SettingError> {
        let mut env = environment(|name| name == JSON);
        let mut add = |key: &'static str, name: String, text: &str| {
            let added = env.add_template_owned(name, text.to_owned());
            added.map_err(|error| SettingError::Wrong { key, why: error.to_string() })
        };
        match &body {
            BodyTemplate::None => {}
            BodyTemplate::Json(text) => add("body", JSON.to_owned(), text)?,
            BodyTemplate::Form(fields) => {
                for (name, field) in fields {
                    if let FieldTemplate::Text(text) = field {
                        add("form", format!("form.{name}"), text)?;
                    }
                }
            }
        }
        for (name, field) in &query {
            if let FieldTemplate::Text(text) = field {
                add("query", format!("query.{name}"), text)?;
            }
        }
        Ok(Self { env, body, query })
    }

    /// Fills them in for this message.
    ///
    /// # Errors
    ///
    /// A text that says which template failed and why.
    pub fn fill(&self, message: &Message, address: &HttpRecipient) -> Result<FilledRequest, String> {
        let words = words(message, address);
        match self.fill_with(&words) {
            Ok(filled) if filled.length() <= BODY_MAX => Ok(filled),
            Ok(_) => self.fill_with(&shortened(words)).and_then(|filled| {
                let length = filled.length();
                if length <= BODY_MAX { Ok(filled) } else { Err(format!("the body has {length} bytes of {BODY_MAX}")) }
            }),
            Err(why) => Err(why),
        }
    }

    fn fill_with(&self, words: &TemplateValues) -> Result<FilledRequest, String> {
        let json = match &self.body {
            BodyTemplate::Json(_) => Some(self.json(words)?),
            _ => None,
        };
        let form = match &self.body {
            BodyTemplate::Form(fields) => Some(self.fields("form", fields, words)?),
            _ => None,
        };
        Ok(FilledRequest { json, form, query: self.fields("query", &self.query, words)? })
    }

    fn json(&self, words: &TemplateValues) -> Result<String, String> {
        let text = self.run(JSON, words)?;
        let parsed: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("the body is not JSON: {error}"))?;
        Ok(parsed.to_string())
    }

    fn fields(
        &self,
        of: &str,
        fields: &BTreeMap<String, FieldTemplate>,
        words: &TemplateValues,
    ) -> Result<Vec<(String, String)>, String> {
        let fill = |(name, field): (&String, &FieldTemplate)| {
            let text = match field {
                FieldTemplate::Text(_) => self.run(&format!("{of}.{name}"), words)?,
                FieldTemplate::Secret(secret) => secret.expose_secret().to_owned(),
            };
            Ok((name.clone(), text))
        };
        fields.iter().map(fill).collect()
    }

    fn run(&self, name: &str, words: &TemplateValues) -> Result<String, String> {
        let told = |error: minijinja::Error| format!("{name}: {error}");
        self.env.get_template(name).map_err(told)?.render(words).map_err(told)
    }
}

impl FilledRequest {
    fn length(&self) -> usize {
        let fields = |fields: &[(String, String)]| fields.iter().map(|(k, v)| k.len() + v.len() + 2).sum::<usize>();
        let form = self.form.as_deref().map(fields).unwrap_or_default();
        self.json.as_deref().map(str::len).unwrap_or_default() + form + fields(&self.query)
    }
}

/// A template environment that refuses undefined variables, stops endless loops, and has no way to bypass the escaping.
/// `is_json` tells by a template's name whether it writes JSON.
pub(super) fn environment(is_json: fn(&str) -> bool) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(32);
    env.set_auto_escape_callback(move |name| if is_json(name) { AutoEscape::Json } else { AutoEscape::None });
    env.remove_filter("safe");
    env.add_filter("markdown", markdown);
    env
}

/// Escapes text for Markdown, so that data can not create links, pictures or mentions.
fn markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '|' | '#' => plain.extend(['\\', letter]),
            // A mention needs its name directly after the `@`.
            '@' => plain.extend(['@', '\u{200b}']),
            _ => plain.push(letter),
        }
    }
    plain
}

fn words(message: &Message, address: &HttpRecipient) -> TemplateValues {
    let contact = match &message.to {
        Recipient::Person(contact) => Some(contact),
        Recipient::Room { .. } => None,
    };
    let person = |of: fn(&crate::channel::ContactData) -> Option<&str>| Value::from(contact.and_then(of).unwrap_or(""));
    let text = message.whole_text().into_owned();
    let headline = message.stamped(&message.text.headline).into_owned();
    let ask = message.ask.as_ref().filter(|_| asks(message));
    let link = ask.map(|ask| ask.link.expose_secret()).or(message.desk.as_deref().filter(|_| asks(message)));
    BTreeMap::from([
        ("to", Value::from(address.to.as_str())),
        ("person", person(|contact| Some(&contact.person))),
        ("name", person(|contact| Some(&contact.name))),
        ("phone", person(|contact| contact.get(PHONE))),
        ("email", person(|contact| contact.get(EMAIL))),
        ("lines", Value::from(lines_below(&text, &headline))),
        ("text", Value::from(text)),
        ("headline", Value::from(headline)),
        ("html", Value::from(message.text.html.as_deref().filter(|_| address.need == Some(EMAIL)).unwrap_or(""))),
        ("subject", Value::from(message.text.subject.as_str())),
        ("stamp", Value::from(message.stamp())),
        ("drill", Value::from(message.drill)),
        ("incident", Value::from(message.page.incident.to_string())),
        ("page", Value::from(message.page.to_string())),
        ("id", Value::from(message.id())),
        ("role", Value::from(message.role.as_ref().map_or("", |role| role.as_str()))),
        ("purpose", Value::from(purpose(&message.purpose))),
        ("asks", Value::from(asks(message))),
        ("code", Value::from(ask.map_or("", |ask| ask.code.expose_secret()))),
        ("link", Value::from(link.unwrap_or(""))),
        ("level", Value::from(ask.map(|ask| ask.level.to_string()).unwrap_or_default())),
        ("report", Value::from(message.report.as_ref().map_or("", |report| report.expose_secret()))),
    ])
}

fn asks(message: &Message) -> bool {
    message.purpose.is_brief()
}

/// The same variables with only the first line as text.
fn shortened(mut words: TemplateValues) -> TemplateValues {
    if let Some(headline) = words.get("headline").cloned() {
        words.insert("text", headline);
    }
    words.insert("lines", Value::from(Vec::<String>::new()));
    words.insert("html", Value::from(""));
    words
}

fn lines_below(text: &str, headline: &str) -> Vec<String> {
    let below = text.strip_prefix(headline).unwrap_or(text);
    below.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The purpose of a message, as one word.
pub(crate) fn purpose(purpose: &PagePurpose) -> &'static str {
    match purpose {
        PagePurpose::Brief { .. } => "brief",
        PagePurpose::Taken { .. } => "taken",
        PagePurpose::HandedBack { .. } => "handed-back",
        PagePurpose::StoodDown => "stood-down",
        PagePurpose::Announced => "announced",
        PagePurpose::Resolved => "resolved",
        PagePurpose::RoomCard => "room-card",
        PagePurpose::RoomLine { .. } => "room-line",
        // Only for rooms that can be edited; rooms of this kind get none of these.
        PagePurpose::RoomNote { .. } => "room-note",
        PagePurpose::RoomUpdate { .. } => "room-update",
        PagePurpose::RoomFurnish => "room-furnish",
        PagePurpose::RoomInvite { .. } => "room-invite",
        PagePurpose::RoomSummary => "room-summary",
        PagePurpose::RoomArchive => "room-archive",
        PagePurpose::Notice { .. } => "notice",
    }
}
