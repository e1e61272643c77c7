//! The layers against slow references that keep everything.

use proptest::prelude::*;
use std::time::Duration;
use stentor::core::{
    Alert, Timestamp,
    judgement::{
        ChangeDirection, Corroboration, FlapLimit, JudgementLayer, JudgementLayers, JudgementState, LayerEvidence,
        LayerVerdict, RipeJudgement, ValueChange, pending,
    },
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::default() + Duration::from_secs(seconds)
}

fn alert() -> std::sync::Arc<Alert> {
    std::sync::Arc::new(Alert::new("a", "k"))
}

fn evidence(witness: u8, value: Option<f64>) -> LayerEvidence {
    LayerEvidence { value, witness: format!("w{witness}") }
}

/// Written and read back, as after a restart.
fn kept(state: &JudgementState) -> JudgementState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

proptest! {
    /// Every pair of values of one witness is looked at.
    #[test]
    fn a_change_is_seen_exactly_when_some_pair_shows_it(
        steps in proptest::collection::vec((0..20_u64, 0..3_u8, 0..30_u8), 1..80),
        by in 1..12_u8, percent: bool, direction in 0..3_u8, within in 1..120_u64,
    ) {
        let direction = [ChangeDirection::Up, ChangeDirection::Down, ChangeDirection::Either][usize::from(direction)];
        let change = ValueChange { direction, by: f64::from(by), percent, within: Duration::from_secs(within) };
        let layers = JudgementLayers { change: Some(change), ..JudgementLayers::default() };
        let (mut state, mut all, mut now): (_, Vec<(u64, u8, f64)>, _) = (JudgementState::default(), Vec::new(), 0);
        for (later, witness, value) in steps {
            now += later;
            let value = f64::from(value);
            let before = all.iter().filter(|(then, who, _)| *who == witness && *then < now && now < then + within);
            let expected = before.into_iter().any(|(_, _, from)| {
                let moved = match direction {
                    ChangeDirection::Up => value - from,
                    ChangeDirection::Down => from - value,
                    ChangeDirection::Either => (value - from).abs(),
                };
                0.0 < moved && (if percent { from * f64::from(by) / 100.0 } else { f64::from(by) }) <= moved
            });
            state = kept(&state);
            let hold = state.weigh(&layers, &evidence(witness, Some(value)), &alert(), at(now));
            prop_assert_eq!(hold.is_none(), expected, "at {}", now);
            all.push((now, witness, value));
        }
    }

    /// Whatever the order of those who say it at the same time.
    #[test]
    fn witnesses_are_those_who_said_it_within_the_time(
        steps in proptest::collection::vec((0..10_u64, 0..6_u8, any::<bool>()), 1..60), count in 2..5_u32, within in 1..30_u64,
    ) {
        let corroboration = Corroboration { count, within: Duration::from_secs(within) };
        let layers = JudgementLayers { corroborate: Some(corroboration), ..JudgementLayers::default() };
        let (mut state, mut said, mut now) = (JudgementState::default(), std::collections::BTreeMap::new(), 0);
        for (later, witness, holds) in steps {
            now += later;
            state = kept(&state);
            if !holds {
                said.remove(&witness);
                state.broken(&layers, &format!("w{witness}"));
                continue;
            }
            said.insert(witness, now);
            let expected = said.values().filter(|then| now < **then + within).count();
            let hold = state.weigh(&layers, &evidence(witness, None), &alert(), at(now));
            prop_assert_eq!(hold.map(|hold| hold.count), (expected < count as usize).then_some(expected));
        }
    }

    /// A wait, a cool-down and flapping, second by second: what is due is looked at at its time.
    #[test]
    fn what_waits_opens_when_it_has_held_for_long_enough(
        steps in proptest::collection::vec(0..5_u8, 1..120), delay in 0..8_u64, cooldown in 0..20_u64, openings in 2..5_u32,
    ) {
        let seconds = |span: u64| (0 < span).then(|| Duration::from_secs(span));
        let flapping = FlapLimit { openings, within: Duration::from_secs(40) };
        let layers = JudgementLayers {
            delay: seconds(delay), cooldown: seconds(cooldown), flapping: Some(flapping), ..JudgementLayers::default()
        };
        let mut state = JudgementState::default();
        // The reference: since when it holds, whether it is open, when it ended, and when it was opened.
        let (mut since, mut open, mut ended, mut opened): (Option<u64>, bool, Option<u64>, Vec<u64>) =
            (None, false, None, Vec::new());
        for (now, step) in (1..).zip(steps) {
            state = kept(&state);
            let mut flaps = None;
            let mut is_opened = false;
            while state.deadline().is_some_and(|due| due <= at(now)) {
                if let Some(RipeJudgement::Opens { .. }) = state.ripen(&layers, None, at(now)) {
                    (flaps, is_opened) = (state.opened(&layers, at(now)), true);
                }
            }
            match step {
                // It holds.
                0 | 1 if !open && !is_opened => {
                    if let LayerVerdict::Opens { flaps: found } = state.admit(&layers, None, Some(pending(&alert(), "s", at(now), None)), at(now)) {
                        (flaps, is_opened) = (found, true);
                    }
                }
                2 => drop(state.broken(&layers, "w0")),
                3 => drop(state.cleared()),
                _ => {}
            }
            // The same, told anew. What was due was looked at before this second's alert.
            let is_due = |since: Option<u64>, ended: Option<u64>| {
                since.is_some_and(|since| since + delay <= now && ended.is_none_or(|ended| ended + cooldown <= now))
            };
            let mut expected = !open && is_due(since, ended);
            if !open && !expected && step < 2 {
                since = since.or(Some(now));
                expected = is_due(since, ended);
            }
            if 2 == step || 3 == step {
                since = None;
            }
            prop_assert_eq!(is_opened, expected, "at {}: {:?}", now, state);
            if expected {
                opened.push(now);
                let lately = opened.iter().filter(|then| now < **then + 40).count();
                prop_assert_eq!(flaps.is_some(), openings as usize <= lately);
                (open, since) = (true, None);
            } else if open && step == 4 {
                state.ended(at(now));
                (open, ended) = (false, Some(now).filter(|_| 0 < cooldown));
            }
            prop_assert!(state.pending().is_none() || !open);
        }
    }
}

#[test]
fn layers_have_the_names_of_their_keys() {
    let all = [
        JudgementLayer::Change,
        JudgementLayer::Corroborate,
        JudgementLayer::Threshold,
        JudgementLayer::Delay,
        JudgementLayer::Cooldown,
        JudgementLayer::Silence,
        JudgementLayer::Absent,
    ];
    for layer in all {
        assert_eq!(serde_json::to_value(layer).unwrap(), layer.key());
    }
}
