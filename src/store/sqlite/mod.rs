//! The embedded store: one SQLite file in the state directory, one writer with group commit, a few readers.

mod answer;
mod audit;
mod backup;
mod batch;
mod begin;
mod cache;
mod cached;
mod column;
mod connection;
pub mod disk;
mod failure;
mod handle;
mod look;
mod lookup;
mod lost;
mod mend_columns;
mod open;
mod quarantine_record;
mod read;
mod read_only;
mod readers;
mod request;
mod responses;
mod runs;
mod schema;
mod script;
mod setting;
mod shared;
mod state;
mod waiting;
mod writer;

pub use backup::copy;
pub use connection::FILE;
pub use handle::SqliteStore;
