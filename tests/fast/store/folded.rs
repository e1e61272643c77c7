//! The journal says what the store holds: it folds to it, its anchors find what was done to it, and nothing is kept that
//! could not be read back.

use super::*;

promises!(
    the_stored_state_is_the_fold_of_the_journal,
    a_message_that_is_handed_over_again_changes_nothing_over_a_restart_too,
    anchors_find_what_was_done_to_the_journal,
    what_could_not_be_read_back_is_not_kept_and_costs_its_own_work_alone,
);

async fn a_message_that_is_handed_over_again_changes_nothing_over_a_restart_too(mut world: World) {
    let mut store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let says = |answer, origin: &str| {
        IncidentInput::Answer(GivenAnswer {
            person: "ana".into(),
            answer,
            via: AnswerVia::chat("telegram"),
            page: None,
            role: None,
            origin: Some(origin.to_owned()),
        })
    };
    step(&*store, id, says(Answer::Wilco, "bot 1")).await.expect("kept");
    let taken = view(&*store, id).await;
    assert!(taken.engagements.values().any(|engagement| engagement.holder() == Some(&"ana".into())));
    step(&*store, id, says(Answer::Unable, "bot 2")).await.expect("kept");
    for _ in 0..2 {
        let before = view(&*store, id).await;
        assert!(before.engagements.values().all(|engagement| engagement.holder().is_none()));
        for (answer, origin) in [(Answer::Wilco, "bot 1"), (Answer::Unable, "bot 2")] {
            let again = step(&*store, id, says(answer, origin)).await.expect("taken in");
            assert!(again.events.is_empty(), "{:?}", again.events);
        }
        assert_eq!(view(&*store, id).await, before);
        store = world.node().await;
    }
    // The same words in another message count again.
    step(&*store, id, says(Answer::Wilco, "bot 3")).await.expect("kept");
    let incident = view(&*store, id).await;
    assert!(incident.engagements.values().any(|engagement| engagement.holder() == Some(&"ana".into())));
    assert_eq!(folded(&*store, id).await, *incident);
}

async fn the_stored_state_is_the_fold_of_the_journal(mut world: World) {
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let mut store = world.node().await;
        let mut ids = vec![open_incident(&*store, &format!("first of {seed}")).await.0];
        for n in 0..120 {
            let id = ids[usize::try_from(dice.roll(ids.len() as u64)).expect("few")];
            match dice.roll(12) {
                0 => ids.push(open_incident(&*store, &format!("{seed} {}", n / 20)).await.0),
                1 => world.hands.pass(Duration::from_millis(dice.roll(90_000))),
                2 if n % 3 == 0 => {
                    store = world.node().await;
                    for (id, pages) in store.orphans(1000).await.expect("readable") {
                        take_over(&*store, id, &pages).await;
                    }
                }
                _ => {
                    let input = any_input(&mut dice, &*view(&*store, id).await, store.now());
                    step(&*store, id, input).await.expect("kept");
                }
            }
        }
        for round in ["before", "after"] {
            for id in &ids {
                assert_eq!(folded(&*store, *id).await, *view(&*store, *id).await, "seed {seed}, {round} a restart");
            }
            store = world.node().await;
        }
        store.anchor().await.expect("anchored");
        assert_sound(all_lines(&*store).await);
    }
}

async fn anchors_find_what_was_done_to_the_journal(mut world: World) {
    let store = world.node().await;
    let (a, _) = open_incident(&*store, "A").await;
    record(&*store, &"risk-monitor".into()).await;
    let first = store.anchor().await.expect("anchored").expect("there was something");
    assert_eq!(store.anchor().await.expect("anchored"), None, "nothing changed since");
    let (b, _) = open_incident(&*store, "B").await;
    step(&*store, a, says("cy", Answer::Roger)).await.expect("answered");
    drop(store);
    let store = world.node().await;
    let second = store.anchor().await.expect("anchored").expect("there was something");
    assert_eq!((&*first.chain, first.seq, second.seq), ("anchors", 1, 2));
    let lines = all_lines(&*store).await;
    assert_eq!(lines.last(), Some(&second));
    let kept = [KeptAnchor { seq: 2, hash: second.hash }];

    let report = journal::verify(lines.clone(), kept.into_iter().collect());
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.lines, report.chains, report.anchors, report.proven_to), (lines.len() as u64, 4, 2, Some(2)));

    let find = |what: &str, lines: Vec<StoredLine>, kept: &[KeptAnchor]| -> Vec<(String, u64, JournalFaultKind)> {
        let report = journal::verify(lines, kept.iter().copied().collect());
        assert!(!report.is_sound(), "{what} was not found");
        report.faults.into_iter().map(|fault| (fault.chain, fault.seq, fault.what)).collect()
    };
    let at = |chain: &str, seq: u64| lines.iter().position(|l| l.chain == chain && l.seq == seq).expect("a line");
    let (a, b) = (a.to_string(), b.to_string());

    let mut changed = lines.clone();
    changed[at(&a, 2)].body = changed[at(&a, 2)].body.replacen("trader", "tradef", 1);
    assert_ne!(changed, lines);
    let faults = find("a changed byte", changed, &[]);
    assert!(faults.iter().all(|(chain, _, what)| *chain == a && *what == JournalFaultKind::Altered), "{faults:?}");
    assert!(!faults.is_empty());

    let mut removed = lines.clone();
    removed.remove(at(&a, 4));
    assert_eq!(find("a removed line", removed, &[]), [(a.clone(), 5, JournalFaultKind::Gap { expected: 4 })]);

    let mut swapped = lines.clone();
    for line in &mut swapped {
        line.chain = if line.chain == a {
            b.clone()
        } else if line.chain == b {
            a.clone()
        } else {
            line.chain.clone()
        };
    }
    let faults = find("a swap of chains", swapped, &[]);
    assert!(
        faults.contains(&(a.clone(), 1, JournalFaultKind::Altered))
            && faults.contains(&(b.clone(), 1, JournalFaultKind::Misplaced))
    );

    let mut inserted = lines.clone();
    let (mut before, mut forged) = (stentor::core::event::genesis("INC-99"), lines[at(&b, 1)].clone());
    forged.body = forged.body.replace(&b, "INC-99");
    before = stentor::core::event::link(&before, forged.body.as_bytes());
    (forged.chain, forged.hash) = ("INC-99".into(), before);
    inserted.insert(at(&b, 1), forged);
    assert_eq!(
        find("an inserted chain", inserted, &[]),
        [("INC-99".into(), 1, JournalFaultKind::Unanchored { anchor: 2 })]
    );

    let tail_of_a: Vec<_> = lines.iter().filter(|l| l.chain != a || l.seq < 5).cloned().collect();
    let faults = find("a chain cut short", tail_of_a, &[]);
    assert!(
        faults.iter().any(|(chain, _, what)| *chain == a && *what == JournalFaultKind::Missing { anchor: 1 }),
        "{faults:?}"
    );

    let truncated: Vec<_> = lines[..at("anchors", 2)].to_vec();
    assert_sound(truncated.clone());
    assert_eq!(
        find("a truncated tail", truncated, &kept),
        [("anchors".into(), 2, JournalFaultKind::KeptCutOff { last: 1 })]
    );

    let rewritten = rewrite(&lines, &a);
    assert_sound(rewritten.clone());
    assert_eq!(find("a rewritten journal", rewritten, &kept), [("anchors".into(), 2, JournalFaultKind::NotAsKept)]);
}

