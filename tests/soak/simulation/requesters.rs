//! Systems that ask, and humans who decide: rightly, wrongly, twice, too late, for others, or about what was asked before.

use super::{
    dice::Dice,
    laws::{Seen, step_name},
    shape,
    world::{Job, World, ready},
};
use serde_json::{Value, json};
use std::time::Duration;
use stentor::{
    channel::Message,
    core::{
        Actor, Alert, AlertStatus, AskKind, AskOption, Form, FormAnswer, GivenAnswer, GivenChoice, GivenForm,
        GivenHandoffStep, HandoffResult, HandoffStep, IncidentId, Packet, PageId, PersonName, action_edit::ActionEdit,
        handoff::HandoffSolved, request_facts::asked_digest,
    },
    engine::{AnswerError, AskWish, NewFacts, NewFactsResult, RequestFault},
    store::{RequestKey, StoreError},
};

/// So many seeds in a hundred have requests: with that about one incident in ten is one.
const SEEDS_WITH_REQUESTS: u32 = 25;

/// How often something is tried that the store could not keep.
const TRIES_MAX: u32 = 5;

/// What a page of an older question showed.
const STALE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What can happen next to a request.
#[derive(Clone)]
pub enum RequestJob {
    Ask { key: String, alert: Box<Alert>, wish: Box<AskWish> },
    Choose { incident: IncidentId, said: Box<GivenChoice>, shown: String, tries: u32 },
    FillIn { incident: IncidentId, said: Box<GivenForm>, shown: String, tries: u32 },
    Step { incident: IncidentId, said: Box<GivenHandoffStep>, tries: u32 },
    NewFacts { incident: IncidentId, x: f64 },
    Cancel { incident: IncidentId },
}

impl World {
    /// Drawn from dice of their own, so that everything else is as it would be without.
    pub fn plan_requests(&mut self, dice: &mut Dice) {
        if !dice.chance(SEEDS_WITH_REQUESTS) {
            return;
        }
        let requests = 1 + dice.below(3);
        self.plan_so_many(dice, requests);
    }

    /// Where nothing else is planned.
    pub fn plan_requests_densely(&mut self, dice: &mut Dice) {
        let requests = 4 + dice.below(4);
        self.plan_so_many(dice, requests);
    }

    fn plan_so_many(&mut self, dice: &mut Dice, requests: usize) {
        for n in 0..requests {
            let at = dice.millis(0, 90_000);
            let kind = dice.pick(&["ask", "ask", "ask", "choose", "fill", "change", "talk", "talk", "watch", "turn"]);
            let mut alert = Alert::new("bot", kind);
            alert.id = format!("req{n}");
            alert.labels.insert("k".into(), format!("req{n}"));
            alert.values.insert("x".into(), if dice.chance(20) { 2.0 } else { 0.5 });
            alert.drill = dice.chance(15);
            if kind == "watch" {
                self.plan_watch(dice, alert, at);
            } else if kind == "turn" {
                self.plan_turns(dice, alert, at);
            } else {
                let wish = Box::new(wish(dice, kind, &alert));
                let job = RequestJob::Ask { key: format!("key{n}"), alert: Box::new(alert), wish };
                self.later(at, Job::Request(Box::new(job)));
            }
        }
    }

    /// An alert that asks by itself; perhaps the same again, and an all-clear.
    fn plan_watch(&mut self, dice: &mut Dice, alert: Alert, at: Duration) {
        for again in 0..1 + dice.below(3) {
            let mut alert = alert.clone();
            alert.id = format!("{}.{again}", alert.id);
            if 0 < again && dice.chance(40) {
                alert.status = AlertStatus::Resolved;
            }
            let after = if again == 0 { Duration::ZERO } else { dice.millis(100, 60_000) };
            self.later(at + after, Job::Arrive(Box::new(alert)));
        }
    }

    /// The turns of a conversation; in the end the user may leave.
    fn plan_turns(&mut self, dice: &mut Dice, alert: Alert, mut at: Duration) {
        for turn in 0..2 + dice.below(6) {
            let mut alert = alert.clone();
            alert.id = format!("{}.{turn}", alert.id);
            alert.confidence = dice.pick(&[0.4, 0.4, 0.9]);
            alert.values.insert("x".into(), if dice.chance(15) { 2.0 } else { 0.5 });
            if dice.chance(8) {
                alert.status = AlertStatus::Resolved;
            }
            self.later(at, Job::Arrive(Box::new(alert)));
            at += dice.millis(100, 30_000);
        }
    }

