//! The scenario format: a crisis to rehearse, the expectations, and how people and channels respond.

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
