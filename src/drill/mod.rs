//! Drills: scenarios, their scoring, and the same engine in virtual time.

pub mod calendar;
pub mod cause;
pub mod course;
pub mod dice;
pub mod distribution;
pub mod fitted;
pub mod habits;
pub mod hindsight;
pub mod live;
pub mod picture;
pub mod proposal;
pub mod review;
pub mod scenario;
pub mod score;
pub mod sequence;
pub mod simulate;
pub mod timetable;
pub mod virtual_time;

pub use course::{IncidentTrace, RunObservation};
pub use scenario::{ReadScenario, Scenario};
pub use score::{DrillScore, HypothesisResult, HypothesisVerdict, RunHypothesis};
