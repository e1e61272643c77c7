//! Stentor turns a crisis signal into engaged humans. `ARCHITECTURE.md` is the map.

pub mod channel;
pub mod cli;
pub mod config;
pub mod core;
pub mod drill;
pub mod engine;
pub mod http;
pub mod import;
pub mod journal;
pub mod matrix;
pub mod mcp;
pub mod receipt;
pub mod report;
pub mod store;
pub mod template;
pub mod text;
pub mod tls;
pub mod toml_kit;
