//! The Crisis Escalation Matrix: TOML files into a [`Matrix`] that judges alerts, or into every fault at once.
//!
//! A matrix is a folder; every `*.toml` directly in it is read, and all of them are one document. Each section below
//! may stand in any file; every name is given once. Names are lower-case letters, digits, `-` and `_`, at most 40;
//! `stentor` and `drill` are no names of sources and triggers, `by-hand` none of a trigger: those are Stentor's own.
//! Durations are text with a unit: `"45s"`, `"2m"`, `"1h 30m"`. A text is one line of what can be seen: without control
//! characters and without those that turn the direction of what follows; expressions and bodies may have several. A key
//! is accepted only when it takes effect: one that
//! nobody knows is an error that names the nearest known one.
//!
//! # `[daemon]`
//! | key | meaning | default |
//! |---|---|---|
//! | `listen` | IP address and port of the door | the command line's |
//! | `public_url` | what links in pages begin with, http or https | the command line's |
//! | `state` | the folder of what must survive | the command line's |
//! | `ping` | `{ url, every }`: who is told that this daemon does its work, and is not told when it does not; the address may be a secret | nobody; `every` 60s |
//! | `proof_max_age` | how old the last proven contact of a person by a channel may be before `doctor` and `people` warn | `90d` |
//! | `proxies` | addresses and networks of proxies on other machines, which bring everybody's requests: no address of theirs has a share of its own of the connections | none; this machine is one |
//!
//! # `[source.NAME]`: a monitor that may post alerts
//! | key | meaning | default |
//! |---|---|---|
//! | `token` | its bearer token, a secret; or a list of two while it is being changed | must be given |
//! | `drills` | whether it may post drills | `false` |
//!
//! A *secret* is never written here, but where it is kept: `{ env = "VARIABLE" }`, `{ file = "PATH" }` or
//! `{ credential = "NAME" }` (systemd).
//!
//! # `[channel.NAME]`: a way to reach humans
//! | key | for kinds | meaning | default |
//! |---|---|---|---|
//! | `kind` | | `screen`, `slack`, `telegram`, `kannel` (SMS), `smtp` (e-mail), `twilio` (SMS), `voice` (calls), `http`, `teams`, `mattermost`, `ntfy`, `webhook` or `exec` | must be given |
//! | `url` | slack, telegram, kannel, smtp | where the provider is; smtp: `smtps://host:465`, or `smtp://host:587` where STARTTLS is demanded of any host but this one | must be given for kannel and smtp |
//! | `token` | slack, telegram, kannel | slack, telegram: the bot token, a secret; kannel: what its replies to us must carry (`?token=`), a secret | must be given for slack and telegram; no SMS replies without it |
//! | `signing_secret` | slack | with which Slack signs what it sends over HTTP, a secret; or a list of two while it is being changed | no buttons over HTTP without it |
//! | `app_token` | slack | the app-level token (`xapp-`), a secret: Slack hands buttons and commands in over sockets that Stentor opens (Socket Mode) | no sockets without it |
//! | `username`, `password` | kannel, smtp | the account; the password is a secret | none |
//! | `from` | kannel, smtp | the sender: a number or name; a mailbox, or `Name <mailbox>` | must be given for smtp |
//! | `mail_in` | smtp | the Unix user as whom the site's mail server runs `stentor mail-in` | root and the daemon's own |
//! | `private` | slack | whether war rooms are closed | `false` |
//! | `name` | slack | how war rooms are called: text with `{drill}` (first), `{id}`, `{trigger}`, `{date}` | `{drill}inc-{id}-{trigger}` |
//! | `archive_after` | slack | how long after the end of its incident a war room is archived | never |
//! | `pace` | all | how fast one destination is written to: `"1/s"`, `"20/m"`, `"1/s burst 5"` | screen `100/s burst 100`, slack, telegram and kannel `1/s burst 3`, smtp `1/s burst 5` |
//! | `accept_timeout` | all | how long a page may stay unaccepted before the person's next channel is tried | screen 5s, slack 8s, telegram 10s, kannel 20s, smtp 30s |
//!
//! ## Kinds `twilio` and `voice`: an account at Twilio
//! | key | for kinds | meaning | default |
//! |---|---|---|---|
//! | `account` | both | its SID, `AC..` | must be given |
//! | `token` | both | its auth token, a secret; or a list of two while it is being changed. With it Twilio signs what it sends to us | must be given |
//! | `api_key`, `api_secret` | both | an API key (`SK..`) and its secret, to log in with in place of the token | none |
//! | `from` | both | the number that people see; twilio: also a short code or a name | must be given for voice |
//! | `messaging_service` | twilio | `MG..`, in place of `from` | none |
//! | `validity` | twilio | how long Twilio keeps a message that it can not send at once, at most `10h`; a reminder that is due earlier makes it shorter | `10m` |
//! | `machines` | voice | whether Twilio listens for answering machines, so that a voicemail is gone round at once | `false` |
//! | `url` | both | where else than at Twilio the API is: https, or http of this machine | Twilio's |
//!
//! Both need `daemon.public_url`: Twilio fetches a call's words there and reports what became of it. `pace` is
//! `1/s burst 3` and `3/m`, `accept_timeout` 15s.
//!
//! ## Kind `http`: any service that takes a message over HTTP, and its presets `teams`, `mattermost` and `ntfy`
//! | key | meaning | default |
//! |---|---|---|
//! | `url` | where it takes messages; as a secret, where whoever knows it may send | must be given; for a preset as a secret |
//! | `method` | `POST`, `PUT` or `GET` | `POST` |
//! | `body` | a template that writes JSON: every `{{ word }}` becomes a whole JSON value with its quotes | none |
//! | `form`, `query` | `{ name = "template", key = { env = ".." } }`: fields of a form in place of `body`, and what is added to the address | none |
//! | `headers` | `{ X-Name = "text", X-Key = { env = ".." } }` | none |
//! | `username`, `password`; `bearer` | basic authentication; a bearer token, a secret | none |
//! | `needs` | what a person must have: `phone`, `email` or `nothing`. With `nothing` it can be a room | `nothing` |
//! | `number` | how it wants numbers: `e164` (`+34..`), `digits` (`34..`) or `00` (`0034..`) | `e164` |
//! | `personal` | with `needs = "nothing"`: the paged person alone reads it, so their own link goes there, not the desk's | `false` |
//! | `accepted` | what a success is: `{ status = [200], begins = "OK" }` or `{ status = [200], at = "/status", is = ["queued"] }` | any 2xx that is no page of HTML and has no `error` |
//! | `id`, `error` | where in the JSON of an answer the message's id and the code of a refusal stand: `"/error/code"` | none |
//! | `unreachable`, `retry`, `broken` | codes at `error`, or HTTP statuses, that mean: not this person; not now; nobody | by the HTTP status |
//! | `report` | `{ status, id, delivered = [..], undelivered = [..] }`: where in a report to `/hooks/http/NAME/report` each stands (`"/pointer"` or a field's name), and the words that count. With the page's own address (`{{ report }}`) no `id` is needed | none |
//! | `replies` | `{ from, text }`: the same in a reply handed over to `/hooks/http/NAME` | none |
//! | `token` | what its calls to us must carry (`?token=` or bearer), a secret; or two while it is being changed | no replies, and reports by the page's own address alone |
//! | `allow` | addresses and networks where it may lie beside the public internet; checked when the connection is made | anywhere |
//! | `probe` | an address that `doctor` asks by GET | the `url`, asked for its OPTIONS |
//!
//! Templates are MiniJinja's, and are given [`WORDS`](crate::channel::http::body::WORDS). A preset is a set of these keys: each can be given to stand in place of
//! the preset's. Rooms of these kinds can not be edited: they get one card and a message for each change. `pace` is
//! `1/s burst 5` (teams `2/s burst 4`), `accept_timeout` 15s (presets 10s).
//!
//! ## Kind `webhook`: another system is told what happens, signed (Standard Webhooks 1.0.0)
//! | key | meaning | default |
//! |---|---|---|
//! | `url` | where; may be a secret | must be given |
//! | `keys` | what events are signed with (`whsec_..`), secrets: one, or two while it is being changed | must be given |
//! | `allow` | addresses and networks where it may lie beside the public internet | none |
//!
//! It is named in the `webhooks` of a trigger. What it is told: [`crate::core::page::SystemNotice`].
//!
//! ## Kind `exec`: a program of this machine
//! | key | meaning | default |
//! |---|---|---|
//! | `program` | its absolute path; no shell is asked | must be given |
//! | `arguments` | fixed words, and [`PLACEHOLDERS`](crate::channel::exec::settings::PLACEHOLDERS) as whole arguments | none |
//! | `needs`, `personal` | as for `http` | `nothing`, `false` |
//!
//! It reads the page as JSON on its standard input. Exit codes: 0 taken (the first line of its output is the receipt), 75 not
//! now, 78 nobody by this way, anything else: not this person. It is killed, with its children, after `accept_timeout` (10s), at
//! most ten seconds.
//!
//! # `[person.NAME]`: a responder
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | how humans call them | must be given |
//! | `email` | mailbox, for smtp | none |
//! | `phone` | `+` and 8 to 15 digits, for kannel, twilio and voice | none |
//! | `slack` | member id, for slack; or `by-email`: the one that Slack has for their mailbox | none |
//! | `telegram` | the id of their private chat with the bot, for telegram | none |
//! | `timezone` | in which times are shown to them | `UTC` |
//! | `unix` | the Unix user that speaks for them on the daemon's socket | none |
//!
//! # `[rotation.NAME]`: people who take turns
//! | key | meaning | default |
//! |---|---|---|
//! | `people` | who, in the order of their turns | must be given |
//! | `handoff` | when turns change: `minute hour day month weekday`, weekdays by name, at most hourly | must be given |
//! | `timezone` | whose clock `handoff` is on: a name of the IANA database, like `Europe/London` | `UTC` |
//! | `overrides` | `[{ person, from, until }]`: one person instead; the last that covers a time wins | none |
//!
//! # `[role.NAME]`: a function that must be engaged
//! | key | meaning | default |
//! |---|---|---|
//! | `engaged_by` | the answer that it takes: `roger` (received) or `wilco` (I have it) | `wilco` |
//! | `target` | `{ within, percent }`: in a drill, so many percent are engaged in that time | none |
//! | `template` | whose texts it reads | the role's own name where there is such a template, else `default` |
//! | `step` | a list of `{ page, by, wait, repeat }`, see below | must be given |
//! | `next` | the role that takes over when the steps are spent | the catch-all |
//!
//! In a step, `page` names people and rotations (`"rotation.equities"`), `by` names channels, all of which are used at
//! once, `wait` is how long this step waits before the next, and `repeat` how often it is done again (0).
//!
//! # `[trigger.NAME]`: what turns alerts into an incident
//! | key | meaning | default |
//! |---|---|---|
//! | `on` | the kinds of alert that it looks at | must be given |
//! | `when` | a CEL expression over `alert`, true or false | always |
//! | `threshold` | `{ count, within }`: the condition must hold so often (2 to 1000) in that time | once |
//! | `key` | a CEL expression: alerts with the same value are one incident | one incident per trigger |
//! | `summary` | text with `{ CEL }` parts | the alert's own summary |
//! | `roles` | whom to engage | must be given |
//! | `room` | a channel that makes a war room or is one, or a list of such: slack, teams, mattermost; http and exec without `needs` | none |
//! | `webhooks` | a channel of kind webhook, or a list: other systems that hear what happens | none |
//! | `runbook` | an address (http, https) that war rooms bookmark; without it the alert's annotation `runbook_url` | none |
//! | `actions` | `[{ text, then }]`: what those who are asked may do, and what that leads to, called A, B, .. in their pages; at most 9. An alert that suggests something itself (`action_a` ..) stands in its place | none: nothing is suggested |
//! | `resolved` | what the monitor's all-clear does: `note`, or `resolve` the incident | `note` |
//!
//! Expressions see `alert` with `source`, `kind`, `status`, `summary`, `labels` (text), `values` (numbers),
//! `annotations` (text), `confidence` (0 to 1), `evidence`, `starts_at` and `drill`; every number has a point. A field
//! that a monitor did not send makes the trigger *fail*, which pages the catch-all; `has(alert.values.x)` asks for it.
//! `alert.starts_at.getHours("Europe/London")` is on the clock there.
//!
//! # `[catch-all]`: who must know when nobody else answered
//! | key | meaning | default |
//! |---|---|---|
//! | `page` | people and rotations | must be given |
//! | `by` | channels | must be given |
//! | `every` | how often it repeats | `2m` |

mod actions;
mod assemble;
mod callbacks;
mod contact_coverage;
mod daemon_section;
mod draft;
mod expression;
mod expression_fault;
mod facts;
mod ladder;
mod lint;
mod model;
mod parse;
pub(crate) mod people;
mod plans;
mod references;
mod rule;
mod sections;
mod settings;
mod summary;
mod trigger;
mod trigger_matching;
pub(crate) mod zone_name;
mod zoned;

pub use crate::channel::{
    kind::{ChannelKind, ContactField},
    settings::ChannelSettings,
};
pub use crate::matrix::trigger::{Trigger, TriggerMatch};
pub use crate::toml_kit::{
    diagnostic::{Diagnostic, Severity, render, render_of},
    source::{SourceText, read_folder},
};
pub use expression::{CelExpression, EXPRESSION_MAX, TEXT_MAX};
pub use model::{KnownNames, Matrix, ParsedMatrix};
pub use settings::{DaemonSettings, People, Person, PingSettings, SourceSettings, Sources};
pub use summary::SummaryTemplate;
pub use zone_name::{UnknownZone, zone_named};
