//! `stentor man`: man pages of the commands, with their environment, files and exit status, and `stentor-matrix(5)`
//! from the guide's reference of keys.

mod roff;

use crate::cli::error::CliError;
use clap::Command;
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// The reference of keys, as the guide has it.
const MATRIX: &str = include_str!("../../docs/src/matrix.md");

/// Settings of the environment that no option has.
const VARIABLES: [(&str, &str); 6] = [
    ("STENTOR_LOG", "what is logged: error, warn, info (the default), debug or trace"),
    ("STENTOR_CA_FILE", "further certificate authorities to trust, in PEM"),
    ("STENTOR_TOKEN", "for stentor mcp and stentor watch: the token of the source"),
    ("STENTOR_SLACK_HOOKS", "for tests: where else than at Slack private replies may go"),
    ("COLUMNS", "how wide tables and lines may be, where standard output is no terminal"),
    ("NO_COLOR", "if it is set to anything, no colours are used"),
];

/// Where everything is, with the default paths.
const FILES: [(&str, &str); 6] = [
    ("matrix/*.toml", "the Crisis Escalation Matrix: all files are read as one; see stentor-matrix(5)"),
    ("matrix/drills/*.toml", "scenarios of drills; they are no part of the matrix"),
    ("templates/NAME/", "texts that replace the shipped ones"),
    ("state/stentor.db", "everything that must survive: incidents, journal, runs of drills, the server key"),
    ("state/stentor.sock", "the socket by which the command line asks the daemon"),
    ("state/outbox.jsonl", "what channels in the sandbox would have sent"),
];

/// What the exit statuses of all commands mean.
const EXITS: [(&str, &str); 7] = [
    ("0", "success; or what was asked is so"),
    (
        "1",
        "what was asked is not so: faults, a hypothesis that did not hold, an alert that reached no role, a refused reload",
    ),
    ("2", "an error; standard error says which"),
    ("3", "too little was seen to say whether a hypothesis holds"),
    ("4", "a drill that did not run to its end"),
    ("74", "its output could not be written"),
    ("141", "the reader of its output stopped reading"),
];

/// Writes all pages into a folder.
pub fn write(command: Command, folder: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| format!("the man pages can not be written into {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    clap_mangen::generate_to(command.clone(), folder).map_err(failed)?;
    for (name, variables) in pages(&command) {
        let path = folder.join(format!("{name}.1"));
        let page = std::fs::read_to_string(&path).map_err(failed)?;
        std::fs::write(&path, with_sections(&page, &variables)).map_err(failed)?;
    }
    let matrix = roff::page("stentor-matrix", 5, "the Crisis Escalation Matrix of Stentor", MATRIX);
    Ok(std::fs::write(folder.join("stentor-matrix.5"), matrix).map_err(failed)?)
}

/// The name of each page, with the variables that its options may be set by.
fn pages(command: &Command) -> BTreeMap<String, BTreeMap<String, String>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut variables: BTreeMap<String, String> =
        VARIABLES.map(|(name, meaning)| (name.to_owned(), meaning.to_owned())).into();
    for argument in command.get_arguments() {
        let Some(variable) = argument.get_env().and_then(|name| name.to_str()) else { continue };
        let option = argument.get_long().unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        variables.insert(variable.to_owned(), format!("--{option}: {help}"));
    }
    let below = command.get_subcommands().filter(|below| !below.is_hide_set()).flat_map(pages);
    std::iter::once((name, variables)).chain(below).collect()
}

/// The page with the sections that are the same everywhere, before its last one.
fn with_sections(page: &str, variables: &BTreeMap<String, String>) -> String {
    let variables = variables.iter().map(|(name, meaning)| (name.as_str(), meaning.as_str()));
    let mut added = String::new();
    section(&mut added, "ENVIRONMENT", variables);
    section(&mut added, "FILES", FILES);
    section(&mut added, "EXIT STATUS", EXITS);
    added.push_str(".SH \"SEE ALSO\"\n.BR stentor (1),\n.BR stentor\\-matrix (5)\n");
    match page.find(".SH VERSION") {
        Some(last) => format!("{}{added}{}", &page[..last], &page[last..]),
        None => format!("{page}{added}"),
    }
}

fn section<'a>(to: &mut String, title: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    // Writing to a string never fails.
    let _ = writeln!(to, ".SH \"{title}\"");
    for (name, meaning) in entries {
        let _ = writeln!(to, ".TP\n\\fB{}\\fR\n{}", roff::escaped(name), roff::escaped(meaning));
    }
}
