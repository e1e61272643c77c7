//! Tables and lines at 80 columns: nothing is wider, and no word is broken that fits.

use super::{SMALLEST, common};
use common::{Daemon, Setup};
use std::{collections::BTreeSet, path::Path, process::Output};
use unicode_width::UnicodeWidthStr;

/// Names as long as they are in large houses.
const LONG: &str = r#"
[channel.desk]
kind = "screen"

[channel.text-messages-abroad]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "NOT_SET" }

[channel.mail-outside-the-house]
kind = "smtp"
url  = "smtp://127.0.0.1:9"
from = "stentor@example.com"

[person.anastasia]
name  = "Anastasia Ruiz-Villanueva"
phone = "+447700900001"
email = "anastasia.ruiz-villanueva@example.com"

[person.bartholomew]
name  = "Bartholomew Featherstonehaugh"
phone = "+447700900002"
email = "bartholomew.featherstonehaugh@example.com"

[role.equities-derivatives-trader]
step   = [{ page = ["anastasia", "bartholomew"], by = ["desk", "text-messages-abroad", "mail-outside-the-house"], wait = "45s" }]
target = { within = "2m", percent = 90 }
next   = "head-of-equities-derivatives"

[role.head-of-equities-derivatives]
step   = [{ page = ["bartholomew"], by = ["text-messages-abroad"], wait = "45s" }]

[role.compliance-officer-on-duty]
step   = [{ page = ["bartholomew"], by = ["mail-outside-the-house"], wait = "45s" }]
target = { within = "5m", percent = 90 }

[trigger.flash-crash-in-equities-derivatives]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
roles = ["equities-derivatives-trader", "compliance-officer-on-duty"]
actions = [{ text = "CANCEL ALL resting orders in what is traded here now", then = "no new fills; stops and hedges go too, what we hold stays at risk" }]
"#;

const SUMMARY: &str =
    "the price of something with a long name has fallen by more than anybody thought that it ever could";

const SCENARIO: &str = r#"
name = "a-crash-in-equities-derivatives"
summary = "one that is rehearsed with a summary that is much longer than a line of a terminal"
ends = "10m"
[[inject]]
at = "0s"
kind = "price_velocity"
values = { drop_pct = 6 }
[hypothesis.ROLE]
percent = 90
within = "1s"
"#;

/// Everything that prints tables, with a matrix whose role is `role`.
fn tables(folder: &Path, role: &str) -> Vec<Vec<String>> {
    let (alert, scenario) = (folder.join("a.json"), folder.join("s.toml"));
    let json = serde_json::json!({ "kind": "price_velocity", "summary": SUMMARY, "values": { "drop_pct": 6 } });
    std::fs::write(&alert, json.to_string()).unwrap();
    std::fs::write(&scenario, SCENARIO.replace("ROLE", role)).unwrap();
    let (alert, scenario) = (alert.to_str().unwrap(), scenario.to_str().unwrap());
    [
        &["show", "1", "--pages"][..],
        &["incidents"],
        &["people"],
        &["sources"],
        &["people", "--all"],
        &["doctor"],
        &["explain", "--alert", alert],
        &["simulate", scenario, "--runs", "50"],
        &["drill", "history"],
        &["drill", "schedule"],
        &["report", "tte"],
        &["report", "tte", "--sandbox"],
        &["report", "tte", "--sandbox", "--by", "step"],
        &["report", "tte", "--sandbox", "--by", "channel"],
        &["report", "triggers"],
        &["store", "quarantine", "list"],
        &["fire", "nothing"],
        &["check"],
    ]
    .map(|arguments| arguments.iter().map(|argument| (*argument).to_owned()).collect())
    .to_vec()
}

fn fired(daemon: &Daemon) {
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2", "--summary", SUMMARY]);
}

fn printed(daemon: &Daemon, arguments: &[String], columns: Option<&str>) -> Output {
    let mut command = common::binary(daemon.dir.path());
    command.args(arguments);
    command.envs(columns.map(|columns| ("COLUMNS", columns)));
    command.output().unwrap()
}

/// The words of a text without those that have a digit, which change between two runs.
fn words(output: &Output) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = text.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    // What stands beneath a row is listed with commas.
    words.map(|word| word.trim_end_matches(',').to_owned()).collect()
}

#[test]
fn everything_fits_eighty_columns_and_no_word_is_broken() {
    for (matrix, role) in [(SMALLEST, "trader"), (LONG, "equities-derivatives-trader")] {
        let daemon = Setup::new(matrix).arg("--sandbox").start();
        fired(&daemon);
        let mut printing = tables(daemon.dir.path(), role);
        // A mail's HTML has words that no line holds.
        printing.extend((matrix == SMALLEST).then(|| ["show", "1", "--texts"].map(str::to_owned).to_vec()));
        for arguments in printing {
            let narrow = printed(&daemon, &arguments, Some("80"));
            assert!(!narrow.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&narrow.stderr));
            for line in String::from_utf8_lossy(&narrow.stdout).lines() {
                let columns = line.chars().count();
                assert!(columns <= 80, "{arguments:?}: {columns} columns: {line}");
            }
            let wide = words(&printed(&daemon, &arguments, None));
            let broken: Vec<String> = words(&narrow).difference(&wide).cloned().collect();
            assert_eq!(broken, Vec::<String>::new(), "{arguments:?}: {}", String::from_utf8_lossy(&narrow.stdout));
        }
    }
}

