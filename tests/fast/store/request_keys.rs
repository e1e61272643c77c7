//! Keys of requests: they outlive a node, and are gone once they are destroyed.

use super::*;

const KEY: [u8; 32] = *b"0123456789abcdef-a-key-of-32-b..";

async fn change(store: &dyn Store, keep: bool) {
    let work = move |tx: &mut Transaction<'_>| match keep {
        true => tx.keep_request_key(IncidentId(7), KEY),
        false => tx.destroy_request_key(IncidentId(7)),
    };
    transact(store, RequestClass::Ladder, LockSet::default(), work).await.expect("kept");
}

#[tokio::test]
async fn a_key_outlives_its_node_and_is_destroyed_for_good() {
    for mut world in [World::memory(), World::sqlite()] {
        let store = world.node().await;
        assert_eq!(store.request_key(IncidentId(7)).await.expect("read"), None);
        change(&*store, true).await;
        let store = world.node().await;
        assert_eq!(store.request_key(IncidentId(7)).await.expect("read"), Some(KEY));
        assert_eq!(store.request_key(IncidentId(8)).await.expect("read"), None);
        change(&*store, false).await;
        assert_eq!(store.request_key(IncidentId(7)).await.expect("read"), None);
        let store = world.node().await;
        assert_eq!(store.request_key(IncidentId(7)).await.expect("read"), None);
    }
}

#[tokio::test]
async fn no_file_holds_a_key_that_was_destroyed() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let held = |dir: &Path| {
        let files = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("a file").path());
        let holds = |path: &std::path::PathBuf| {
            std::fs::read(path).unwrap_or_default().windows(KEY.len()).any(|bytes| bytes == KEY)
        };
        files.filter(holds).count()
    };
    change(&*store, true).await;
    assert!(0 < held(world.dir.path()), "the test does not find keys");
    change(&*store, false).await;
    assert_eq!(held(world.dir.path()), 0);
    store.close().await;
    assert_eq!(held(world.dir.path()), 0);
}
