//! A history of incidents for statistics: a store, clocks that only tests change, people who answer by a seeded random
//! generator.
#![allow(dead_code, missing_docs)]

use crate::fixture::{Hands, opening_of, plan, roster};
use std::{path::Path, sync::Arc, time::Duration};
use stentor::{
    core::{
        Actor, Answer, AnswerVia, ClassificationKind, DrillTerms, EngagementTarget, EscalationPlan, GivenAnswer,
        IncidentId, IncidentInput, Page, RoleName, SendOutcome, SendReceipt, Timestamp, page::PageStage,
    },
    store::{LockSet, MemoryStore, RequestClass, SqliteStore, Store, Transaction, clock::ClockSources, transact},
};

/// SplitMix64: good enough for tests, and the same on all platforms.
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The plan of the fixture, with targets.
pub fn measured_plan() -> EscalationPlan {
    let mut plan = plan();
    for (role, within) in [("trader", 60), ("compliance", 300), ("it", 120)] {
        let row = plan.roles.get_mut(role).expect("a role");
        row.target = Some(EngagementTarget { within: Duration::from_secs(within), percent: 90.0 });
    }
    plan
}

/// A store with its clocks.
pub struct Past {
    pub hands: Hands,
    pub store: Arc<dyn Store>,
    /// The same store, if it is on disk.
    pub disk: Option<Arc<SqliteStore>>,
}

impl Past {
    pub fn in_memory() -> Self {
        let hands = Hands::new();
        let clock = hands.clone();
        let store = Arc::new(MemoryStore::new(move || clock.wall()).node());
        Self { hands, store, disk: None }
    }

    pub async fn at(dir: &Path) -> Self {
        let hands = Hands::new();
        let store = SqliteStore::open(dir, Arc::new(hands.clone())).await.expect("a store");
        Self { hands, store: store.clone(), disk: Some(store) }
    }

    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    pub async fn open(&self, plan: EscalationPlan, drill: bool) -> IncidentId {
        self.open_on(plan, drill, None).await
    }

    pub async fn open_on(&self, plan: EscalationPlan, drill: bool, terms: Option<DrillTerms>) -> IncidentId {
        let mut opening = opening_of(&format!("key-{}", self.now().as_micros()), plan);
        let mut alert = (*opening.alert).clone();
        alert.drill = drill;
        alert.starts_at = Some(Timestamp::from_micros(self.now().as_micros() - 850_000));
        opening.alert = Arc::new(alert);
        opening.terms = terms;
        opening.received_at = Timestamp::from_micros(self.now().as_micros() - 4_000);
        let needs = LockSet { keys: vec![opening.key.clone()], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
        transact(&*self.store, RequestClass::Admission, needs, run).await.expect("a commit").0
    }

    pub async fn step(&self, id: IncidentId, inputs: Vec<IncidentInput>) {
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            for input in &inputs {
                unit.step(id, input.clone(), &roster());
            }
        };
        transact(&*self.store, RequestClass::Ladder, needs, run).await.expect("a commit");
    }

    pub async fn pages(&self, id: IncidentId) -> Vec<Arc<Page>> {
        let incident = self.store.view(id).await.expect("a view").expect("an incident");
        incident.pages.values().cloned().collect()
    }

    /// Accepts every queued page now, except those by `broken`.
    pub async fn accept(&self, id: IncidentId, broken: Option<&str>) {
        let queued = |page: &&Arc<Page>| page.state == stentor::core::PageState::Queued;
        let pages = self.pages(id).await;
        let settle = |page: &Arc<Page>| {
            let settlement = if broken == Some(page.channel.as_str()) {
                SendOutcome::Unreachable { why: "550 no such number <b>\"&\"</b>".into() }
            } else {
                SendOutcome::Accepted { receipt: SendReceipt { id: format!("m-{}", page.n), ..SendReceipt::default() } }
            };
            IncidentInput::Settled { page: page.n, settlement, sent_at: Some(self.now()), text: None }
        };
        self.step(id, pages.iter().filter(queued).map(settle).collect()).await;
    }

    /// The newest brief of a role, to this person or to anybody.
    pub async fn brief(&self, id: IncidentId, role: &str) -> Arc<Page> {
        let pages = self.pages(id).await;
        let mine = |page: &&Arc<Page>| page.purpose.is_brief() && page.role == Some(RoleName::from(role));
        pages.iter().rev().find(mine).cloned().expect("a brief")
    }

    pub async fn answer(&self, id: IncidentId, role: &str, answer: Answer) {
        let page = self.brief(id, role).await;
        let person = page.person.clone().expect("a person");
        let said = GivenAnswer { person, answer, via: AnswerVia::Sms, page: Some(page.n), role: None, origin: None };
        self.step(
            id,
            vec![IncidentInput::Reported { page: page.n, stage: PageStage::Seen }, IncidentInput::Answer(said)],
        )
        .await;
    }

    pub async fn resolve(&self, id: IncidentId, finding: Option<ClassificationKind>) {
        let by = Actor::Person("gus".into());
        let mut inputs = vec![IncidentInput::Resolve { by: by.clone(), why: None }];
        inputs.extend(finding.map(|finding| IncidentInput::Judge { by, finding, note: None }));
        self.step(id, inputs).await;
    }

    /// Plays one incident from open to resolved: each role answers after its own time, or not at all.
    pub async fn crisis(&self, dice: &mut Dice, drill: bool) -> IncidentId {
        let id = self.open(measured_plan(), drill).await;
        self.hands.pass(Duration::from_millis(40));
        self.accept(id, None).await;
        let mut due: Vec<(f64, &str)> =
            ["trader", "compliance", "it"].into_iter().map(|role| (5.0 + 100.0 * dice.share().powi(3), role)).collect();
        if dice.share() < 0.15 {
            due.pop();
        }
        due.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut at = 0.0;
        for (after, role) in due {
            self.pass(id, after - at).await;
            at = after;
            self.answer(id, role, Answer::Wilco).await;
        }
        self.pass(id, 200.0).await;
        self.resolve(id, ClassificationKind::ALL.get((dice.share() * 5.0) as usize).copied()).await;
        self.hands.pass(Duration::from_secs(3 * 3600));
        id
    }

    /// Moves the time forward in steps of ten seconds, with ticks; queued pages are accepted.
    pub async fn pass(&self, id: IncidentId, seconds: f64) {
        let mut left = seconds.max(0.0);
        while 0.0 < left {
            let stride = left.min(10.0);
            self.hands.pass(Duration::from_secs_f64(stride));
            self.step(id, vec![IncidentInput::Tick]).await;
            self.accept(id, None).await;
            left -= stride;
        }
    }
}

/// What somebody says again and again: each time is a line of the journal.
pub fn received() -> IncidentInput {
    let (person, role) = ("ana".into(), Some("trader".into()));
    IncidentInput::Answer(GivenAnswer {
        person,
        answer: Answer::Roger,
        via: AnswerVia::Cli,
        page: None,
        role,
        origin: None,
    })
}
