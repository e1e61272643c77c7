//! The Crisis Escalation Matrix: reads TOML files; returns a [`Matrix`], or all faults at once.
//!
//! A matrix is a directory. All `*.toml` files directly in it are read as one document. Each section below may be in
//! any file; each name may be defined once. Names consist of lower-case letters, digits, `-` and `_`, at most 40
//! characters. Stentor reserves `stentor` and `drill` for its own sources and triggers, and `by-hand` for its own
//! triggers. Durations are text with a unit: `"45s"`, `"2m"`, `"1h 30m"`. A text is one line of visible characters,
//! without control characters and without characters that change the writing direction; expressions and bodies may have
//! several lines. A key is accepted only if it has an effect: an unknown key is an error that names the nearest known
//! one.
//!
//! # `[daemon]`
//! | key | meaning | default |
//! |---|---|---|
//! | `listen` | IP address and port to listen on | the command line's |
//! | `public_url` | the start of links in pages, http or https | the command line's |
//! | `state` | the directory for persistent state | the command line's |
//! | `ping` | `{ url, every }`: a service that is pinged while this daemon works, and not pinged when it does not; the address may be a secret | nobody; `every` 60s |
//! | `anchors` | `{ file, webhook = { url, keys, allow } }`: who gets a signed copy of each of the journal's anchors, a file (absolute path) or a system or both | nobody |
//! | `proof_max_age` | how old the last proven contact of a person by a channel may be before `doctor` and `people` warn | `90d` |
//! | `proxies` | addresses and networks of proxies on other machines, which forward everybody's requests: no per-address connection limit applies to them | none; this machine is one |
//! | `timezone` | the time zone of texts that several people read: war rooms, groups, boards | `UTC` |
//!
//! # `[source.NAME]`: a monitor that may post alerts
//! | key | meaning | default |
//! |---|---|---|
//! | `token` | its bearer token, a secret; a list of two during a change | must be given, unless it signs |
//! | `token_header` | a header of its own in which it sends the token to `/monitors/..` | none |
//! | `signature` | `{ keys, header, encoding, prefix, timestamp, signed }`: how it signs what it sends to `/monitors/..` (HMAC-SHA-256); then only that is believed there | none: it sends its token |
//! | `map` | `{ each, when, once, kind, resolved, summary, starts_at, confidence, labels, values, annotations }`: CEL over `body` (and `item`, one of `each`) that makes alerts of what it sends to `/monitors/json/..` | none |
//! | `drills` | whether it may post drills | `false` |
//! | `unmatched` | what alerts do that no trigger takes: `count`, or page the `catch-all`, once for the source | `count` |
//! | `openings_per_minute` | how many incidents its alerts may open in a minute; then alerts that would open more are refused with 429 for a while | `6000` |
//! | `reply_url` | how links begin that its handoffs may give people: http or https | none: its handoffs have no links |
//! | `scopes` | what its token may do: `alerts` (send alerts, read the incidents that they opened), `read` (read every incident, reports, the details of `/readyz`), `metrics` (read `/metrics`), `silences` (read, make and end silences) | `["alerts"]` |
//!
//! A *secret* is never written here; the matrix only says where it is kept: `{ env = "VARIABLE" }`, `{ file = "PATH" }`
//! or `{ credential = "NAME" }` (systemd).
//!
//! # `[channel.NAME]`: a way to reach people
//! | key | for kinds | meaning | default |
//! |---|---|---|---|
//! | `kind` | | `screen`, `slack`, `telegram`, `kannel` (SMS), `smtp` (e-mail), `twilio` (SMS), `voice` (calls), `http`, `teams`, `mattermost`, `ntfy`, `webhook` or `exec` | must be given |
//! | `url` | slack, telegram, kannel, smtp | where the provider is; smtp: `smtps://host:465`, or `smtp://host:587`, where STARTTLS is required for every host except this one | must be given for kannel and smtp |
//! | `token` | slack, telegram, kannel | slack, telegram: the bot token, a secret; kannel: the token that replies to us must have (`?token=`), a secret | must be given for slack and telegram; no SMS replies without it |
//! | `signing_secret` | slack | the secret with which Slack signs its HTTP requests; a list of two during a change | no buttons over HTTP without it |
//! | `app_token` | slack | the app-level token (`xapp-`), a secret: Slack delivers buttons and commands over sockets that Stentor opens (Socket Mode) | no sockets without it |
//! | `username`, `password` | kannel, smtp | the account; the password is a secret | none |
//! | `from` | kannel, smtp | the sender: a number or name; a mailbox, or `Name <mailbox>` | must be given for smtp |
//! | `mail_in` | smtp | the Unix user with which the site's mail server runs `stentor mail-in` | root and the daemon's own |
//! | `private` | slack | whether war rooms are private | `false` |
//! | `name` | slack | the name of war rooms: text with `{drill}` (first), `{id}`, `{trigger}`, `{date}` | `{drill}inc-{id}-{trigger}` |
//! | `group` | telegram | the id of the group that has a message for each incident | none |
//! | `archive_after` | slack | how long after the end of its incident a war room is archived | never |
//! | `pace` | all | the rate limit for one destination: `"1/s"`, `"20/m"`, `"1/s burst 5"` | screen `100/s burst 100`, slack, telegram and kannel `1/s burst 3`, smtp `1/s burst 5` |
//! | `report_timeout` | kannel, twilio, voice, http | how long after acceptance a page may stay without a delivery report before the person's next channel is tried as well; `never` where none come | 30 s for kannel, and for http with `report`; else reports are not waited for |
//! | `accept_timeout` | all | how long a page may stay unaccepted before the person's next channel is tried | screen 5s, slack 8s, telegram 10s, kannel 20s, smtp 30s |
//!
//! ## Kinds `twilio` and `voice`: an account at Twilio
//! | key | for kinds | meaning | default |
//! |---|---|---|---|
//! | `account` | both | its SID, `AC..` | must be given |
//! | `token` | both | its auth token, a secret; or a list of two during a change. Twilio signs its requests to us with it | must be given |
//! | `api_key`, `api_secret` | both | an API key (`SK..`) and its secret, for logging in instead of the token | none |
//! | `from` | both | the number that people see; for twilio also a short code or a name | must be given for voice |
//! | `messaging_service` | twilio | `MG..`, instead of `from` | none |
//! | `validity` | twilio | how long Twilio keeps a message that it cannot send immediately, at most `10h`; shorter if a reminder is due earlier | `10m` |
//! | `machines` | voice | whether Twilio listens for answering machines, so that another channel is tried immediately after a voicemail | `false` |
//! | `url` | both | the address of the API if it is not Twilio's: https, or http on this machine | Twilio's |
//!
//! Both need `daemon.public_url`: Twilio fetches the text of a call there and reports the result. `pace` is
//! `1/s burst 3` and `3/m`, `accept_timeout` 15s.
//!
//! ## Kind `http`: any service that accepts messages over HTTP, and the presets `teams`, `mattermost` and `ntfy`
//! | key | meaning | default |
//! |---|---|---|
//! | `url` | the address for messages; a secret if everyone who knows it may send | must be given; for a preset as a secret |
//! | `method` | `POST`, `PUT` or `GET` | `POST` |
//! | `body` | a template for JSON: every `{{ word }}` becomes a complete JSON value with its quotes | none |
//! | `form`, `query` | `{ name = "template", key = { env = ".." } }`: form fields instead of `body`, and query parameters | none |
//! | `headers` | `{ X-Name = "text", X-Key = { env = ".." } }` | none |
//! | `username`, `password`; `bearer` | basic authentication; a bearer token, a secret | none |
//! | `needs` | the contact that a person must have: `phone`, `email` or `nothing`. With `nothing` it can be a room | `nothing` |
//! | `number` | the format of numbers: `e164` (`+34..`), `digits` (`34..`) or `00` (`0034..`) | `e164` |
//! | `personal` | with `needs = "nothing"`: only the paged person reads it, so it gets their own link, not the desk's | `false` |
//! | `accepted` | the condition for success: `{ status = [200], begins = "OK" }` or `{ status = [200], at = "/status", is = ["queued"] }` | any 2xx that is not an HTML page and has no `error` |
//! | `id`, `error` | where the JSON answer has the message's id and the error code: `"/error/code"` | none |
//! | `unreachable`, `retry`, `broken` | codes at `error`, or HTTP statuses, for: this person is unreachable; try again later; the channel is broken | by the HTTP status |
//! | `report` | `{ status, id, delivered = [..], undelivered = [..] }`: where a report to `/hooks/http/NAME/report` has each of them (`"/pointer"` or a field's name), and the values that count. With the page's own address (`{{ report }}`) no `id` is needed | none |
//! | `replies` | `{ from, text }`: the same for a reply to `/hooks/http/NAME` | none |
//! | `token` | the token that its calls to us must have (`?token=` or bearer), a secret; two during a change | no replies, and reports only to the page's own address |
//! | `allow` | private addresses and networks that are allowed in addition to the public internet; checked when connecting | anywhere |
//! | `probe` | an address that `doctor` requests with GET | the `url`, requested with OPTIONS |
//!
//! Templates use MiniJinja, with the variables in [`WORDS`](crate::channel::http::body::WORDS). A preset is a set of
//! these keys: each can be overridden. Rooms of these kinds cannot be edited: they get one card and a message for each
//! change. `pace` is `1/s burst 5` (teams `2/s burst 4`), `accept_timeout` 15s (presets 10s).
//!
//! ## Kind `webhook`: signed notices to another system (Standard Webhooks 1.0.0)
//! | key | meaning | default |
//! |---|---|---|
//! | `url` | the address; may be a secret | must be given |
//! | `keys` | the keys that sign events (`whsec_..`), secrets: one, or two during a change | must be given |
//! | `allow` | private addresses and networks that are allowed in addition to the public internet | none |
//!
//! A trigger names it in `webhooks`. The notices: [`crate::core::page::SystemNotice`].
//!
//! ## Kind `exec`: a program on this machine
//! | key | meaning | default |
//! |---|---|---|
//! | `program` | its absolute path; no shell is used | must be given |
//! | `arguments` | fixed words, and [`PLACEHOLDERS`](crate::channel::exec::settings::PLACEHOLDERS) as whole arguments | none |
//! | `needs`, `personal` | as for `http` | `nothing`, `false` |
//!
//! It reads the page as JSON on its standard input. Exit codes: 0 accepted (the first line of its output is the
//! receipt), 75 try again later, 78 the channel is broken, anything else: this person is unreachable. It is killed,
//! with its children, after `accept_timeout` (10s), at most ten seconds.
//!
//! # `[person.NAME]`: a responder
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | their name for display | must be given |
//! | `email` | mailbox, for smtp | none |
//! | `phone` | `+` and 8 to 15 digits, for kannel, twilio and voice | none |
//! | `slack` | member id, for slack; or `by-email`: Slack is asked by their mailbox | none |
//! | `telegram` | for telegram: the id of their private chat with the bot; or `linked`: they link it by a code | none |
//! | `timezone` | the time zone of times that are shown to them | that of `[daemon]` |
//! | `unix` | the Unix user that speaks for them on the daemon's socket | none |
//!
//! # `[rotation.NAME]`: people who take turns
//! | key | meaning | default |
//! |---|---|---|
//! | `people` | the people, in the order of their turns; who is named several times has as many turns | must be given |
//! | `handoff` | when turns change: `minute hour day month weekday`, weekdays by name, at most hourly | must be given |
//! | `timezone` | the time zone of `handoff`: a name from the IANA database, like `Europe/London` | `UTC` |
//! | `turn` | how many hand-overs one turn lasts, 1 to 366 | 1 |
//! | `overrides` | `[{ person, from, until }]`: another person for some time; the last one that covers a time wins | none |
//!
//! # `[role.NAME]`: a job that somebody must take
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | what people read instead of its id, at most 32 characters | its id |
//! | `engaged_by` | the answer that it requires: `roger` (received) or `wilco` (I have it) | `wilco` |
//! | `target` | `{ within, percent }`: in a drill, this percentage is engaged within this time | none |
//! | `template` | the template for its texts | the role's own name if there is a template with it, else `default` |
//! | `step` | a list of `{ page, by, wait, repeat }`, see below | must be given |
//! | `next` | the role that takes over when the steps are used up | the catch-all |
//!
//! In a step, `page` names people and rotations (`"rotation.equities"`), `by` names channels, all of which are used at
//! the same time, `wait` is how long this step waits before the next, and `repeat` is how often it is repeated (0).
//!
//! # `[maintenance.NAME]`: a silence that comes again
//! | key | meaning | default |
//! |---|---|---|
//! | `match` | a list of matchers: `label=value`, `!=`, `=~"pattern"`, `!~"pattern"` | must be given |
//! | `starts` | a cron line (minute hour day month weekday) | must be given |
//! | `lasts` | how long, 1m to 31d | must be given |
//! | `timezone` | the time zone of `starts` | the daemon's |
//! | `owner`, `reason` | whose it is, and why | must be given |
//!
//! # `[assessment.NAME]`: how serious an alert is
//! | key | meaning | default |
//! |---|---|---|
//! | `text` | a CEL expression over `alert`: what is read, text or a list of texts | the summary, and every text of the evidence |
//! | `levels` | `{ medium = 2, high = 5 }`: the levels and the scores from which on they hold | must be given |
//! | `lowest` | the name of the level below all of them | `low` |
//! | `words` | by language: `{ en = { "chest pain" = 5, negations = ["no"] } }`: phrases and what each adds to the score; `negations` in place of the built-in words that deny what follows (en, de, fr, es) | none |
//! | `rule` | a list of `{ name, when, weight }`: what is added where the CEL expression `when` holds | none |
//! | `classifier` | `{ url, token, exec, deadline, absent, weight }`: a program of yours that is asked, by HTTP or by running it; without its answer the level is one up (`absent = "raise"`), or at least a level that is named, or stays (`"ignore"`) | none |
//!
//! # `[trigger.NAME]`: a rule that turns alerts into an incident
//! | key | meaning | default |
//! |---|---|---|
//! | `on` | the kinds of alert that it checks | must be given |
//! | `sources` | a source of the matrix, or a list: only their alerts and all-clears count | all |
//! | `when` | a CEL expression over `alert`, true or false | always |
//! | `threshold` | `{ count, within, consecutive }`: the condition must hold this often (2 to 1000) within this time; `consecutive = true`: an alert for which it does not hold starts the count anew | once |
//! | `change` | `{ of, by, within }`: a value must have changed by so much (`"-5%"`, `"+20"`, `"3"`) within this time | none |
//! | `corroborate` | `{ count, within, by }`: so many independent witnesses must say it within this time | one |
//! | `for` | how long the condition must go on | at once |
//! | `assess` | assessments that are made for the people who are asked, also where no condition names them | those that its expressions name |
//! | `clear_when` | a CEL expression: where it holds and `when` does not, the alert is an all-clear | none |
//! | `cooldown` | how long nothing opens after the end of an incident of the same key | none |
//! | `flapping` | `{ openings, within }`: what opens so often within this time stays open until a person ends it | none |
//! | `absent` | `{ every, grace }`: an incident opens when the key falls silent | none |
//! | `silences` | whether silences count for it | `true` |
//! | `key` | a CEL expression: alerts with the same value are one incident | one incident per trigger |
//! | `openings_per_minute` | how many incidents it opens within a minute, 1 to 1000; alerts with further keys join one overflow incident | 60 |
//! | `impact`, `likelihood` | what its incidents may do and how likely they are real: names of `[decision]`, or expressions; they give the tier | no tier |
//! | `tier` | the tier of all its incidents: `watch`, `warm` or `immediate` | by `impact` and `likelihood` |
//! | `priority` | 1 (most urgent) to 5: whose pages go first where they wait for the same channel | 3 |
//! | `summary` | text with `{ CEL }` parts | the alert's own summary |
//! | `roles` | the roles to engage | must be given |
//! | `room` | a channel that creates a war room or is one, or a list of channels: slack, teams, mattermost; http and exec without `needs` | none |
//! | `webhooks` | a channel of kind webhook, or a list: other systems that get notices | none |
//! | `runbook` | an address (http, https) that war rooms bookmark; without it the alert's annotation `runbook_url` | none |
//! | `actions` | `[{ text, then }]`: suggested actions and their results, called A, B, .. in pages; at most 9. Actions in the alert itself (`action_a` ..) replace them | none: nothing is suggested |
//! | `ask` | `{ approvals, default, after, from_alerts, check, read_back, edits }`: takes requests (`POST /v1/requests`): how many different people must agree (1), which option takes effect if nobody decides (none: it expires), how long they have at most (must be given, 5s to 7d), and which fact they repeat with an option (`labels.desk`; none), whether who approves may change the action (`edits`; false) | none: it takes alerts alone |
//! | `handoff` | `{ after, tier, capacity, hours, variants, from_alerts }`: takes handoffs of conversations and nothing else: how long a user waits for somebody (must be given, 5s to 7d), `warm` (step by step) or `immediate` (everybody at once, first of all), how many conversations one person can have at once, when somebody is there (`"Mon-Fri 09:00-17:30"`, or a list, in the time zone of the daemon), whether two wordings are compared, and whether alerts hand over | none |
//! | `resolved` | what the monitor's all-clear does: `note`, or `resolve` the incident | `note` |
//!
//! Expressions see `alert` with `source`, `kind`, `status`, `summary`, `labels` (text), `values` (numbers),
//! `annotations` (text), `confidence` (0 to 1), `evidence`, `starts_at` and `drill`; every number has a decimal point.
//! A field that a monitor did not send makes the trigger *fail*, which pages the catch-all; `has(alert.values.x)`
//! checks for it. `alert.starts_at.getHours("Europe/London")` is the hour there.
//!
//! # `[catch-all]`: who is paged when nobody else answered
//! | key | meaning | default |
//! |---|---|---|
//! | `page` | people and rotations | must be given |
//! | `by` | channels | must be given |
//! | `every` | how often it repeats | `2m` |

