//! The keys of channels of kind `http`, and of its presets: a preset is a set of the same keys, in a file of its own.

use crate::{
    matrix::{
        settings::{ChannelKind, ContactField},
        ways::{ProviderAccount, account, body},
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
        network::{Networks, networks},
        secret::{SecretRef, secret, secrets, url},
    },
};
use std::{collections::BTreeMap, sync::LazyLock};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(super) const KEYS: &[&str] = &[
    "url",
    "method",
    "headers",
    "username",
    "password",
    "bearer",
    "body",
    "form",
    "query",
    "needs",
    "number",
    "personal",
    "accepted",
    "id",
    "error",
    "unreachable",
    "retry",
    "broken",
    "report",
    "replies",
    "token",
    "allow",
    "probe",
];

/// The files of the presets.
const TEAMS: &str = include_str!("presets/teams.toml");
const MATTERMOST: &str = include_str!("presets/mattermost.toml");

static TEAMS_KEYS: LazyLock<Option<Spanned<DeTable<'static>>>> = LazyLock::new(|| DeTable::parse(TEAMS).ok());
static MATTERMOST_KEYS: LazyLock<Option<Spanned<DeTable<'static>>>> = LazyLock::new(|| DeTable::parse(MATTERMOST).ok());

/// Any service that takes a message over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpWay {
    /// `http`, or the preset that its other keys are from.
    pub kind: ChannelKind,
    /// Where it takes messages.
    pub url: AddressSource,
    /// `POST`, `PUT` or `GET`.
    pub method: String,
    /// Sent along.
    pub headers: BTreeMap<String, FieldWay>,
    /// For basic authentication.
    pub account: ProviderAccount,
    /// For bearer authentication.
    pub bearer: Option<SecretRef>,
    /// What is sent.
    pub body: BodyWay,
    /// What is added to the address: templates and secrets.
    pub query: BTreeMap<String, FieldWay>,
    /// What must be known of a person to reach them.
    pub needs: ContactField,
    /// How it wants numbers: `e164`, `digits` or `00`.
    pub number: String,
    /// Whether the paged person alone reads it, so that their own code and link may go there.
    pub personal: bool,
    /// What its answers mean.
    pub rules: RulesWay,
    /// How it reports what became of a message.
    pub report: Option<ReportWay>,
    /// How it hands replies of people over.
    pub replies: Option<RepliesWay>,
    /// What its calls to us must carry: one, or two while it is changed.
    pub tokens: Vec<SecretRef>,
    /// The networks where it may lie beside the public internet; anywhere where there is none.
    pub allow: Option<Networks>,
    /// What is asked to see whether it is there; the address itself where there is none.
    pub probe: Option<AddressSource>,
}

/// An address, or where it is kept: of many a service it is the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressSource {
    /// It.
    Plain(String),
    /// Where it is kept.
    Secret(SecretRef),
}

/// A template, or where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldWay {
    /// A template.
    Text(String),
    /// Where it is kept.
    Secret(SecretRef),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BodyWay {
    /// Nothing.
    #[default]
    None,
    /// A template that writes JSON.
    Json(String),
    /// Fields of a form.
    Form(BTreeMap<String, FieldWay>),
}

/// What a service's answers mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RulesWay {
    /// Statuses that may mean success; any 2xx where there is none.
    pub statuses: Vec<u16>,
    /// How the body of a success begins.
    pub begins: Option<String>,
    /// Where in the body of a success one of these values stands.
    pub says: Option<(String, Vec<String>)>,
    /// Where the id of the message stands.
    pub id: Option<String>,
    /// Where the code of a refusal stands.
    pub error: Option<String>,
    /// Codes that mean: not this person by this way.
    pub unreachable: Vec<String>,
    /// Codes that mean: not now.
    pub retry: Vec<String>,
    /// Codes that mean: nobody by this way.
    pub broken: Vec<String>,
}

/// Where in a report its parts stand: a JSON pointer, or the name of a field of the query or form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportWay {
    /// What became of the message.
    pub status: String,
    /// The service's id of the message, where it can not call our own address of the page.
    pub id: Option<String>,
    /// Statuses that mean: it is on the device.
    pub delivered: Vec<String>,
    /// Statuses that mean: it will not arrive.
    pub undelivered: Vec<String>,
}

