//! What runs showed: where the time of each role went, scores, reviews, estimates.

pub mod cause;
pub mod estimates;
pub mod incident_replay;
pub mod mixture;
pub mod observation;
pub mod response_history;
pub mod review;
pub mod run_analysis;
pub mod score;
