//! The copies that are kept of a store before it is brought up to date.

use super::*;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

const DUMP: &str = include_str!("../../fixture/state-v1.sql");

/// A file of the first schema, with a mark in it.
async fn of_the_first_schema(dir: &Path, mark: u32) {
    for file in ["stentor.db", "stentor.db-wal", "stentor.db-shm"] {
        let _ = std::fs::remove_file(dir.join(file));
    }
    let options = SqliteConnectOptions::new().filename(dir.join("stentor.db")).create_if_missing(true);
    let mut conn = options.connect().await.expect("a connection");
    sqlx::raw_sql(DUMP).execute(&mut conn).await.expect("the dump");
    let stamp = sqlx::AssertSqlSafe(format!("PRAGMA application_id = {mark}"));
    sqlx::raw_sql(stamp).execute(&mut conn).await.expect("the mark");
    conn.close().await.expect("closed");
}

async fn mark_of_copy(dir: &Path) -> u32 {
    let options = SqliteConnectOptions::new().filename(dir.join("stentor.db.v1")).read_only(true).immutable(true);
    let mut conn = options.connect().await.expect("the copy");
    sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut conn).await.expect("the mark")
}

/// Who went back to the older program goes on with it, and upgrades again one day.
#[tokio::test]
async fn the_copy_is_of_the_last_upgrade_and_old_ones_do_not_pile_up() {
    let mut world = World::sqlite();
    let dir = world.dir.path().to_owned();
    of_the_first_schema(&dir, 7).await;
    for older in ["v2", "v3", "v4", "v5"] {
        std::fs::write(dir.join(format!("stentor.db.{older}")), "older").expect("written");
    }
    std::fs::write(dir.join("stentor.db.vault"), "somebody's own").expect("written");
    world.reopen().await;
    assert_eq!(mark_of_copy(&dir).await, 7);
    let kept = |name: &str| dir.join(format!("stentor.db.{name}")).exists();
    let all = ["v1", "v2", "v3", "v4", "v5", "vault"];
    assert_eq!(all.map(kept), [true, false, false, true, true, true], "this one, the two newest others");
    world.sqlite.take().expect("open").close().await;
    // What is kept is what the older program has written since, and not what it had at the first upgrade.
    of_the_first_schema(&dir, 8).await;
    world.reopen().await;
    assert_eq!(mark_of_copy(&dir).await, 8);
    assert!(!kept("v1.part"));
}
