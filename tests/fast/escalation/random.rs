//! Plans of any shape, circles among them, and people who take, refuse and hand back at random: whatever happens, every
//! open role moves on, no queued word says what is not so, and the events fold to the state.

use super::{
    fixture::{START, opening_of},
    large::assert_indexes_agree,
};
use std::{collections::BTreeMap, time::Duration};
use stentor::core::{
    Answer, AnswerLevel, AnswerVia, Engagement, EngagementOutcome, EscalationPlan, Event, GivenAnswer, Incident,
    IncidentId, IncidentInput, PagePurpose, PageState, RoleName, RolePlan, Roster, SendOutcome, SendReceipt, StepPlan,
    StepTarget, Timestamp, open,
    plan::{AcceptTimeout, OnResolved},
    step,
    stuck::stuck_roles,
    tier::{EscalationTier, TierDecision},
};
use stentor::matrix::by_tier;

const ROLES: [&str; 5] = ["catch-all", "r1", "r2", "r3", "r4"];
const PEOPLE: [&str; 5] = ["ana", "bo", "cy", "di", "ed"];
const CHANNELS: [&str; 2] = ["sms", "desk"];

/// SplitMix64: the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).expect("few")).expect("few")
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Some have a tier.
fn plan(dice: &mut Dice) -> EscalationPlan {
    let plan = untiered(dice);
    match dice.below(6) {
        0 => by_tier(&plan),
        1 | 2 => EscalationPlan::clone(&by_tier(&plan).raised.expect("it can be raised")),
        _ => plan,
    }
}

fn untiered(dice: &mut Dice) -> EscalationPlan {
    let roles: Vec<&str> = ROLES.iter().copied().filter(|role| *role != "catch-all" || dice.below(2) == 0).collect();
    let named: Vec<&str> = roles.iter().copied().filter(|role| *role != "catch-all").collect();
    let rows: BTreeMap<RoleName, RolePlan> =
        roles.iter().map(|role| ((*role).into(), row(dice, role, &named))).collect();
    let required: Vec<RoleName> = named.iter().filter(|_| dice.below(2) == 0).map(|role| (*role).into()).collect();
    EscalationPlan {
        trigger: "t".into(),
        matrix: "m".into(),
        required: if required.is_empty() { vec![named[0].into()] } else { required },
        roles: rows,
        accept_timeout: CHANNELS.map(|name| (name.into(), AcceptTimeout(Duration::from_secs(20)))).into(),
        rooms: vec!["room".into()],
        webhooks: vec!["hook".into()],
        living: BTreeMap::from([("room".into(), Default::default())]),
        actions: Vec::new(),
        report_timeout: Default::default(),
        ask: None,
        priority: Default::default(),
        tier: None,
        raised: None,
        on_resolved: OnResolved::Note,
    }
}

fn row(dice: &mut Dice, role: &str, named: &[&str]) -> RolePlan {
    let step_plan = |dice: &mut Dice| StepPlan {
        page: (0..=dice.below(2)).map(|_| StepTarget::Person(dice.of(&PEOPLE).into())).collect(),
        by: vec![dice.of(&CHANNELS).into()],
        wait: Duration::from_secs(10 + 10 * u64::try_from(dice.below(5)).expect("few")),
        repeat: u32::try_from(dice.below(2)).expect("few"),
    };
    let next = dice.of(named);
    RolePlan {
        name: None,
        engaged_by: if dice.below(3) == 0 { AnswerLevel::Roger } else { AnswerLevel::Wilco },
        target: None,
        template: "default".into(),
        template_revision: "r1".into(),
        steps: (0..=dice.below(2)).map(|_| step_plan(dice)).collect(),
        next: (role != "catch-all" && next != role && dice.below(3) != 0).then(|| next.into()),
    }
}

