//! Every subcommand keeps the same conventions. The list comes from the program itself: a new one that is not in the
//! table fails.

use crate::common;

use clap::{CommandFactory, ValueHint};
use std::{
    collections::BTreeSet,
    process::{Output, Stdio},
};
use stentor::cli::Cli;

/// How a subcommand prints for other programs.
enum Form {
    /// With `--json`.
    Json,
    /// It has none, because of this.
    Without(&'static str),
}

use Form::{Json, Without};

/// Each subcommand with what it needs, how it prints, and its exit status in a folder with neither matrix nor daemon.
const TABLE: &[(&str, &str, Form, i32)] = &[
    ("serve", "", Without("it logs, as JSON with STENTOR_LOG_FORMAT=json"), 2),
    ("init", "--person Ana --then Bo --kind price_velocity", Without("it writes a matrix"), 0),
    ("reload", "", Json, 2),
    ("check", "", Json, 2),
    ("assess", "-", Json, 2),
    ("import", "alertmanager -", Json, 2),
    ("explain", "--alert -", Json, 2),
    ("doctor", "", Json, 2),
    ("people", "", Json, 2),
    ("people link", "ana", Json, 2),
    ("people unlink", "ana", Json, 2),
    ("fire", "price_velocity", Json, 2),
    ("incidents", "", Json, 2),
    ("show", "INC-1", Json, 2),
    ("answer", "INC-1 wilco", Json, 2),
    ("resolve", "INC-1", Json, 2),
    ("sources", "", Json, 2),
    ("why", "ALT-9f1ca13f0cfac6f3", Json, 2),
    ("silence add", "host=db1 --for 2h --reason moved", Json, 2),
    ("silence list", "", Json, 2),
    ("silence extend", "5b1e7a66 --for 2h", Json, 2),
    ("silence end", "5b1e7a66", Json, 2),
    ("erase", "INC-1", Json, 2),
    ("report tte", "", Json, 2),
    ("report triggers", "", Json, 2),
    ("report handoffs", "", Json, 2),
    ("postmortem", "INC-1", Json, 2),
    ("desk-link", "ana", Json, 2),
    ("drill run", "flash-crash-2010", Json, 2),
    ("drill abort", "DR-1", Json, 2),
    ("drill history", "", Json, 2),
    ("drill schedule", "", Json, 2),
    ("drill report", "DR-1", Json, 2),
    ("mcp", "", Without("it speaks a protocol"), 2),
    ("watch", "--kind k", Without("it prints one line for people"), 2),
    // Mail servers keep the mail and try again.
    ("mail-in", "", Json, 75),
    ("journal verify", "", Json, 2),
    ("journal key", "", Without("it prints a PEM file"), 2),
    ("journal export", "", Without("each line is a JSON object"), 2),
    ("backup", "copy", Json, 2),
    ("receipt verify", "receipt.jws", Json, 2),
    ("store quarantine list", "", Json, 2),
    ("store quarantine show", "INC-1", Json, 2),
    ("store quarantine clear", "INC-1", Json, 2),
    ("demo", "", Without("it is for people"), 0),
    ("demo agent", "", Without("it is for people"), 0),
    ("demo bank", "", Without("it is for people"), 0),
    ("scenario check", "flash-crash-2010", Json, 2),
    ("simulate", "flash-crash-2010", Json, 2),
    ("completions", "bash", Without("it prints a script"), 0),
    ("man", "pages", Without("it writes pages"), 0),
];

/// The options and arguments that name a file and do not take `-`.
const FILES_ONLY: &[&str] = &[
    "backup file",
    "import report",
    "import rules",
    "journal verify anchor",
    "journal verify file",
    "journal verify key",
    "mcp token_file",
    "receipt verify keys",
    "watch token_file",
];

/// The subcommands that do something, with their names in full.
fn leaves(command: &clap::Command, name: &str, found: &mut Vec<(String, clap::Command)>) {
    let does_something = !command.is_subcommand_required_set() && !command.is_arg_required_else_help_set();
    if !name.is_empty() && (command.get_subcommands().next().is_none() || does_something) {
        found.push((name.to_owned(), command.clone()));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        leaves(sub, format!("{name} {}", sub.get_name()).trim(), found);
    }
}

fn all() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    leaves(&Cli::command(), "", &mut found);
    found
}

fn run(name: &str, arguments: &str) -> (tempfile::TempDir, Output) {
    let dir = tempfile::tempdir().unwrap();
    let words = name.split(' ').chain(arguments.split(' ')).filter(|word| !word.is_empty());
    let output = common::binary(dir.path()).args(words).stdin(Stdio::null()).output().unwrap();
    (dir, output)
}

#[test]
fn every_subcommand_is_in_the_table_and_prints_json_where_it_prints_facts() {
    let found = all();
    let known: BTreeSet<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    let real: BTreeSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(real, known, "each subcommand is in the table, and nothing else");
    for (name, command) in &found {
        let json = command.get_arguments().any(|argument| argument.get_id() == "json");
        let (.., form, _) = TABLE.iter().find(|(known, ..)| known == name).unwrap();
        match form {
            Json => assert!(json, "{name} has no --json"),
            Without(why) => assert!(!json && !why.is_empty(), "{name} has --json"),
        }
    }
}

#[test]
fn a_file_may_be_a_dash_or_the_table_says_why_not() {
    let mut only = BTreeSet::new();
    for (name, command) in all() {
        for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
            if argument.get_value_hint() != ValueHint::FilePath {
                continue;
            }
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            if !help.contains("- is standard") && !help.contains("- reads standard") && !help.contains("- prints") {
                only.insert(format!("{name} {}", argument.get_id()));
            }
        }
    }
    assert_eq!(only, FILES_ONLY.iter().map(|name| (*name).to_owned()).collect());
    // None of them makes a file with that name.
    let (dir, output) = run("backup", "-");
    assert_eq!((output.status.code(), dir.path().join("-").exists()), (Some(2), false));
}

#[test]
fn the_exit_status_tells_a_success_from_a_failure_and_a_failure_prints_to_standard_error_alone() {
    for (name, arguments, form, code) in TABLE.iter().filter(|(name, ..)| !name.starts_with("demo")) {
        let json = if matches!(form, Json) { " --json" } else { "" };
        let (_dir, output) = run(name, &format!("{arguments}{json}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(*code), "{name}: {said}");
        if *code != 0 {
            assert!(output.stdout.is_empty() && said.starts_with("stentor: "), "{name}: {said}");
        }
    }
}

#[test]
fn an_unknown_option_is_refused_with_two_and_help_is_a_success() {
    for (name, ..) in TABLE {
        let (_dir, refused) = run(name, "--no-such-option");
        assert_eq!((refused.status.code(), refused.stdout.is_empty()), (Some(2), true), "{name}");
        let (_dir, help) = run(name, "--help");
        assert_eq!(
            (help.status.code(), help.stderr.is_empty(), help.stdout.is_empty()),
            (Some(0), true, false),
            "{name}"
        );
        // A command's own options stand apart from those that every command has.
        let help = String::from_utf8(help.stdout).unwrap();
        let (own, global) = help.split_once("\nGlobal options:\n").unwrap_or_else(|| panic!("{name}: {help}"));
        for option in ["--matrix <DIR>", "--templates <DIR>", "--state <DIR>", "--socket <PATH>"] {
            assert!(global.contains(option) && !own.contains(option), "{name}: {help}");
        }
        assert!(own.contains("--help") && global.matches("\n      --").count() == 3, "{name}: {help}");
    }
}