mod actions;
mod ask;
mod assemble;
mod assessing;
mod assessment;
mod assessment_section;
mod assessment_use;
mod body_map;
mod callbacks;
mod compiled;
mod contact_coverage;
mod cost;
mod daemon_section;
mod deciders;
mod decision;
mod decision_section;
mod draft;
mod expression;
mod expression_fault;
mod expression_functions;
mod facts;
mod hand_overs;
mod handoff;
mod ladder;
mod layer_words;
mod layers;
mod lint;
mod maintenance;
mod model;
mod parse;
pub(crate) mod people;
mod plans;
mod references;
mod risk;
mod risk_lint;
mod rule;
mod sections;
mod settings;
mod signature;
mod sms_letters;
mod source_section;
mod stand_ins;
mod summary;
mod tiers;
mod trigger;
mod trigger_matching;
mod value_kind;
mod without_effect;
pub(crate) mod zone_name;
mod zoned;

pub use crate::channel::{contact::ContactField, kind::ChannelKind, settings::ChannelSettings};
pub use crate::matrix::trigger::{Trigger, TriggerMatch};
pub use crate::toml_kit::{
    diagnostic::{Diagnostic, Severity, render, render_of, render_within},
    source::{SourceText, read_folder},
};
pub use assessment::{
    ASSESSED_TEXT_MAX, AssessmentSettings, ClassifierAnswers, ClassifierSettings, ClassifierVia, NOT_ASKED,
};
pub use body_map::{BodyMap, MAP_COST_MAX, MAP_ITEMS_MAX, MAP_SHARE_MIN, MappedAlert, MappedBody};
pub use cost::{CostMeter, EXPRESSION_COST_MAX};
pub use decision::{DecisionMatrix, TierFacts, TierInput, TierRule};
pub use expression::{CelExpression, EXPRESSION_MAX, TEXT_MAX};
pub use layer_words::LayerWords;
pub use model::{KnownNames, Matrix, ParsedMatrix};
pub use settings::{
    AnchorSettings, DaemonSettings, People, Person, PingSettings, SourceScope, SourceSettings, Sources,
};
pub use signature::{SignatureEncoding, SignatureSettings, SignedPart};
pub use summary::SummaryTemplate;
pub use tiers::by_tier;
pub use zone_name::{UnknownZone, zone_named};