/// A word that no line holds is broken by what it takes on the screen, wherever it comes from.
#[test]
fn words_that_no_line_holds_are_broken_at_eighty_columns_by_every_command() {
    let long = "x".repeat(400);
    let wide = "\u{65e5}\u{672c}".repeat(120);
    let matrix = SMALLEST.replace("[trigger.flash-crash]", "[trigger.flash-crash]\nkey = 'alert.labels.symbol'");
    assert_ne!(matrix, SMALLEST);
    let daemon = Setup::new(&matrix).arg("--sandbox").start();
    let fire = |kind: &str, label: &str, summary: &str| {
        daemon.cli(&[
            "fire",
            kind,
            "--value",
            "drop_pct=6.2",
            "--label",
            &format!("symbol={label}"),
            "--summary",
            summary,
        ])
    };
    assert!(fire("price_velocity", &long, &long).status.success());
    assert!(fire("price_velocity", &wide, &wide).status.success());
    let folder = daemon.dir.path();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let alert = serde_json::json!({ "kind": "price_velocity", "summary": long, "labels": { "symbol": wide },
        "values": { "drop_pct": 6 } });
    let alert = write("a.json", alert.to_string());
    let scenario = write("bad.toml", format!("name = \"{long}\"\n{long} = \"{wide}\"\n"));
    let export = String::from_utf8(daemon.cli(&["journal", "export"]).stdout).unwrap();
    let export = write("cut.jsonl", export.replacen("price_velocity", "price_velocitx", 2));
    // Only once the others have read a matrix that is good.
    let spoil = || write("matrix/faulty.toml", format!("[person.ana]\n{long} = '{wide}'\n"));
    let commands: [&[&str]; 18] = [
        &["sources"],
        &["show", "1", "--pages", "--texts"],
        &["show", "2", "--pages", "--texts"],
        &["incidents", "--all"],
        &["explain", "--alert", &alert],
        &["people", "--all"],
        &["doctor"],
        &["scenario", "check", &scenario],
        &["journal", "verify"],
        &["journal", "verify", "--file", &export],
        &["report", "tte", "--sandbox"],
        &["report", "triggers"],
        &["drill", "history"],
        &["answer", "1", &long],
        &["resolve", "2", "--outcome", "false", "--note", &long],
        &["store", "quarantine", "list"],
        &["check"],
        &["reload"],
    ];
    for arguments in commands {
        if arguments == ["check"] {
            spoil();
        }
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let told = printed(&daemon, &arguments, Some("80"));
        let both = [told.stdout, told.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        for line in both.lines() {
            assert!(line.width() <= 80, "{arguments:?}: {} columns: {line}\n{both}", line.width());
        }
        assert!(!both.contains("panicked"), "{arguments:?}: {both}");
    }
}

#[test]
fn every_help_fits_eighty_columns() {
    use clap::CommandFactory;
    fn each(command: &mut clap::Command, path: &str) {
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                assert!(line.width() <= 80, "{path} --help: {} columns: {line}", line.width());
            }
        }
        for below in command.get_subcommands_mut() {
            let path = format!("{path} {}", below.get_name());
            each(below, &path);
        }
    }
    let mut command = stentor::cli::Cli::command();
    command.build();
    each(&mut command, "stentor");
}

#[test]
fn a_report_of_times_has_the_names_that_people_read_and_its_json_has_ids() {
    let named = SMALLEST.replacen("[role.trader]", "[role.trader]\nname = \"Equities trader\"", 1);
    let daemon = Setup::new(&named).arg("--sandbox").start();
    fired(&daemon);
    let told = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        String::from_utf8(printed(&daemon, &arguments, None).stdout).unwrap()
    };
    for by in ["role", "step"] {
        let text = told(&["report", "tte", "--sandbox", "--by", by]);
        assert!(text.contains("Equities trader"), "{text}");
        let ids = text.lines().filter(|line| line.trim_start().starts_with("trader")).count();
        assert_eq!(ids, 0, "{text}");
    }
    assert!(told(&["report", "tte", "--sandbox", "--by", "step"]).contains("Equities trader step 1"));
    let json: serde_json::Value = serde_json::from_str(&told(&["report", "tte", "--sandbox", "--json"])).unwrap();
    assert_eq!((&json["groups"][0]["name"], &json["called"]["trader"]), (&"trader".into(), &"Equities trader".into()));
}
