//! Columns that do not say what the incident's state says, looked at when the store is opened.

use super::*;
use stentor::store::{LostIncident, QuarantineStatus, QuarantinedRow, RowName};

/// What is done to INC-1, which is open and has pages to send, or to INC-2, which is over; and words of what is said.
const DAMAGES: &[(&str, &str)] = &[
    ("UPDATE page SET owed = 2 WHERE incident = 1", "page INC-1.1: not what its journal says: owed"),
    ("UPDATE page SET owed = 0 WHERE incident = 1", "page INC-1.1: not what its journal says: owed"),
    ("UPDATE page SET owed = 1 WHERE incident = 2 AND owed = 0", "page INC-2."),
    ("UPDATE page SET owed = 3 WHERE incident = 2 AND owed = 0", "page INC-2."),
    ("UPDATE page SET epoch = NULL WHERE incident = 1", "page INC-1.1: not what its journal says: claim"),
    ("UPDATE page SET epoch = 'mine' WHERE incident = 1", "page INC-1.1: not what its journal says: claim"),
    ("UPDATE page SET state = 'accepted' WHERE incident = 1", "page INC-1.1: not what its journal says: state"),
    (
        "UPDATE page SET asks = 'gus', channel = 'chat' WHERE incident = 1",
        "page INC-1.1: not what its journal says: who",
    ),
    ("UPDATE incident SET open = 0 WHERE id = 1", "state of INC-1: not what its journal says: open"),
    ("UPDATE incident SET open = 0, deadline = NULL WHERE id = 1", "state of INC-1: not what its journal says: open"),
    ("UPDATE incident SET open = 2 WHERE id = 1", "state of INC-1: not what its journal says: open"),
    ("UPDATE incident SET open = 1 WHERE id = 2", "state of INC-2: not what its journal says: open"),
    ("UPDATE incident SET key = 'gone' WHERE id = 1", "state of INC-1: not what its journal says: key"),
    (
        "UPDATE incident SET deadline = deadline + 9000000 WHERE id = 1",
        "state of INC-1: not what its journal says: deadline",
    ),
    ("UPDATE asked SET ended = 1 WHERE incident = 1", "in INC-1: not what its journal says: end"),
    ("UPDATE asked SET ended = NULL WHERE incident = 2", "in INC-2: not what its journal says: end"),
    ("UPDATE asked SET waits = 7 WHERE incident = 1", "in INC-1: not what its journal says: waits"),
    ("DELETE FROM asked WHERE incident = 1", "in INC-1: it was deleted"),
    ("INSERT INTO asked VALUES ('mallory', 1, 1, NULL)", "mallory in INC-1: its journal asks"),
];

async fn audited(store: &dyn Store) -> Vec<String> {
    let (mut next, mut faults) = (Some(stentor::core::record::RecordCursor::default()), Vec::new());
    while let Some(from) = next {
        let portion = store.audit(from).await.expect("readable");
        next = portion.next;
        faults.extend(portion.faults.iter().map(ToString::to_string));
    }
    faults
}

/// INC-1 is open, INC-2 is over.
async fn two(world: &mut World) {
    let store = world.reopen().await;
    open_incident(&*store, "XYZ").await;
    let (second, _) = open_incident(&*store, "ABC").await;
    let pages: Vec<u32> = view(&*store, second).await.pages.keys().copied().collect();
    for page in pages {
        step(&*store, second, settled(page, accepted())).await.expect("kept");
    }
    step(&*store, second, resolve()).await.expect("kept");
    store.close().await;
}

#[tokio::test]
async fn a_column_that_was_changed_is_mended_at_the_start_and_said() {
    let mut world = World::sqlite();
    two(&mut world).await;
    let whole = std::fs::read(world.dir.path().join("stentor.db")).expect("a file");
    let expected: Vec<u32> = {
        let store = world.reopen().await;
        assert_eq!(store.mended(), Vec::<String>::new());
        let orphans = store.orphans(1_000).await.expect("readable");
        orphans.into_iter().filter(|(id, _)| id.0 == 1).flat_map(|(_, pages)| pages).collect()
    };
    assert!(!expected.is_empty());
    for (damage, said) in DAMAGES {
        world.sqlite.take().expect("open").close().await;
        std::fs::write(world.dir.path().join("stentor.db"), &whole).expect("written");
        sql(world.dir.path(), damage).await;
        let store = world.reopen().await;
        let mended = store.mended();
        assert!(mended.iter().any(|fault| fault.contains(said)), "{damage}: {mended:?}");
        assert_eq!(audited(&*store).await, Vec::<String>::new(), "{damage}");
        let orphans = store.orphans(1_000).await.expect("readable");
        let pages: Vec<u32> = orphans.iter().filter(|(id, _)| id.0 == 1).flat_map(|(_, pages)| pages.clone()).collect();
        assert_eq!(pages, expected, "{damage}: pages of the node that is gone");
        let (id, _) = open_incident(&*store, "XYZ").await;
        assert_eq!(id.0, 1, "{damage}: an alert with the key of an open incident joins it");
    }
}

#[tokio::test]
async fn a_row_that_the_journal_did_not_set_aside_hides_no_incident() {
    let mut world = World::sqlite();
    two(&mut world).await;
    let row = RowName::Incident(stentor::core::IncidentId(1));
    let cleared = QuarantineStatus::Cleared { cleared_at: Timestamp::default(), cleared_by: "ana".into() };
    let incident = LostIncident { key: IncidentKey::stored("XYZ"), summary: None, open: false };
    let found = QuarantinedRow::new(row, Timestamp::default(), "gone".into());
    let entry = QuarantinedRow { standing: cleared, incident: Some(incident), ..found };
    let body = serde_json::to_string(&entry).expect("JSON");
    let words = Box::leak(format!("INSERT INTO quarantine VALUES ('INC-1', '{body}')").into_boxed_str());
    sql(world.dir.path(), words).await;
    let store = world.reopen().await;
    assert!(store.mended().iter().any(|fault| fault.contains("INC-1: no line of the journal set it aside")));
    assert_eq!(view(&*store, stentor::core::IncidentId(1)).await.id.0, 1);
    assert_eq!(open_incident(&*store, "XYZ").await.0.0, 1);
    assert_eq!(audited(&*store).await, Vec::<String>::new());
}
