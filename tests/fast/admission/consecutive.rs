//! A threshold that counts only alerts that follow each other: of a chatbot, each turn of a conversation.

use super::World;
use std::time::Duration;
use stentor::core::Alert;
use stentor::engine::AdmissionResult;

fn turn(conversation: &str, confidence: f64) -> Alert {
    let mut alert = Alert::new("quiet", "turn");
    alert.labels.insert("conversation".into(), conversation.into());
    alert.values.insert("confidence".into(), confidence);
    alert
}

impl World {
    async fn turns(&self, turns: &[(&str, f64)]) -> Vec<String> {
        let mut told = Vec::new();
        for (conversation, confidence) in turns {
            let result = self.admit(vec![turn(conversation, *confidence)]).await.remove(0).results.remove(0);
            told.push(match result {
                AdmissionResult::Held { count, .. } => format!("held {count}"),
                AdmissionResult::Opened { .. } => "opened".into(),
                AdmissionResult::Unmatched => "unmatched".into(),
                other => format!("{other:?}"),
            });
        }
        told
    }
}

#[tokio::test]
async fn a_turn_for_which_it_does_not_hold_starts_the_count_anew() {
    for world in [World::memory(), World::sqlite().await] {
        let unsure_sure_unsure = [("c", 0.4), ("c", 0.9), ("c", 0.4), ("c", 0.95), ("c", 0.8), ("c", 0.69), ("c", 0.1)];
        let told = world.turns(&unsure_sure_unsure).await;
        assert_eq!(told, ["held 1", "held 0", "held 1", "held 0", "unmatched", "held 1", "opened"]);
    }
}

#[tokio::test]
async fn each_conversation_has_a_count_of_its_own_and_it_ends_with_its_window() {
    let world = World::memory();
    let told = world.turns(&[("c", 0.4), ("d", 0.9), ("d", 0.4), ("c", 0.4)]).await;
    assert_eq!(told, ["held 1", "unmatched", "held 1", "opened"]);
    world.clock.pass(Duration::from_secs(600));
    let told = world.turns(&[("d", 0.9), ("d", 0.4), ("d", 0.3)]).await;
    assert_eq!(told, ["unmatched", "held 1", "opened"], "what is no longer in the window was not counted");
}

#[tokio::test]
async fn the_count_starts_anew_within_one_batch_and_over_a_restart() {
    let world = World::sqlite().await;
    let batch = [0.4, 0.9, 0.4].map(|confidence| turn("c", confidence)).to_vec();
    let told = world.admit(batch).await;
    assert!(told.iter().all(|alert| matches!(alert.results[..], [AdmissionResult::Held { .. }])), "{told:?}");
    let lines = world.store.lines(None, 0, 100).await.unwrap();
    let counts: Vec<_> = lines.iter().filter_map(|line| line.body.split("\"count\":").nth(1)?.chars().next()).collect();
    assert_eq!(counts, ['1', '0', '1']);
}
