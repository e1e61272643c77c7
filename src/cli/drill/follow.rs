//! Follows a run to its end: its timeline as it grows, then the results of its hypotheses.

use crate::{
    cli::{
        client::DaemonClient,
        error::CliError,
        table::{say, warn},
    },
    drill::analysis::score::{NOT_HELD, TOO_FEW},
    report::target::{TargetReport, shown_in_words},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{process::ExitCode, time::Duration};

/// How often the daemon is asked.
const EVERY: Duration = Duration::from_millis(300);

/// Waits until the end. Ctrl-C stops the drill and says so.
/// Without `verbose` only what changes a role is shown, not every page and its fate.
pub fn follow(client: &DaemonClient, run: &str, json: bool, verbose: bool) -> Result<ExitCode, CliError> {
    let mut interrupt = client.interrupts()?;
    if !json {
        say(&format!("{run} is running; Ctrl-C aborts it"));
    }
    let mut seen = 0;
    loop {
        let followed: Value = client.get(&format!("/v1/drills/{run}?after={seen}"))?;
        let lines = followed["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
        seen += lines.len();
        if !json {
            // A daemon of an older version does not say which.
            let shown = lines.iter().filter(|line| verbose || line["changes"] != false);
            shown.for_each(|line| say(&line_of(line)));
        }
        if followed["run"]["state"] != "running" {
            return end(&followed["run"], json);
        }
        if client.rest(EVERY, &mut interrupt) {
            warn(&format!("{run} is being aborted: everybody who was paged is told that it is over"));
            // It may have ended by itself meanwhile; the end of the output says how.
            if let Err(refusal) = client.post::<Value>(&format!("/v1/drills/{run}/abort"), &json!(null)) {
                warn(&format!("stentor: {refusal}"));
            }
        }
    }
}

fn line_of(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    let clock = text("at").get(11..23).unwrap_or_default();
    format!("{clock}  {:<7} {}", text("incident"), text("text"))
}

fn end(run: &Value, json: bool) -> Result<ExitCode, CliError> {
    let state = run["state"].as_str().unwrap_or_default();
    if json {
        println!("{}", serde_json::to_string_pretty(run)?);
    } else {
        tell(run, state);
    }
    Ok(match state {
        "held" => ExitCode::SUCCESS,
        "not-held" => ExitCode::from(NOT_HELD),
        "too-few" => ExitCode::from(TOO_FEW),
        _ => ExitCode::from(NOT_RUN),
    })
}

fn tell(run: &Value, state: &str) {
    println!();
    if run["score"]["sandboxed"] == true {
        say("SANDBOX: pages were kept on this machine, sent to nobody. See them with `stentor show`.");
    }
    for finding in run["score"]["findings"].as_array().into_iter().flatten() {
        say(&sentence(finding));
    }
    let compress = run["compress"].as_u64().unwrap_or(1);
    let seen = |finding: &Value| finding["in_time"].as_u64().is_some_and(|count| 0 < count);
    if 1 < compress && run["score"]["findings"].as_array().is_some_and(|findings| findings.iter().any(seen)) {
        say(&format!(
            "Waits were divided by {compress}, people's reactions were not: the times are better than those of a real crisis."
        ));
    }
    let why = run["why"].as_str().filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(": {why}"));
    let here = if matches!(state, "held" | "not-held") { " in this run" } else { "" };
    let sandbox = if run["score"]["sandboxed"] == true { " in the SANDBOX" } else { "" };
    let id = run["id"].as_str().unwrap_or_default();
    say(&format!("{id} {}{here}{sandbox}{why}", state.replace('-', " ")));
}

/// One hypothesis as one line.
pub fn sentence(finding: &Value) -> String {
    let hypothesis = &finding["hypothesis"];
    let about = hypothesis["about"].as_str().unwrap_or_default();
    let verdict = finding["verdict"].as_str().unwrap_or_default().replace('-', " ");
    let (percent, within) = (&hypothesis["percent"], &hypothesis["within"]);
    let count = |name: &str| finding[name].as_u64().unwrap_or(0);
    let (good, late, unknown) = (count("in_time"), count("late"), count("unknown"));
    // Runs from older versions do not have it.
    let shown = TargetReport::deserialize(&finding["shown"]).map(|shown| format!(" ({})", shown_in_words(&shown)));
    let shown = shown.unwrap_or_default();
    let cause = &finding["bottleneck"]["cause"];
    let cause = if cause.is_null() { String::new() } else { format!("; held up by {}", cause_of(cause)) };
    format!(
        "{verdict:<8} {about}: {percent} % within {within} s: {good} in time, {late} late, {unknown} unknown{shown}{cause}"
    )
}

fn cause_of(cause: &Value) -> String {
    let text = |name: &str| cause[name].as_str().map(|text| format!(", {name} {text}")).unwrap_or_default();
    let step = cause["step"].as_u64().unwrap_or(0) + 1;
    let stage = cause["stage"].as_str().unwrap_or_default();
    let stand_in = match cause["stand_in"].as_str() {
        Some("drill") => " (injected)",
        Some("sandbox") => " (SANDBOX: sent to nobody)",
        _ => "",
    };
    format!("{stage} at step {step}{}{}{}{stand_in}", text("role"), text("channel"), text("person"))
}

/// The exit status of a drill that did not run to its end: refused, aborted, or stopped for a live incident.
pub const NOT_RUN: u8 = 4;
