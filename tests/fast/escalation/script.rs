//! Reads a story, lets the core decide it, and writes what happened.

use super::fixture::{START, alert};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};
use stentor::core::{
    Actor, Alert, AlertStatus, AnswerLevel, AnswerVia, Ask, AskKind, AskOption, ChannelName, DrillTerms,
    EngagementOutcome, EscalationPlan, Event, FaultKind, Form, GivenAnswer, GivenChoice, GivenForm, GivenHandoffStep,
    HandoffReason, HandoffResult, HandoffStep, HandoffTerms, HandoffTier, HeldWhy, Incident, IncidentId, IncidentInput,
    IncidentKey, IncidentNonce, IncidentOpening, NamedOption, PersonName, ReadBack, Replacement, RequestId, RoleName,
    RolePlan, Roster, SendOutcome, SendReceipt, StandIn, StepPlan, StepTarget, Timestamp,
    action_edit::ActionEdit,
    display_names::Ids,
    handoff::OutOfHours,
    open,
    page::PageStage,
    plan::{AcceptTimeout, LivingRoom, OnResolved},
    sentence::{ended_request, sentence},
    step,
};

/// The plan of a story. People whom `reach` does not name have every channel that `accept timeout` names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    required: Vec<String>,
    #[serde(default)]
    room: Option<String>,
    /// The room's card is kept up to date.
    #[serde(default)]
    living: Option<LivingRoom>,
    /// The channels that tell other systems.
    #[serde(default)]
    webhooks: Vec<ChannelName>,
    #[serde(default)]
    resolved: OnResolved,
    accept_timeout: BTreeMap<String, AcceptTimeout>,
    #[serde(default)]
    report_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    /// What a machine asks.
    #[serde(default)]
    ask: Option<AskScript>,
    #[serde(default)]
    reach: BTreeMap<PersonName, Vec<ChannelName>>,
    /// What people are called.
    #[serde(default)]
    names: BTreeMap<PersonName, String>,
    role: BTreeMap<RoleName, Row>,
}

/// An approval, or a decision if it has options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskScript {
    #[serde(default)]
    options: Vec<String>,
    /// It is a form, with this schema.
    #[serde(default)]
    form: Option<Form>,
    /// What may be changed of the action.
    #[serde(default)]
    edit: Option<ActionEdit>,
    #[serde(default)]
    action: serde_json::Value,
    approvals: u32,
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    on_behalf_of: Option<PersonName>,
    after: String,
    /// What is repeated.
    #[serde(default)]
    read_back: Option<ReadBack>,
    /// It is a handoff: `open`, or `closed` out of hours.
    #[serde(default)]
    handoff: Option<String>,
}

fn conversation(hours: &str, after: Duration) -> HandoffTerms {
    HandoffTerms {
        reason: HandoffReason { code: "asked".into(), text: "the user asked for a person".into() },
        locale: "en".into(),
        variant: None,
        tier: HandoffTier::Warm,
        after,
        packet: "p1".into(),
        closed: (hours == "closed").then(OutOfHours::default),
    }
}