    pub fn request(&mut self, job: RequestJob) {
        match job {
            RequestJob::Ask { key, alert, wish } => self.ask(key, alert, wish),
            RequestJob::Choose { incident, said, shown, tries } => self.choose(incident, said, shown, tries),
            RequestJob::FillIn { incident, said, shown, tries } => self.fill_in(incident, said, shown, tries),
            RequestJob::Step { incident, said, tries } => self.step(incident, said, tries),
            RequestJob::NewFacts { incident, x } => self.new_facts(incident, x),
            RequestJob::Cancel { incident } => self.cancel(incident),
        }
    }

    fn soon(&mut self, span: Duration, job: RequestJob) {
        self.later(span, Job::Request(Box::new(job)));
    }

    /// A system that asks tries again with the same key until it is accepted, and sometimes after that.
    fn ask(&mut self, key: String, alert: Box<Alert>, wish: Box<AskWish>) {
        let again = RequestJob::Ask { key: key.clone(), alert: alert.clone(), wish: wish.clone() };
        let Some(engine) = self.some_node() else { return self.soon(Duration::from_secs(2), again) };
        let keyed = RequestKey { source: alert.source.clone(), operation: "requests".into(), key: key.clone() };
        let digest = wish.action_digest.clone();
        let asked = engine.admission().admit_request(*alert, *wish, self.now(), Some((keyed, digest)));
        match ready(asked) {
            Ok(accepted) => {
                self.see_after(Seen::Asked { key: Some(key), request: accepted.id });
                if !accepted.again {
                    self.plan_asker(accepted.id.incident);
                }
                if self.dice.chance(15) {
                    let lost = self.dice.millis(10, 40_000);
                    self.soon(lost, again);
                }
            }
            Err(RequestFault::Store(error)) => {
                self.kept::<()>(Err(error));
                self.soon(Duration::from_secs(3), again);
            }
            // No drill begins beside the real thing.
            Err(RequestFault::Live(_)) => {}
            Err(fault) => self.laws.fail("law 12", format!("request {key} was refused: {fault}")),
        }
    }

    /// What the system that asked does besides waiting.
    fn plan_asker(&mut self, incident: IncidentId) {
        if self.dice.chance(20) {
            let (after, x) = (self.dice.millis(50, 30_000), self.dice.pick(&[0.5, 0.7, 2.0]));
            self.soon(after, RequestJob::NewFacts { incident, x });
        }
        if self.dice.chance(15) {
            let after = self.dice.millis(50, 30_000);
            self.soon(after, RequestJob::Cancel { incident });
        }
        if self.dice.chance(6) {
            let after = self.dice.millis(50, 30_000);
            self.later(after, Job::Resolve(incident));
        }
    }

    fn new_facts(&mut self, incident: IncidentId, x: f64) {
        let again = RequestJob::NewFacts { incident, x };
        let Some(engine) = self.some_node() else { return self.soon(Duration::from_secs(2), again) };
        let Some(Some(stored)) = self.kept(ready(engine.reads().view(incident))) else { return };
        self.see(Seen::NewFacts { incident });
        let facts = NewFacts { values: Some([("x".to_owned(), x)].into()), ..NewFacts::default() };
        match ready(engine.admission().new_facts(&stored, facts, self.now())) {
            Ok(NewFactsResult::Asked(request)) => {
                self.see_after(Seen::Asked { key: None, request });
                self.plan_asker(request.incident);
            }
            Ok(NewFactsResult::Known(_) | NewFactsResult::Ended) => {}
            Err(RequestFault::Store(error)) => self.again_unless_unreadable(error, again),
            // Conversations are not asked anew, and drills stand back.
            Err(RequestFault::NotAllowed(_) | RequestFault::Live(_)) => {}
            Err(fault) => self.laws.fail("law 12", format!("new facts of {incident} were refused: {fault}")),
        }
    }

    fn cancel(&mut self, incident: IncidentId) {
        let again = RequestJob::Cancel { incident };
        let Some(engine) = self.some_node() else { return self.soon(Duration::from_secs(2), again) };
        self.see(Seen::Withdrawn { incident });
        let cancelled = engine.inbound().cancel(incident, Actor::Source("bot".into()), Some("not needed".into()));
        if let Err(error) = ready(cancelled) {
            self.again_unless_unreadable(error, again);
        }
    }

    fn again_unless_unreadable(&mut self, error: StoreError, again: RequestJob) {
        if !matches!(error, StoreError::Corrupt { .. }) {
            self.kept::<()>(Err(error));
            self.soon(Duration::from_secs(3), again);
        }
    }
}

