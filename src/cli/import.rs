//! `stentor import`: the set-up of another tool becomes a matrix. It writes nothing but what was asked for.

use crate::{
    cli::{
        error::CliError,
        load,
        options::PathOptions,
        output,
        table::{self},
    },
    config,
    import::{self, Export, Tool},
};
use clap::{Args, ValueEnum, ValueHint};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Whose set-up it is
    tool: ImportTool,
    /// What was exported; - reads standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Prometheus' rule files: they have the names of the alerts (Alertmanager only)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rules: Vec<PathBuf>,
    /// Write the matrix into this folder, as matrix.toml [default: standard output]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Write the report to this file [default: standard error]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long)]
    json: bool,
    /// Overwrite files that are there already
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ImportTool {
    Alertmanager,
    Pagerduty,
    Opsgenie,
    Goalert,
    GrafanaOncall,
}

impl ImportArgs {
    pub fn run(self, _: &PathOptions) -> Result<ExitCode, CliError> {
        let tool = match self.tool {
            ImportTool::Alertmanager => Tool::Alertmanager,
            ImportTool::Pagerduty => Tool::PagerDuty,
            ImportTool::Opsgenie => Tool::Opsgenie,
            ImportTool::Goalert => Tool::GoAlert,
            ImportTool::GrafanaOncall => Tool::GrafanaOnCall,
        };
        let bytes = bytes(&self.file)?;
        let rules: Vec<Vec<u8>> = self.rules.iter().map(|path| bytes_of(path)).collect::<Result<_, _>>()?;
        let zones = Arc::new(config::zoneinfo::zones());
        let imported = import::import(Export { tool, bytes: &bytes, rules: &rules }, &zones, load::now())
            .map_err(|error| error.to_string())?;
        let report =
            if self.json { serde_json::to_string_pretty(&imported.report)? + "\n" } else { imported.report.text() };
        match &self.out {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .map_err(|error| format!("{} can not be made: {error}", folder.display()))?;
                let path = folder.join(import::FILE);
                output::write_new(&path, &imported.matrix, self.force)?;
                table::say(&format!("{} is written", path.display()));
            }
            None => print!("{}", imported.matrix),
        }
        match &self.report {
            Some(path) => output::write_new(path, &report, self.force)?,
            None => eprint!("{report}"),
        }
        Ok(if imported.report.differs() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    if output::is_standard(path) {
        return read(std::io::stdin().lock(), "standard input");
    }
    bytes_of(path)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, CliError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| format!("{name} can not be read: {error}"))?;
    read(file, &name)
}

/// One byte more than an export may have, so that what is too large is known to be.
fn read(from: impl Read, name: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(import::EXPORT_MAX).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut bytes).map_err(|error| format!("{name} can not be read: {error}"))?;
    Ok(bytes)
}