/// Where in a reply its parts stand: a JSON pointer, or the name of a field of the query or form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepliesWay {
    /// The number of who sent it.
    pub from: String,
    /// What they said.
    pub text: String,
}

impl HttpWay {
    /// Every secret that it names.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        let form = match &self.body {
            BodyWay::Form(fields) => Some(fields),
            BodyWay::None | BodyWay::Json(_) => None,
        };
        let fields =
            self.headers.values().chain(self.query.values()).chain(form.into_iter().flat_map(BTreeMap::values));
        let of_fields = fields.filter_map(|field| match field {
            FieldWay::Secret(secret) => Some(secret),
            FieldWay::Text(_) => None,
        });
        let places = [Some(&self.url), self.probe.as_ref()].into_iter().flatten().filter_map(AddressSource::secret);
        places.chain(of_fields).chain(&self.account.password).chain(&self.bearer).chain(&self.tokens).collect()
    }
}

impl AddressSource {
    /// Where it is kept, where it is a secret.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

/// Adds the keys of the kind's preset that the matrix does not give.
pub(super) fn fill_up(kind: ChannelKind, table: &mut TomlTable<'_>) {
    let preset = match kind {
        ChannelKind::Teams => TEAMS_KEYS.as_ref(),
        ChannelKind::Mattermost => MATTERMOST_KEYS.as_ref(),
        _ => None,
    };
    if let Some(preset) = preset {
        table.fall_back_on(preset.get_ref());
    }
}

pub(super) fn read(kind: ChannelKind, table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> HttpWay {
    let url = table.demand("url", at, "url = { env = \"SMS_GATEWAY_URL\" }", faults);
    // Whoever knows a chat's address may post there.
    let is_chat = kind != ChannelKind::Http;
    let url = url
        .and_then(|item| if is_chat { secret(&item, faults).map(AddressSource::Secret) } else { place(&item, faults) });
    let url = url.unwrap_or(AddressSource::Plain(String::new()));
    let needs = table.take("needs").and_then(|item| one_of(&item, &["phone", "email", "nothing"], faults));
    let needs = match needs {
        Some("phone") => ContactField::Phone,
        Some("email") => ContactField::Email,
        _ => ContactField::Nothing,
    };
    let number = table.take("number").and_then(|item| one_of(&item, &["e164", "digits", "00"], faults));
    let method = table.take("method").and_then(|item| one_of(&item, &["POST", "PUT", "GET"], faults));
    let (body, query) = (body::read(table, faults), fields("query", table, faults));
    body::check(&body, &query, needs, table, at, faults);
    HttpWay {
        kind,
        url,
        method: method.unwrap_or("POST").to_owned(),
        headers: fields("headers", table, faults),
        account: account(table, faults),
        bearer: table.take("bearer").and_then(|item| secret(&item, faults)),
        body,
        query,
        needs,
        number: number.unwrap_or("e164").to_owned(),
        personal: personal(needs, table, faults),
        rules: rules(table, faults),
        report: table.take("report").and_then(|item| report(&item, faults)),
        replies: table.take("replies").and_then(|item| replies(&item, faults)),
        tokens: table.take("token").map(|item| secrets(&item, faults)).unwrap_or_default(),
        allow: table.take("allow").map(|item| networks(&item, faults)),
        probe: table.take("probe").and_then(|item| place(&item, faults)),
    }
}

/// Whether the paged person alone reads what is sent. Always so where it goes to a number or mailbox of theirs.
pub(super) fn personal(needs: ContactField, table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> bool {
    let theirs = needs != ContactField::Nothing;
    let Some(item) = table.take("personal") else { return theirs };
    if theirs {
        let message = "`personal` has no effect where a person's own number or mailbox is written to";
        faults.error("key-without-effect", item.key_at, message, "remove it");
    }
    item.flag(faults).unwrap_or(theirs)
}

/// An address in the clear, or where it is kept.
pub(super) fn place(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<AddressSource> {
    if matches!(item.value, DeValue::Table(_)) {
        return secret(item, faults).map(AddressSource::Secret);
    }
    url(item, &["https://", "http://"], faults).map(AddressSource::Plain)
}

/// One of a few words.
pub(super) fn one_of<'a>(item: &TomlItem<'a>, words: &[&str], faults: &mut MatrixFaults) -> Option<&'a str> {
    let text = item.text(faults)?;
    if words.contains(&text.value) {
        return Some(text.value);
    }
    let known: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let message = format!("{:?} is nothing that `{}` can be", text.value, item.key);
    faults.error("unknown-word", text.at, message, format!("write {}", known.join(", ")));
    None
}

/// `{ name = "template", other = { env = ".." } }`.
pub(super) fn fields(
    key: &'static str,
    table: &mut TomlTable<'_>,
    faults: &mut MatrixFaults,
) -> BTreeMap<String, FieldWay> {
    let Some(item) = table.take(key) else { return BTreeMap::new() };
    let Some(mut inner) = item.table(format!("`{key}`"), faults) else { return BTreeMap::new() };
    let mut fields = BTreeMap::new();
    for item in inner.take_all() {
        let field = match item.value {
            DeValue::Table(_) => secret(&item, faults).map(FieldWay::Secret),
            // A header is a line; what stands in a body may have several.
            _ if key == "headers" => item.text(faults).map(|text| FieldWay::Text(text.value.to_owned())),
            _ => item.lines(faults).map(|text| FieldWay::Text(text.value.to_owned())),
        };
        fields.extend(field.map(|field| (item.key.to_owned(), field)));
    }
    fields
}

fn rules(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> RulesWay {
    let accepted = table.take("accepted").and_then(|item| accepted(&item, faults)).unwrap_or_default();
    RulesWay {
        id: table.take("id").and_then(|item| pointer(&item, faults)),
        error: table.take("error").and_then(|item| pointer(&item, faults)),
        unreachable: codes("unreachable", table, faults),
        retry: codes("retry", table, faults),
        broken: codes("broken", table, faults),
        ..accepted
    }
}

/// `{ status = [200], begins = "OK" }` or `{ at = "/status", is = ["queued"] }`.
fn accepted(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<RulesWay> {
    let mut table = item.table("`accepted`".to_owned(), faults)?;
    let statuses = codes("status", &mut table, faults).iter().filter_map(|code| code.parse().ok()).collect();
    let begins = table.take("begins").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    let at = table.take("at").and_then(|item| pointer(&item, faults));
    let is = codes("is", &mut table, faults);
    if at.is_some() == is.is_empty() {
        let help = "write both: { at = \"/status\", is = [\"queued\"] }";
        faults.error("missing-key", item.at, "`accepted` has one of `at` and `is` without the other", help);
    }
    table.finish(&[], &[], faults);
    Some(RulesWay { statuses, begins, says: at.map(|at| (at, is)), ..RulesWay::default() })
}

/// A JSON pointer (RFC 6901) that is not the whole.
fn pointer(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if text.value.starts_with('/') {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is no place in JSON", text.value);
    faults.error("bad-pointer", text.at, message, "write a JSON pointer: \"/error/code\", \"/messages/0/id\"");
    None
}

/// Texts and numbers, as texts.
fn codes(key: &'static str, table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Vec<String> {
    let Some(items) = table.take(key).and_then(|item| item.list(faults)) else { return Vec::new() };
    let code = |item: &TomlItem<'_>, faults: &mut MatrixFaults| match item.value {
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        _ => item.text(faults).map(|text| text.value.to_owned()),
    };
    items.iter().filter_map(|item| code(item, faults)).collect()
}

fn report(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<ReportWay> {
    let mut table = item.table("`report`".to_owned(), faults)?;
    let status = table.demand("status", item.at, "status = \"/status\"", faults).and_then(|item| item.text(faults));
    let id = table.take("id").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    let delivered = codes("delivered", &mut table, faults);
    let undelivered = codes("undelivered", &mut table, faults);
    if delivered.is_empty() && undelivered.is_empty() {
        let help = "write { status = \"/status\", delivered = [\"DELIVRD\"], undelivered = [\"UNDELIV\"] }";
        faults.error("missing-key", item.at, "`report` says of no status what it means", help);
    }
    table.finish(&[], &[], faults);
    Some(ReportWay { status: status?.value.to_owned(), id, delivered, undelivered })
}

fn replies(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<RepliesWay> {
    let mut table = item.table("`replies`".to_owned(), faults)?;
    let from = table.demand("from", item.at, "from = \"/from\"", faults).and_then(|item| item.text(faults));
    let text = table.demand("text", item.at, "text = \"/text\"", faults).and_then(|item| item.text(faults));
    table.finish(&[], &[], faults);
    Some(RepliesWay { from: from?.value.to_owned(), text: text?.value.to_owned() })
}