// Humans.
impl World {
    /// Who reads a page with options chooses one of them, perhaps.
    pub fn plan_choices(&mut self, page: PageId, reader: &PersonName, message: &Message, takes: Duration) {
        if message.ask.is_none() || !self.dice.chance(60) {
            return;
        }
        let asked = self.laws.incident(page.incident).and_then(|incident| incident.request.clone());
        let Some(ask) = asked.map(|request| request.ask.clone()) else { return };
        let thinks = self.dice.millis(1, 45_000);
        let times = if self.dice.chance(25) { 2 } else { 1 };
        for _ in 0..times {
            let option = (!ask.options.is_empty()).then(|| self.dice.pick(&ask.options).name);
            let is_option = option.is_some() && (ask.fields().is_none() || self.dice.chance(40));
            if !is_option && ask.fields().is_none() {
                return;
            }
            let option = if self.dice.chance(4) { "perhaps".to_owned() } else { option.unwrap_or_default() };
            let person: PersonName =
                if self.dice.chance(8) { self.dice.pick(&shape::people()).into() } else { reader.clone() };
            let shown = if self.dice.chance(8) { STALE.to_owned() } else { ask.action_digest.clone() };
            // A code in a text says which page it answers, and so which question.
            let is_said = shown == STALE || self.dice.chance(70);
            let said = GivenChoice {
                person,
                option,
                via: self.dice.pick(&[
                    stentor::core::AnswerVia::Desk,
                    stentor::core::AnswerVia::Sms,
                    stentor::core::AnswerVia::chat("slack"),
                    stentor::core::AnswerVia::MailLink,
                ]),
                page: self.dice.chance(80).then_some(page.n),
                digest: is_said.then(|| shown.clone()),
                origin: self.dice.chance(20).then(|| format!("m{}", page.n)),
                doubt: None,
                repeated: None,
            };
            let more = self.dice.millis(0, 3_000);
            let incident = page.incident;
            let job = match ask.fields().filter(|_| !is_option) {
                Some(_) => {
                    let said = Box::new(GivenForm { by: said, answer: filled_in(&mut self.dice, ask.edit.is_some()) });
                    RequestJob::FillIn { incident, said, shown, tries: 0 }
                }
                None => RequestJob::Choose { incident, said: Box::new(said), shown, tries: 0 },
            };
            self.soon(takes + thinks + more, job);
        }
    }

    fn choose(&mut self, incident: IncidentId, said: Box<GivenChoice>, shown: String, tries: u32) {
        let (person, option) = (said.person.clone(), said.option.clone());
        let form = self.laws.incident(incident).and_then(|incident| incident.form().cloned());
        let answer = form.and_then(|form| form.chosen(&option)).map(Box::new);
        self.see(Seen::Chose { incident, person, option, digest: shown.clone(), answer });
        let chosen = match self.some_node() {
            Some(engine) => ready(engine.inbound().choose(incident, (*said).clone())).map(drop),
            None => Err(AnswerError::Store(StoreError::Closed)),
        };
        self.said(incident, chosen, tries, RequestJob::Choose { incident, said, shown, tries: tries + 1 });
    }

    fn fill_in(&mut self, incident: IncidentId, said: Box<GivenForm>, shown: String, tries: u32) {
        let (person, answer) = (said.by.person.clone(), Some(Box::new(said.answer.clone())));
        let ask = self.laws.incident(incident).and_then(|incident| incident.request.as_deref()).map(|own| &own.ask);
        let option = ask.and_then(|ask| ask.option_of(&said.answer)).unwrap_or_default();
        self.see(Seen::Chose { incident, person, option, digest: shown.clone(), answer });
        let filled = match self.some_node() {
            Some(engine) => ready(engine.inbound().fill_in(incident, (*said).clone())).map(drop),
            None => Err(AnswerError::Store(StoreError::Closed)),
        };
        self.said(incident, filled, tries, RequestJob::FillIn { incident, said, shown, tries: tries + 1 });
    }

    /// Who has a conversation goes on with it, passes it on, or forgets it.
    pub fn plan_conversation(&mut self, incident: IncidentId, taken: &GivenAnswer) {
        let is_handoff = ready(async {
            let engine = self.some_node()?;
            engine.reads().view(incident).await.ok()??.request.as_ref()?.handoff.clone()
        });
        if is_handoff.is_none() {
            return;
        }
        let mut at = Duration::ZERO;
        for _ in 0..self.dice.below(5) {
            at += self.dice.millis(100, 30_000);
            let result = HandoffResult { needed: true, solved: HandoffSolved::Yes, note: None };
            let step = self.dice.pick(&[
                HandoffStep::Connect,
                HandoffStep::Connect,
                HandoffStep::Finish { result },
                HandoffStep::Return { note: None },
                HandoffStep::PassOn { why: "not mine".into() },
            ]);
            let own = taken.person.clone();
            let person = if self.dice.chance(10) { self.dice.pick(&shape::people()).into() } else { own };
            let page = taken.page.filter(|_| self.dice.chance(70));
            let said = Box::new(GivenHandoffStep { person, step, via: taken.via, page });
            self.soon(at, RequestJob::Step { incident, said, tries: 0 });
        }
    }