/// What somebody who can rewrite the whole journal would do: change one line, then compute every hash again.
fn rewrite(lines: &[StoredLine], victim: &str) -> Vec<StoredLine> {
    let mut lines = lines.to_vec();
    let mut hashes = std::collections::BTreeMap::new();
    let mut replaced: Vec<(String, String)> = Vec::new();
    for line in &mut lines {
        if line.chain == victim && line.seq == 1 {
            line.body = line.body.replace("7.3%", "0.1%");
        }
        for (from, to) in &replaced {
            line.body = line.body.replace(from, to);
        }
        let before = *hashes.entry(line.chain.clone()).or_insert_with(|| stentor::core::event::genesis(&line.chain));
        let hash = stentor::core::event::link(&before, line.body.as_bytes());
        replaced.push((stentor::core::event::hex(&line.hash), stentor::core::event::hex(&hash)));
        (line.hash, *hashes.get_mut(&line.chain).expect("just put")) = (hash, hash);
    }
    lines
}

async fn what_could_not_be_read_back_is_not_kept_and_costs_its_own_work_alone(mut world: World) {
    let store = world.node().await;
    let (id, _) = open_incident(&*store, "XYZ").await;
    let lines = all_lines(&*store).await;
    let nested = (0..140).fold(serde_json::Value::from(1), |inner, _| serde_json::Value::Array(vec![inner]));
    let bad = [
        Alert { confidence: f64::NAN, ..alert() },
        Alert { values: [("x".into(), f64::INFINITY)].into(), ..alert() },
        Alert { evidence: nested, ..alert() },
        Alert { unknown: [("labels".into(), "none".into())].into(), ..alert() },
    ];
    for bad in bad.map(Arc::new) {
        let opens = IncidentOpening { alert: bad.clone(), ..opening("BAD") };
        let works = (0..3).map(|how| {
            let (store, bad, opens) = (store.clone(), bad.clone(), opens.clone());
            async move {
                let source = SourceName::from("risk-monitor");
                let keys = vec![IncidentKey::stored("BAD")];
                let needs = LockSet { incidents: vec![id], keys, sources: vec![source.clone()], ..LockSet::default() };
                let work = move |unit: &mut Transaction<'_>| match how {
                    0 => drop(unit.step(id, IncidentInput::Alert(bad.clone()), &roster())),
                    1 => drop(unit.open(opens.clone(), &roster())),
                    _ => unit.record_source(&source, SourceEvent::Unmatched { alert: bad.clone() }),
                };
                transact(&*store, RequestClass::Admission, needs, work).await
            }
        });
        let (refused, kept) = tokio::join!(join_all(works), step(&*store, id, IncidentInput::Alert(Arc::new(alert()))));
        assert!(refused.iter().all(|result| matches!(result, Err(StoreError::Unwritable(_)))), "{refused:?}");
        kept.expect("the others are kept");
    }
    let nameless = SourceName::from("a\0b");
    let needs = LockSet { sources: vec![nameless.clone()], ..LockSet::default() };
    let event = SourceEvent::Unmatched { alert: Arc::new(alert()) };
    let work = move |unit: &mut Transaction<'_>| unit.record_source(&nameless, event.clone());
    let refused = transact(&*store, RequestClass::Admission, needs, work).await;
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
    assert_eq!(view(&*store, id).await.alerts, 5);
    assert_eq!(all_lines(&*store).await.len(), lines.len() + 4);
    assert_eq!(open_incident(&*store, "BAD").await.0, IncidentId(2), "a number that was not kept is given now");
    assert_eq!(folded(&*store, id).await, *view(&*store, id).await);
    assert!(store.health().is_ok() && store.quarantined().is_empty());
    assert_sound(all_lines(&*store).await);
}
