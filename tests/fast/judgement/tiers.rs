//! The decision matrix: impact and likelihood give the tier, and what comes later can raise it.

use super::{World, alert, said};
use std::time::Duration;
use stentor::{
    core::{Answer, AnswerVia, GivenAnswer, Incident, IncidentInput, IncidentStatus, SendOutcome, SendReceipt},
    store::IncidentFilter,
};

const DECISION: &str = r#"
[trigger.t]
on = ["k"]
key = 'alert.labels.key'
roles = ["desk", "risk"]
impact = 'alert.labels.impact'
likelihood = 'alert.values.v'
room = []

[decision]
impact = ["low", "medium", "high"]
likelihood = { unlikely = 0.0, likely = 0.5, certain = 0.9 }

[decision.tiers]
low = ["watch", "watch", "warm"]
medium = ["watch", "warm", "immediate"]
high = ["warm", "immediate", "immediate"]

[[decision.shift]]
name = "a private client"
when = '"client" in alert.labels && alert.labels.client == "private"'
by = 1

[[decision.shift]]
name = "earnings week"
from = 2026-11-24T00:00:00Z
until = 2026-11-25T00:00:00Z
by = 1

[person.bo]
name = "Bo Lind"
phone = "+447700900002"

[person.cy]
name = "Cy Hart"
phone = "+447700900003"

[role.desk]
step = [{ page = ["bo", "ana"], by = ["sms"], wait = "2m" }, { page = ["cy"], by = ["sms"], wait = "5m" }]

[role.risk]
step = [{ page = ["cy"], by = ["sms"], wait = "5m" }]
"#;

fn world() -> World {
    World::memory(&DECISION.trim_start().replace("room = []\n", ""))
}

impl World {
    async fn incident(&self, key: &str) -> Incident {
        let all = self.store.list(IncidentFilter { open_only: false, limit: 100 }).await.unwrap();
        let found = all.into_iter().find(|incident| incident.key.as_str() == format!("t/{key}"));
        Incident::clone(&found.expect("there is one"))
    }

    /// The tier of an incident, why, and who was paged for which role.
    async fn tier(&self, key: &str) -> String {
        let incident = self.incident(key).await;
        let decision = incident.plan.tier.as_ref().expect("it has a tier");
        let briefs = incident.pages.values().filter(|page| page.purpose.is_brief());
        let mut paged: Vec<String> =
            briefs.map(|page| format!("{}/{}", page.role.as_ref().unwrap(), page.person.as_ref().unwrap())).collect();
        paged.sort();
        paged.dedup();
        format!("{} ({}): {}", decision.tier, decision.reasons(), paged.join(" ")).trim_end().to_owned()
    }

    /// The ladders, too.
    async fn later(&self, at: u64) {
        self.pass_to(Duration::from_secs(at)).await;
        self.engine.tick_timers().await.unwrap();
    }
}

#[tokio::test]
async fn impact_and_likelihood_give_the_tier() {
    for (words, expected) in [
        ("impact:low v=0.2", "watch (impact low, likelihood unlikely):"),
        ("impact:medium v=0.5", "warm (impact medium, likelihood likely): desk/bo"),
        ("impact:high v=0.89", "immediate (impact high, likelihood likely): desk/ana desk/bo desk/cy risk/cy"),
        ("impact:low v=1", "warm (impact low, likelihood certain): desk/bo"),
        ("impact:medium v=0.95", "immediate (impact medium, likelihood certain): desk/ana desk/bo desk/cy risk/cy"),
        ("impact:low v=0.2 client:private", "warm (impact low, likelihood unlikely, a private client (+1)): desk/bo"),
    ] {
        let world = world();
        let words: Vec<&str> = ["a", "x"].into_iter().chain(words.split(' ')).collect();
        assert_eq!(said(&world.admit(alert(&words)).await), "opened");
        assert_eq!(world.tier("x").await, expected, "{words:?}");
    }
}

/// What can not be evaluated counts as the worst: rather a page too many.
#[tokio::test]
async fn what_can_not_be_known_counts_as_the_highest() {
    let world = world();
    for (key, words) in [("x", "v=0.5"), ("y", "impact:huge v=0.5"), ("z", "impact:high")] {
        let words: Vec<&str> = ["a", key].into_iter().chain(words.split(' ')).collect();
        assert_eq!(said(&world.admit(alert(&words)).await), "opened");
        let tier = world.tier(key).await;
        assert!(tier.starts_with("immediate (impact high") && tier.contains("counts as the highest"), "{tier}");
    }
}