    fn step(&mut self, incident: IncidentId, said: Box<GivenHandoffStep>, tries: u32) {
        let (person, step) = (said.person.clone(), step_name(&said.step));
        if let HandoffStep::PassOn { .. } = said.step {
            let answer = stentor::core::Answer::Unable;
            self.see(Seen::Said { incident, person: person.clone(), answer });
        }
        self.see(Seen::Stepped { incident, person, step });
        let stepped = match self.some_node() {
            Some(engine) => ready(engine.inbound().handoff(incident, (*said).clone())).map(drop),
            None => Err(AnswerError::Store(StoreError::Closed)),
        };
        self.said(incident, stepped, tries, RequestJob::Step { incident, said, tries: tries + 1 });
    }

    fn said(&mut self, incident: IncidentId, result: Result<(), AnswerError>, tries: u32, again: RequestJob) {
        match result {
            Ok(()) => {}
            Err(AnswerError::Store(error)) => {
                self.kept::<()>(Err(error));
                if tries < TRIES_MAX {
                    self.soon(Duration::from_secs(2), again);
                }
            }
            Err(AnswerError::NoIncident(_)) => self.laws.fail("law 12", format!("{incident} is gone")),
        }
    }
}

fn wish(dice: &mut Dice, kind: &str, alert: &Alert) -> AskWish {
    let action = json!({ "cancel": dice.between(1, 9) });
    let option = |name: &str| AskOption { name: name.into(), label: name.to_uppercase(), does: None };
    let form = (kind == "fill").then(|| dice.pick(&forms()));
    AskWish {
        kind: match kind {
            "choose" => AskKind::Decision,
            "talk" => AskKind::Handoff,
            "fill" => AskKind::Form,
            _ => AskKind::Approval,
        },
        question: "May it be done?".into(),
        options: if kind == "choose" { vec![option("one"), option("two"), option("three")] } else { Vec::new() },
        action_digest: asked_digest(&action, form.as_ref(), alert).expect("a digest"),
        form,
        edit: (kind == "change").then(|| ActionEdit::read(&how_many(), &action).expect("an edit")),
        action,
        deadline: dice.chance(40).then(|| dice.millis(5_000, 10_000)),
        default: None,
        on_behalf_of: dice.chance(25).then(|| dice.pick(&shape::people()).into()),
        supersedes: None,
        packet: (kind == "talk").then(|| packet(&alert.id)),
    }
}

/// One that is answered by one choice, and one that is not.
fn forms() -> [Form; 2] {
    let level = json!({ "type": "string", "enum": ["low", "high"] });
    let share = json!({ "type": "number", "minimum": 0, "maximum": 1 });
    let of = |properties, required| json!({ "type": "object", "properties": properties, "required": required });
    [of(json!({ "level": level }), json!(["level"])), of(json!({ "level": level, "share": share }), json!(["share"]))]
        .map(|schema| Form::read(&schema).expect("a form"))
}

/// How many are cancelled, which may be changed.
fn how_many() -> Value {
    json!({ "type": "object", "properties": { "cancel": { "type": "integer", "minimum": 1, "maximum": 9 } } })
}

/// What somebody fills in, perhaps in another form.
fn filled_in(dice: &mut Dice, changes: bool) -> FormAnswer {
    if changes && dice.chance(90) {
        let form = Form::read(&how_many()).expect("a form");
        return form.answer(&json!({ "cancel": dice.between(1, 9) })).expect("an answer");
    }
    let [choice, share] = forms();
    let answer = match dice.below(4) {
        0 => choice.answer(&json!({ "level": "low" })),
        1 => choice.answer(&json!({ "level": "high" })),
        2 => share.answer(&json!({ "share": 0.5 })),
        _ => share.answer(&json!({ "share": 1, "level": "high" })),
    };
    answer.expect("an answer")
}

/// What a person needs to take this conversation over.
pub fn packet(conversation: &str) -> Box<Packet> {
    let packet = json!({
        "conversation": { "id": conversation }, "reason": { "code": "asked", "text": "the user asks for a person" },
    });
    Box::new(serde_json::from_value(packet).expect("a packet"))
}
