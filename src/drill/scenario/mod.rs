//! The language of scenarios: a crisis to rehearse, what is expected of it, how people and channels respond.

mod check;
pub mod definition;
pub mod distribution;
pub mod hypothesis;
mod injects;
mod models;
pub mod read;
mod reader;
pub mod response_model;
mod schedule;
pub mod timetable;
mod values;