#[tokio::test]
async fn who_is_asked_alone_takes_it_or_everybody_is_asked() {
    let world = world();
    for key in ["x", "y", "z"] {
        assert_eq!(said(&world.admit(alert(&["a", key, "impact:medium", "v=0.5"])).await), "opened");
    }
    let answer = async |key: &str, answer| {
        let incident = world.incident(key).await;
        let receipt = SendReceipt { id: "m".into(), room: None, stand_in: None };
        let (settlement, sent_at) = (SendOutcome::Accepted { receipt }, Some(world.now()));
        let arrived = IncidentInput::Settled { page: 1, settlement, sent_at, text: None };
        world.engine.step(incident.id, arrived).await.unwrap();
        let said = GivenAnswer {
            person: "bo".into(),
            answer,
            via: AnswerVia::Sms,
            page: None,
            role: Some("desk".into()),
            origin: None,
        };
        world.engine.step(incident.id, IncidentInput::Answer(said)).await.unwrap();
    };
    answer("x", Answer::Wilco).await;
    answer("y", Answer::Unable).await;
    let everybody = "immediate (the one person who was asked did not take it): desk/ana desk/bo desk/cy risk/cy";
    assert_eq!(world.tier("y").await, everybody, "they can not: at once");
    world.later(119).await;
    assert_eq!(world.tier("z").await, "warm (impact medium, likelihood likely): desk/bo");
    // A page that was never sent is waited for twice as long.
    world.later(245).await;
    assert_eq!(world.tier("x").await, "warm (impact medium, likelihood likely): desk/bo");
    assert_eq!(world.tier("z").await, everybody);
}

#[tokio::test]
async fn what_comes_later_raises_a_tier_and_never_lowers_it() {
    let world = world();
    let say = async |words: &[&str]| {
        let words: Vec<&str> = ["a", "x"].into_iter().chain(words.iter().copied()).collect();
        let result = said(&world.admit(alert(&words)).await);
        (result, world.tier("x").await)
    };
    let told = say(&["impact:low", "v=0.2"]).await;
    assert_eq!(told, ("opened".into(), "watch (impact low, likelihood unlikely):".into()));
    assert_eq!(said(&world.admit(alert(&["a", "x", "impact:low", "v=0.3"])).await), "joined");
    let told = say(&["impact:medium", "v=0.6"]).await;
    assert_eq!(told, ("joined".into(), "warm (impact medium, likelihood likely): desk/bo".into()));
    let told = say(&["impact:low", "v=0.1"]).await;
    assert_eq!(told.1, "warm (impact medium, likelihood likely): desk/bo");
    let told = say(&["impact:high", "v=0.9"]).await;
    assert_eq!(told.1, "immediate (impact high, likelihood certain): desk/ana desk/bo desk/cy risk/cy");
    // An all-clear does not end what people were paged for.
    assert_eq!(said(&world.admit(alert(&["a", "x", "resolved"])).await), "cleared");
    assert!(world.incident("x").await.is_open());
}

#[tokio::test]
async fn what_is_only_watched_ends_by_itself() {
    let world = world();
    for key in ["x", "y"] {
        assert_eq!(said(&world.admit(alert(&["a", key, "impact:low", "v=0"])).await), "opened");
    }
    assert_eq!(said(&world.admit(alert(&["a", "x", "resolved"])).await), "cleared");
    assert!(!world.incident("x").await.is_open());
    world.later(20 * 3600).await;
    assert!(world.incident("y").await.is_open());
    world.later(25 * 3600).await;
    let IncidentStatus::Resolved { why, .. } = world.incident("y").await.status else { panic!("it is over") };
    assert_eq!(why.as_deref(), Some("it was only watched, and nothing more came"));
}

/// Monday is no earnings week; Tuesday is.
#[tokio::test]
async fn an_occasion_shifts_tiers_for_its_time() {
    let world = world();
    assert_eq!(said(&world.admit(alert(&["a", "x", "impact:low", "v=0"])).await), "opened");
    assert_eq!(world.tier("x").await, "watch (impact low, likelihood unlikely):");
    world.later(24 * 3600 - 9 * 3600).await;
    assert_eq!(said(&world.admit(alert(&["a", "y", "impact:low", "v=0"])).await), "opened");
    assert_eq!(world.tier("y").await, "warm (impact low, likelihood unlikely, earnings week (+1)): desk/bo");
}

/// The tier is decided when the incident opens, also after a wait.
#[tokio::test]
async fn what_waits_has_its_tier_when_it_opens() {
    let world = World::memory(&DECISION.trim_start().replace("room = []", "for = \"10s\""));
    assert_eq!(said(&world.admit(alert(&["a", "x", "impact:low", "v=0"])).await), "held for 1 until 10");
    assert_eq!(said(&world.admit(alert(&["a", "x", "impact:medium", "v=0.5"])).await), "held for 1 until 10");
    world.later(10).await;
    assert_eq!(world.tier("x").await, "warm (impact medium, likelihood likely): desk/bo");
}

#[tokio::test]
async fn a_trigger_can_have_one_tier() {
    let world = World::memory("key = 'alert.labels.key'\ntier = \"watch\"");
    assert_eq!(said(&world.admit(alert(&["a", "x"])).await), "opened");
    assert_eq!(world.tier("x").await, "watch ():");
}
