//! The structure of the database: its tables, indexes, views and triggers are those that this version makes.

use super::Audit;
use crate::{
    core::{printable::excerpt, record::RecordPlace},
    store::{
        StoreError,
        sqlite::{
            column::{rows, shown},
            failure::failure,
            schema,
        },
    },
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::collections::BTreeMap;

/// The most characters of an object's SQL, or of its name, that a fault shows.
const SQL_SHOWN: usize = 200;

/// By their kinds and names: the table of each, and its SQL.
type Objects = BTreeMap<(String, String), (String, String)>;

impl Audit<'_> {
    /// Compares the objects of the database with those of a new one.
    pub(super) async fn objects(&mut self) -> Result<(), StoreError> {
        let mut made = made().await?;
        for ((kind, name), found) in objects(self.conn).await? {
            self.checked += 1;
            let row = format!("{kind} {}", excerpt(&name, SQL_SHOWN));
            match made.remove(&(kind, name)) {
                None => {
                    let (table, sql) = found;
                    let what =
                        if sql.is_empty() { table } else { sql.split_whitespace().collect::<Vec<_>>().join(" ") };
                    self.fault(RecordPlace::Object, row, format!("no stentor made it: {}", excerpt(&what, SQL_SHOWN)));
                }
                Some(expected) if expected != found => {
                    self.fault(RecordPlace::Object, row, "it is not as this version makes it: it was changed");
                }
                Some(_) => {}
            }
        }
        for (kind, name) in made.into_keys() {
            self.fault(RecordPlace::Object, format!("{kind} {name}"), "it is missing");
        }
        Ok(())
    }
}

/// The objects of a new database of this version.
async fn made() -> Result<Objects, StoreError> {
    let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
    let mut conn = options.connect().await.map_err(failure)?;
    schema::migrate(&mut conn).await?;
    let made = objects(&mut conn).await?;
    let _ = conn.close().await;
    Ok(made)
}

/// All objects of a database, but the statistics that SQLite's ANALYZE makes: they change no row.
async fn objects(conn: &mut SqliteConnection) -> Result<Objects, StoreError> {
    const OBJECTS: &str = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema
        WHERE name NOT GLOB 'sqlite_stat[0-9]'";
    let found = rows(conn, OBJECTS).await?;
    Ok(found.iter().map(|row| ((shown(row, 0), shown(row, 1)), (shown(row, 2), shown(row, 3)))).collect())
}