fn input(dice: &mut Dice, incident: &Incident, now: Timestamp) -> IncidentInput {
    let numbers: Vec<u32> = incident.pages.keys().copied().collect();
    if numbers.is_empty() || dice.below(30) == 0 {
        let tier = EscalationTier::ALL[dice.below(3)];
        return IncidentInput::Raise(TierDecision { tier, impact: None, likelihood: None, because: Vec::new() });
    }
    let page = numbers[dice.below(numbers.len())];
    match dice.below(20) {
        0..4 => IncidentInput::Tick,
        4..9 => {
            let settlement = match dice.below(6) {
                0 => SendOutcome::Unreachable { why: "no".into() },
                1 => SendOutcome::Retry { at: now, why: "busy".into(), unknown: dice.below(2) == 0 },
                2 => SendOutcome::Unsent,
                _ => SendOutcome::Accepted {
                    receipt: SendReceipt { id: "m".into(), room: Some("C1".into()), stand_in: None },
                },
            };
            IncidentInput::Settled { page, settlement, sent_at: Some(now), text: None }
        }
        _ => {
            let answer = match dice.below(10) {
                0..4 => Answer::Wilco,
                4 => Answer::Roger,
                5 => Answer::Standby { span: Duration::from_secs(60) },
                _ => Answer::Unable,
            };
            let (of, role) = match dice.below(4) {
                0 => (None, None),
                1 => (None, Some(dice.of(&ROLES).into())),
                _ => (Some(page), None),
            };
            let owner = incident.pages.get(&page).and_then(|page| page.person.clone());
            let person = owner.filter(|_| of.is_some()).unwrap_or_else(|| dice.of(&PEOPLE).into());
            // Some messages are handed over again.
            let origin = Some(dice.below(60)).filter(|n| *n < 3).map(|n| format!("bot {n}"));
            IncidentInput::Answer(GivenAnswer { person, answer, via: AnswerVia::Sms, page: of, role, origin })
        }
    }
}

/// What is queued to be told is so.
fn is_so(incident: &Incident, page: &stentor::core::Page) -> bool {
    let engagement = || incident.engagements.get(page.role.as_ref()?);
    match &page.purpose {
        PagePurpose::Taken { by, .. } => engagement().and_then(Engagement::holder) == Some(by),
        PagePurpose::StoodDown => {
            matches!(engagement().and_then(|e| e.outcome.as_ref()), Some(EngagementOutcome::StoodDown { .. }))
        }
        PagePurpose::HandedBack { .. } | PagePurpose::Brief { .. } => engagement().is_some_and(Engagement::is_open),
        _ => true,
    }
}

fn check(seed: u64, incident: &Incident, events: &[(Timestamp, Event)]) {
    let told = || format!("seed {seed}: {:?}", events.iter().rev().take(12).rev().collect::<Vec<_>>());
    assert_eq!(stuck_roles(incident), Vec::<&RoleName>::new(), "{}", told());
    assert!(incident.open_roles().next().is_none() || incident.deadline().is_some(), "{}", told());
    let wrong = incident.pages.values().find(|page| page.state == PageState::Queued && !is_so(incident, page));
    assert!(wrong.is_none(), "{wrong:?} is queued: {}", told());
    for (role, engagement) in incident.engagements.iter() {
        if let Some(EngagementOutcome::Covered { by, person, .. }) = &engagement.outcome {
            assert_eq!(incident.engagements[by].holder(), Some(person), "{role} rests on nothing: {}", told());
        }
    }
}

#[test]
fn whoever_hands_back_what_in_whatever_plan_every_open_role_moves_on() {
    let (mut handed_back, mut reopened) = (0, 0);
    for seed in 0..1500 {
        let mut dice = Dice(seed);
        let reach = PEOPLE.map(|person| (person.into(), CHANNELS.map(Into::into).into()));
        let roster = Roster { reach: reach.into(), ..Roster::default() };
        let (mut incident, opened) = open(IncidentId(1), opening_of("k", plan(&mut dice)), &roster, START);
        let mut events: Vec<(Timestamp, Event)> = opened.into_iter().map(|event| (START, event)).collect();
        let mut now = START;
        for _ in 0..60 {
            now = now + Duration::from_millis(1000 * u64::try_from(dice.below(12)).expect("few"));
            let input = input(&mut dice, &incident, now);
            let happened = step(&mut incident, input, &roster, now);
            let at = incident.last_at;
            events.extend(happened.into_iter().map(|event| (at, event)));
            check(seed, &incident, &events);
        }
        assert_indexes_agree(&incident, &|| format!("seed {seed}"));
        handed_back += events.iter().filter(|(_, event)| matches!(event, Event::HandedBack { .. })).count();
        reopened += events.iter().filter(|(_, event)| matches!(event, Event::Reopened { .. })).count();
        let folded = Incident::fold(IncidentId(1), events.iter().map(|(at, event)| (*at, event)));
        let folded = folded.map(|folded| folded.with_repeats(incident.repeats.clone(), &incident.alert));
        assert_eq!(folded.as_ref(), Some(&incident), "seed {seed}");
    }
    assert!(1500 < handed_back && 200 < reopened, "{handed_back} hand-backs, {reopened} opened again");
}