impl AskScript {
    fn ask(self) -> Ask {
        let option = |name: &String| AskOption { name: name.clone(), label: name.to_uppercase(), does: None };
        let is_approval = self.options.is_empty() && self.handoff.is_none() && self.form.is_none();
        let choices = self.form.as_ref().and_then(|form| form.one_choice()).map(|(_, choices)| choices.to_vec());
        let options = choices.unwrap_or(self.options);
        Ask {
            handoff: self.handoff.as_ref().map(|hours| conversation(hours, span(&self.after))),
            kind: if self.handoff.is_some() {
                AskKind::Handoff
            } else if self.form.is_some() {
                AskKind::Form
            } else if is_approval {
                AskKind::Approval
            } else {
                AskKind::Decision
            },
            question: "cancel all orders?".into(),
            options: if is_approval { Ask::approval_options() } else { options.iter().map(option).collect() },
            form: self.form.clone(),
            action: self.action,
            edit: self.edit,
            action_digest: "sha256:1".into(),
            on_behalf_of: self.on_behalf_of,
            approvals: self.approvals,
            default: self.default,
            deadline: START + span(&self.after),
            supersedes: None,
            read_back: self.read_back,
            asker: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    name: Option<String>,
    engaged_by: AnswerLevel,
    step: Vec<StepScript>,
    #[serde(default)]
    next: Option<RoleName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepScript {
    page: Vec<String>,
    by: Vec<ChannelName>,
    wait: String,
    #[serde(default)]
    repeat: u32,
}

/// The timeline of a story.
pub fn play(story: &str) -> String {
    let (plan, script) = story.split_once("\n---\n").expect("a plan, dashes, a script");
    let (plan, roster, ask) = stage(plan);
    let mut teller = Teller { plan, roster, ask, incident: None, events: Vec::new(), text: String::new() };
    for line in script.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["at", at, what @ ..] = &words[..] else { panic!("{line:?} does not begin with a time") };
        teller.line(START + span(at), what, line);
    }
    teller.ending();
    teller.text
}

fn stage(text: &str) -> (EscalationPlan, Roster, Option<Ask>) {
    let stage: Scene = toml::from_str(text).expect("a plan");
    let channels: Vec<ChannelName> = stage.accept_timeout.keys().map(|name| name.as_str().into()).collect();
    let mut reach = stage.reach;
    for row in stage.role.values() {
        for person in row.step.iter().flat_map(|step_plan| &step_plan.page) {
            reach.entry(person.as_str().into()).or_insert_with(|| channels.clone());
        }
    }
    let living = stage.room.as_deref().zip(stage.living).map(|(room, living)| (ChannelName::from(room), living));
    let plan = EscalationPlan {
        trigger: "flash-crash".into(),
        matrix: "m1".into(),
        required: stage.required.iter().map(|role| role.as_str().into()).collect(),
        roles: stage.role.into_iter().map(|(name, row)| (name, row_plan(row))).collect(),
        accept_timeout: stage
            .accept_timeout
            .into_iter()
            .map(|(name, accept_timeout)| (name.into(), accept_timeout))
            .collect(),
        rooms: stage.room.map(ChannelName::from).into_iter().collect(),
        living: living.into_iter().collect(),
        webhooks: stage.webhooks,
        actions: Vec::new(),
        report_timeout: stage.report_timeout,
        ask: None,
        priority: Default::default(),
        tier: None,
        raised: None,
        on_resolved: stage.resolved,
    };
    (plan, Roster { reach, names: stage.names, ..Roster::default() }, stage.ask.map(AskScript::ask))
}

fn row_plan(row: Row) -> RolePlan {
    let whom = |name: String| match name.strip_prefix("rotation.") {
        Some(rotation) => StepTarget::Rotation(rotation.into()),
        None => StepTarget::Person(name.into()),
    };
    let step_plan = |step_plan: StepScript| StepPlan {
        page: step_plan.page.into_iter().map(whom).collect(),
        by: step_plan.by,
        wait: span(&step_plan.wait),
        repeat: step_plan.repeat,
    };
    RolePlan {
        name: row.name,
        engaged_by: row.engaged_by,
        target: None,
        template: "default".into(),
        template_revision: "r1".into(),
        steps: row.step.into_iter().map(step_plan).collect(),
        next: row.next,
    }
}

struct Teller {
    plan: EscalationPlan,
    roster: Roster,
    ask: Option<Ask>,
    incident: Option<Incident>,
    events: Vec<(Timestamp, Event)>,
    text: String,
}

impl Teller {
    fn line(&mut self, at: Timestamp, what: &[&str], line: &str) {
        writeln!(self.text, "{line}").unwrap();
        match what {
            ["open", more @ ..] => self.open(at, more),
            // Every tick that comes due up to then, each at its time.
            ["all", "ticks"] => {
                while let Some(due) = self.incident().deadline().filter(|due| *due <= at) {
                    self.step(due, IncidentInput::Tick);
                }
            }
            _ => {
                let input = input(at, what).unwrap_or_else(|| panic!("{line:?} means nothing"));
                self.step(at, input);
            }
        }
    }

    fn open(&mut self, at: Timestamp, more: &[&str]) {
        let (mut alert, mut terms) = (alert(), None);
        for pair in more.chunks(2) {
            match pair {
                ["drill"] => alert.drill = true,
                ["drill", life] => {
                    alert.drill = true;
                    terms = Some(DrillTerms::until(at + span(life)));
                }
                ["with", people] => {
                    terms.as_mut().expect("a drill").participants = people.split(',').map(PersonName::from).collect();
                }
                ["lease", lease] => alert.lease_until = Some(at + span(lease)),
                _ => panic!("{more:?} means nothing"),
            }
        }
        let opening = IncidentOpening {
            key: IncidentKey::stored("flash-crash/XYZ"),
            summary: alert.summary.clone(),
            plan: Arc::new(self.plan.clone()),
            alert: Arc::new(alert),
            received_at: at,
            terms,
            ask: self.ask.clone().map(Box::new),
            nonce: None,
        };
        let (incident, events) = open(IncidentId(1), opening, &self.roster, at);
        self.incident = Some(incident);
        self.happened(at, events);
    }

    fn step(&mut self, at: Timestamp, input: IncidentInput) {
        let incident = self.incident.as_mut().expect("an open incident");
        let events = step(incident, input, &self.roster, at);
        self.happened(at, events);
    }

    fn happened(&mut self, at: Timestamp, events: Vec<Event>) {
        if events.is_empty() {
            writeln!(self.text, "  nothing").unwrap();
        }
        for event in events {
            let seconds = at.micros_since(START) / 1_000_000;
            writeln!(self.text, "  {seconds:>4}s {}", sentence(&event)).unwrap();
            self.events.push((at, event));
        }
        let folded = Incident::fold(IncidentId(1), self.events.iter().map(|(at, event)| (*at, event)));
        let folded = folded.map(|folded| folded.with_repeats(self.incident().repeats.clone(), &self.incident().alert));
        assert_eq!(folded.as_ref(), self.incident.as_ref(), "the events do not fold to the state");
    }

    fn incident(&self) -> &Incident {
        self.incident.as_ref().expect("an open incident")
    }

    fn ending(&mut self) {
        let mut text = String::from("in the end\n");
        for (role, engagement) in self.incident().engagements.iter() {
            let how = match &engagement.outcome {
                Some(EngagementOutcome::Engaged { person, .. }) => format!("engaged: {person}"),
                Some(EngagementOutcome::Covered { by, person, .. }) => format!("covered by {by}: {person}"),
                Some(EngagementOutcome::StoodDown { .. }) => "stood down".into(),
                Some(EngagementOutcome::Closed { .. }) => "closed without an answer".into(),
                None => match &engagement.waits_on {
                    Some(next) => format!("open, waits on {next}"),
                    None => "open".into(),
                },
            };
            writeln!(text, "  {role} is {how}").unwrap();
        }
        if let Some(request) = &self.incident().request {
            let how = request.outcome().map_or("open".into(), |outcome| ended_request(outcome, &Ids));
            writeln!(text, "  the request: {how}").unwrap();
            if let Some(state) = request.handoff_state() {
                writeln!(text, "  the handoff: {}", state.as_str()).unwrap();
            }
        }
        let next = self.incident().deadline().map(|at| at.micros_since(START) / 1_000_000);
        writeln!(text, "  next tick: {}", next.map_or("none".into(), |at| format!("{at}s"))).unwrap();
        self.text.push_str(&text);
    }
}

fn input(at: Timestamp, what: &[&str]) -> Option<IncidentInput> {
    Some(match what {
        ["tick"] => IncidentInput::Tick,
        ["page", n, how] => return page(at, n.parse().ok()?, how),
        ["dead", "node", "had", pages @ ..] => {
            IncidentInput::TakenOver { pages: pages.iter().filter_map(|n| n.parse().ok()).collect() }
        }
        ["again"] => IncidentInput::Alert(Arc::new(alert())),
        ["again", "lease", lease] => {
            IncidentInput::Alert(Arc::new(Alert { lease_until: Some(at + span(lease)), ..alert() }))
        }
        ["all", "clear"] => IncidentInput::Alert(Arc::new(Alert { status: AlertStatus::Resolved, ..alert() })),
        ["a", "crisis", "begins"] => IncidentInput::Preempt { by: IncidentId(9) },
        ["page", n, "meets", channel, "down"] => {
            IncidentInput::Injected { page: n.parse().ok()?, fault: FaultKind::Down { channel: (*channel).into() } }
        }
        [person, "resolves"] => IncidentInput::Resolve { by: Actor::Person((*person).into()), why: None },
        [person, "chooses", option, rest @ .., "though", "more", "than", "5,000", "orders"] => {
            let doubt = Some("more than 5,000 orders".to_owned());
            IncidentInput::Choice(GivenChoice { doubt, ..chosen(person, option, rest)? })
        }
        [person, "fills", "in", fields @ ..] => filled_in(person, fields)?,
        [person, "chooses", option, more @ ..] => IncidentInput::Choice(chosen(person, option, more)?),
        ["the", "machine", "has", "new", "facts", asked @ ..] => IncidentInput::Supersede(Replacement {
            by: RequestId { incident: IncidentId(2), nonce: IncidentNonce::new([7; 16]) },
            changed: "orders 1204 -> 15".into(),
            asked: asked.iter().map(|person| PersonName::from(*person)).collect(),
        }),
        ["the", "machine", "cancels"] => {
            IncidentInput::Cancel { by: Actor::Source("monitor".into()), why: Some("the market has closed".into()) }
        }
        [person, "connects"] => moved(person, HandoffStep::Connect),
        [person, "finishes", solved, more @ ..] => {
            let solved = serde_json::from_value(json!(solved)).ok()?;
            let result = HandoffResult { needed: *more != ["unneeded"], solved, note: None };
            moved(person, HandoffStep::Finish { result })
        }
        [person, "returns", note @ ..] => {
            moved(person, HandoffStep::Return { note: Some(note.join(" ")).filter(|note| !note.is_empty()) })
        }
        [person, "passes", "on", why @ ..] => moved(person, HandoffStep::PassOn { why: why.join(" ") }),
        ["the", "user", "leaves"] => IncidentInput::Cancel { by: Actor::Source("bot".into()), why: None },
        [person, "erases"] => IncidentInput::Erase { by: Actor::Person((*person).into()) },
        [person, "says", words @ ..] => IncidentInput::Answer(said(person, words)?),
        _ => return None,
    })
}

fn moved(person: &str, step: HandoffStep) -> IncidentInput {
    IncidentInput::Handoff(GivenHandoffStep { person: person.into(), step, via: AnswerVia::Desk, page: None })
}

fn chosen(person: &str, option: &str, more: &[&str]) -> Option<GivenChoice> {
    let (page, digest, repeated) = match more {
        [] => (None, None, None),
        ["to", n] => (Some(n.parse().ok()?), None, None),
        ["as", digest] => (None, Some(format!("sha256:{digest}")), None),
        ["repeating", fact @ ..] => (None, None, Some(fact.join(" "))),
        _ => return None,
    };
    let said = NamedOption { option: option.to_owned(), repeated };
    Some(GivenChoice { page, digest, ..GivenChoice::new(person.into(), said, AnswerVia::Sms) })
}

/// `limit=5 note=low`, and behind it where from: `to 3`, `as 1`, `repeating 5`. Whatever stands there is handed to the core.
fn filled_in(person: &str, words: &[&str]) -> Option<IncidentInput> {
    let (more, fields): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| !word.contains('='));
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let answer = fields.into_iter().filter_map(|field| field.split_once('='));
    let answer: serde_json::Map<_, _> = answer.map(|(name, text)| (name.to_owned(), value(text))).collect();
    let answer = serde_json::from_value(answer.into()).ok()?;
    Some(IncidentInput::Form(GivenForm { by: chosen(person, "answer", &more)?, answer }))
}

fn page(at: Timestamp, page: u32, how: &str) -> Option<IncidentInput> {
    let settlement = match how {
        "accepted" => SendOutcome::Accepted { receipt: SendReceipt::of(format!("m{page}")) },
        "made" => SendOutcome::Accepted { receipt: SendReceipt { room: Some("C1".into()), ..SendReceipt::of("card") } },
        "unreachable" => SendOutcome::Unreachable { why: "no such number".into() },
        "refused" | "unknown" => SendOutcome::Retry {
            at: at + Duration::from_secs(1),
            why: "the gateway is busy".into(),
            unknown: how == "unknown",
        },
        "throttled" => SendOutcome::Retry {
            at: at + Duration::from_secs(60),
            why: "the gateway asks for a minute".into(),
            unknown: false,
        },
        "held" => SendOutcome::Held { until: at + Duration::from_secs(60), why: HeldWhy::Provider },
        "not-open" => SendOutcome::Held { until: at + Duration::from_secs(300), why: HeldWhy::DeskClosed },
        "kept" => SendOutcome::Accepted { receipt: SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox") },
        "unsent" => SendOutcome::Unsent,
        "delivered" => return Some(IncidentInput::Reported { page, stage: PageStage::Delivered }),
        "undelivered" => return Some(IncidentInput::Undelivered { page, why: "rejected".into() }),
        "seen" => return Some(IncidentInput::Reported { page, stage: PageStage::Seen }),
        _ => return None,
    };
    let sent_at = (!matches!(settlement, SendOutcome::Unsent | SendOutcome::Held { .. })).then_some(at);
    Some(IncidentInput::Settled { page, settlement, sent_at, text: None })
}

/// `wilco`, `standby 3m`, `wilco to 4`, `roger for it`; `unable automatically` is a mailbox's own word.
fn said(person: &str, words: &[&str]) -> Option<GivenAnswer> {
    let (words, via) = match words {
        [words @ .., "automatically"] => (words, AnswerVia::AutoReply),
        words => (words, AnswerVia::Sms),
    };
    let (words, page, role) = match words {
        [words @ .., "to", page] => (words, Some(page.parse().ok()?), None),
        [words @ .., "for", role] => (words, None, Some(RoleName::from(*role))),
        words => (words, None, None),
    };
    let answer = words.join(" ").parse().ok()?;
    Some(GivenAnswer { person: person.into(), answer, via, page, role, origin: None })
}

fn span(text: &str) -> Duration {
    humantime::parse_duration(text).expect("a duration")
}
