//! The command line: one file for each subcommand.

mod assess;
mod assessments;
mod backup;
mod check;
mod client;
mod daemon;
mod demo;
mod desk_link;
mod doctor;
mod drill;
mod error;
mod explain;
mod import;
mod incident;
mod init;
mod load;
mod mail_in;
mod man;
mod mcp;
mod options;
mod output;
mod people;
mod progress;
mod receipt;
mod reload;
mod reports;
mod scenario;
mod silence;
mod simulate;
mod sources;
mod store;
mod table;
mod terminal;
mod threads;
mod watch;
mod why;

pub use crate::cli::error::{CLOSED_PIPE, NOT_PRINTED};

use crate::cli::{error::CliError, options::PathOptions};
use clap::{CommandFactory, Parser, Subcommand, ValueHint};
use std::{path::PathBuf, process::ExitCode};

/// Pages people in a crisis: every role at once, each with the context that its job needs, until somebody has said "I
/// have it".
#[derive(Debug, Parser)]
#[command(name = "stentor", version, propagate_version = true, max_term_width = 80)]
pub struct Cli {
    #[command(flatten)]
    places: PathOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Serve(daemon::serve::ServeArgs),
    /// Write a first matrix: asks three questions, or takes their answers as options
    Init(init::InitArgs),
    /// Make a matrix of the set-up of another tool, and say what could not be carried over: exit 1 where on-call would differ
    Import(import::ImportArgs),
    /// Make the running daemon read its matrix again: exit 1 where it is refused and the last good one stays
    Reload(reload::ReloadArgs),
    /// Find every mistake in the matrix: exit 1 on errors, 0 on warnings
    Check(check::CheckArgs),
    /// Compare an assessment with past cases whose answer is known: precision, recall, and whether its confidences are right
    Assess(assess::AssessArgs),
    /// Show who would be paged for an alert: when, by which channels, with which texts
    Explain(explain::ExplainArgs),
    /// Test every channel, secret, clock and contact without paging anybody: exit 1 if something failed
    Doctor(doctor::DoctorArgs),
    /// List people: which channels reach them, for which roles they are on call, when that was last proven
    People(people::PeopleArgs),
    /// Send an alert manually: exit 1 if it did not reach the roles of a trigger
    Fire(incident::fire::FireArgs),
    /// List incidents
    Incidents(incident::list::IncidentsArgs),
    /// Show one incident: each role's stages and time to engagement beside its target
    Show(incident::show::ShowArgs),
    /// Answer for a role as the person that the matrix says you are
    Answer(incident::answer::AnswerArgs),
    /// Close an incident
    Resolve(incident::resolve::ResolveArgs),
    /// Hold alerts that match back for a while, with a reason and an end
    Silence(silence::SilenceArgs),
    /// List who sends alerts: when each was last heard, what became of their alerts, and which kinds no trigger looks at
    Sources(sources::SourcesArgs),
    /// Say what became of one alert: what each trigger, layer or silence did with it, and what it lacks today; exit 1 if unknown
    Why(why::WhyArgs),
    /// Erase a conversation that was handed over: its key is destroyed, the journal still verifies
    Erase(incident::erase::EraseArgs),
    /// Report how fast people are engaged, and how often triggers are right: from the journal, unanswered pages included
    Report(reports::report::ReportArgs),
    /// Write the post-mortem of an incident from its journal, as a draft for people to complete
    Postmortem(reports::postmortem::PostmortemArgs),
    /// Print a person's link to their desk page; it signs in for 15 minutes
    DeskLink(desk_link::DeskLink),
    /// Run drills on the live daemon, follow them, review earlier ones
    Drill(drill::DrillArgs),
    /// Let an AI agent ask people: the Model Context Protocol on standard input and output
    Mcp(mcp::McpArgs),
    /// Send lines of standard input (a log) as alerts
    Watch(watch::WatchArgs),
    /// Take a reply or a bounce from your mail server (a pipe)
    MailIn(mail_in::MailIn),
    /// Verify or export the journal
    Journal(reports::journal::JournalArgs),
    /// Check receipts offline
    Receipt(receipt::ReceiptArgs),
    /// Copy the store into a file, while the daemon goes on, and check the copy
    Backup(backup::BackupArgs),
    /// List and clear rows in the state folder that cannot be read
    Store(store::StoreCommand),
    /// See everything at work: the flash crash of 6 May 2010 as a drill, in under 90 seconds, no account needed
    Demo(demo::DemoArgs),
    /// Check scenarios of drills
    Scenario(scenario::ScenarioArgs),
    /// Play a scenario in virtual time, many times: how likely each role is engaged in time, and what that depends on
    Simulate(simulate::SimulateArgs),
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder: of each command, and stentor-matrix(5)
    Man {
        /// The folder
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

/// Runs the command.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => error::told(&failure),
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    let places = &cli.places;
    match cli.command {
        Command::Serve(serve) => serve.run(places),
        Command::Init(init) => init.run(places),
        Command::Import(import) => import.run(places),
        Command::Reload(reload) => reload.run(places),
        Command::Check(check) => check.run(places),
        Command::Assess(assess) => assess.run(places),
        Command::Explain(explain) => explain.run(places),
        Command::Doctor(doctor) => doctor.run(places),
        Command::People(people) => people.run(places),
        Command::Fire(fire) => fire.run(places),
        Command::Incidents(incidents) => incidents.run(places),
        Command::Show(show) => show.run(places),
        Command::Answer(answer) => answer.run(places),
        Command::Resolve(resolve) => resolve.run(places),
        Command::Silence(silence) => silence.run(places),
        Command::Sources(sources) => sources.run(places),
        Command::Why(why) => why.run(places),
        Command::Erase(erase) => erase.run(places),
        Command::Report(report) => report.run(places),
        Command::Postmortem(postmortem) => postmortem.run(places),
        Command::DeskLink(link) => link.run(places),
        Command::Drill(drill) => drill.run(places),
        Command::Mcp(mcp) => mcp.run(places),
        Command::Watch(watch) => watch.run(places),
        Command::MailIn(mail) => mail.run(places),
        Command::Journal(journal) => journal.run(places),
        Command::Receipt(receipt) => receipt.run(places),
        Command::Backup(backup) => backup.run(places),
        Command::Store(store) => store.run(places),
        Command::Demo(demo) => demo.run(places),
        Command::Scenario(scenarios) => scenarios.run(places),
        Command::Simulate(simulate) => simulate.run(places),
        Command::Completions { shell } => {
            // The generator panics where its writer fails: what it writes is printed like everything else.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "stentor", &mut script);
            print!("{}", String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { folder } => {
            man::write(Cli::command(), &folder)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Restores the terminal if the demo had changed it. For code that exits the process immediately.
pub fn give_terminal_back() {
    terminal::give_back();
}
