//! Where the files and the daemon are: the options that every subcommand takes.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The heading of these options in the help of every subcommand.
const GLOBAL: &str = "Global options";

/// The paths. Each may also be set in the environment.
#[derive(Debug, Clone, Args)]
pub struct PathOptions {
    /// The folder of the Crisis Escalation Matrix (*.toml)
    #[arg(long, global = true, help_heading = GLOBAL, env = "STENTOR_MATRIX", default_value = "matrix", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub matrix: PathBuf,
    /// The folder whose texts replace the shipped ones [default: templates, if it exists]
    #[arg(long, global = true, help_heading = GLOBAL, env = "STENTOR_TEMPLATES", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub templates: Option<PathBuf>,
    /// The folder of the state [default: state; serve uses the matrix's daemon.state first]
    #[arg(long, global = true, help_heading = GLOBAL, env = "STENTOR_STATE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state: Option<PathBuf>,
    /// The daemon's Unix socket [default: stentor.sock in the state folder]
    #[arg(long, global = true, help_heading = GLOBAL, env = "STENTOR_SOCKET", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub socket: Option<PathBuf>,
}

impl PathOptions {
    /// The state directory, if nothing is known about the matrix.
    pub fn state(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| PathBuf::from("state"))
    }

    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone().unwrap_or_else(|| self.state().join("stentor.sock"))
    }
}
