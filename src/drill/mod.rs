//! Drills: the language of scenarios, the simulator, the runner on the live daemon, and what runs show.

pub mod analysis;
pub mod proposal;
pub mod runner;
pub mod scenario;
pub mod simulator;

pub use analysis::{
    run_analysis::{IncidentTrace, RunObservation},
    score::{DrillScore, HypothesisResult, HypothesisVerdict},
};
pub use scenario::{
    definition::{ReadScenario, Scenario},
    hypothesis::RunHypothesis,
};
