//! What the program knows and the guide must tell: keys, routes, commands and options, metrics, settings of the
//! environment. Each is found in the sources or asked of the program, so that nothing new stays untold.

use super::{pages, text};
use crate::common;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use stentor::channel::kinds::contact_fields;

/// Calls whose first literal is a key of a matrix or a scenario.
const READERS: [&str; 8] =
    [".take", ".demand", ".each", ".demanded_text", ".demanded_offset", "codes", "section", "fields"];

/// Keys that only presets or lists of tables hide from the calls above are in constants of this name.
const LISTS: &str = "const KEYS: &[&str]";

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![common::root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let shipped = text.split("#[cfg(test)]").next().unwrap().to_owned();
                found.push((path, shipped));
            }
        }
    }
    found
}

/// The literals in `text`, up to `end`.
fn literals(text: &str, end: char) -> Vec<&str> {
    let inside = text.split(end).next().unwrap_or_default();
    inside.split('"').skip(1).step_by(2).collect()
}

fn is_key(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

/// Every key that the readers of matrix and scenario ask for.
fn keys() -> BTreeSet<String> {
    // Those of people are in the table of kinds.
    let mut keys: BTreeSet<String> = contact_fields().into_iter().map(|field| field.key().to_owned()).collect();
    for (_, source) in sources() {
        for reader in READERS {
            for (at, _) in source.match_indices(reader) {
                let rest = source[at + reader.len()..].trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
                let first = rest.strip_prefix('(').and_then(|rest| literals(rest, ')').first().copied());
                keys.extend(first.filter(|key| is_key(key)).map(ToOwned::to_owned));
            }
        }
        for (at, _) in source.match_indices(LISTS) {
            let list = &source[at + LISTS.len()..];
            keys.extend(literals(list, ';').into_iter().map(ToOwned::to_owned));
        }
    }
    keys
}

/// Everything that stands in backticks in the guide.
fn told() -> BTreeSet<String> {
    let guide = pages().into_iter().filter(|page| page.starts_with("docs"));
    let words: Vec<String> = guide.flat_map(|page| marked(&text(&page))).collect();
    // `[role.NAME]` tells of `role`, `STENTOR_LOG=debug` of `STENTOR_LOG`.
    let firsts = words.iter().filter_map(|word| word.split(['.', '=']).next()).map(ToOwned::to_owned);
    words.iter().cloned().chain(firsts).collect()
}

fn marked(page: &str) -> Vec<String> {
    let lines = page.lines().filter(|line| !line.trim_start().starts_with("```"));
    let words = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    words.map(|word| word.trim_matches(['[', ']']).to_owned()).collect()
}

fn untold(known: &BTreeSet<String>, told: &BTreeSet<String>) -> Vec<String> {
    known.difference(told).cloned().collect()
}

#[test]
fn every_key_of_matrix_and_scenario_is_described() {
    let keys = keys();
    for sample in ["kind", "validity", "arguments", "engaged_by", "proxies", "inject", "percent", "mail_in", "what"] {
        assert!(keys.contains(sample), "the readers' keys are not found any more: {sample} is missing");
    }
    let untold = untold(&keys, &told());
    assert!(untold.is_empty(), "keys that no page of docs/src describes: {untold:?}");
}

#[test]
fn every_key_in_a_table_of_the_reference_is_one() {
    let keys = keys();
    let wanted = |page: &Path| {
        page.ends_with("matrix.md") || page.ends_with("scenarios.md") || page.starts_with("docs/src/channels")
    };
    for page in pages().into_iter().filter(|page| wanted(page)) {
        let text = text(&page);
        let mut in_keys = false;
        for line in text.lines() {
            in_keys = line.starts_with("| key ") || (in_keys && line.starts_with('|'));
            if in_keys && line.starts_with("| `") {
                let first = line.trim_start_matches('|').split('|').next().unwrap_or_default();
                for key in marked(first) {
                    assert!(keys.contains(&key), "{}: no reader knows the key `{key}`", page.display());
                }
            }
        }
    }
}

#[test]
fn every_kind_of_channel_has_a_page() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("matrix")).unwrap();
    std::fs::write(dir.path().join("matrix/m.toml"), "[channel.x]\nkind = \"0123456789\"\n").unwrap();
    // `check` lists what it knows.
    let output = common::binary(dir.path()).args(["check", "--json"]).output().unwrap();
    let faults: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let helps = faults.as_array().into_iter().flatten().filter_map(|fault| fault["help"].as_str());
    let kinds = helps.filter(|help| help.contains("`screen`")).flat_map(marked).collect::<BTreeSet<String>>();
    assert!(10 < kinds.len(), "`check` lists the kinds of channel no more: {faults}");
    for kind in kinds {
        let page = format!("docs/src/channels/{kind}.md");
        assert!(common::root().join(&page).is_file(), "the kind of channel {kind} has no {page}");
    }
}

#[test]
fn every_route_is_described_and_no_other() {
    let mut routes = BTreeSet::new();
    // A demo's own pages are no routes of the daemon.
    let demo = common::root().join("src/cli/demo");
    for (_, source) in sources().into_iter().filter(|(file, _)| !file.starts_with(&demo)) {
        for (at, _) in source.match_indices(".route(") {
            routes.extend(literals(&source[at..], ')').into_iter().take(1).map(ToOwned::to_owned));
        }
    }
    assert!(20 < routes.len(), "the routes are not found any more: {routes:?}");
    let page = text(Path::new("docs/src/api.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeSet<String> = rows
        .filter_map(|row| marked(row).into_iter().next())
        .filter_map(|route| route.split_once(' ').map(|(_, path)| path.to_owned()))
        .collect();
    assert_eq!(untold(&routes, &told), Vec::<String>::new(), "routes that docs/src/api.md does not describe");
    assert_eq!(untold(&told, &routes), Vec::<String>::new(), "routes in docs/src/api.md that do not exist");
}

fn help(words: &[String]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = common::binary(dir.path()).args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{words:?} --help");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command with its options, as `report tte` and `report tte --since`.
fn commands(words: &[String], found: &mut BTreeSet<String>) {
    let help = help(words);
    let name = words.join(" ");
    for line in help.lines().map(str::trim_start) {
        if line.starts_with('-')
            && let Some(option) = line.split_whitespace().find(|word| word.starts_with("--"))
        {
            found.insert(format!("{name} {option}").trim().to_owned());
        }
    }
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let names = listed.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("    "));
    for inner in names.filter_map(|line| line.split_whitespace().next()).filter(|inner| *inner != "help") {
        let words = [words, &[inner.to_owned()]].concat();
        found.insert(words.join(" "));
        commands(&words, found);
    }
}

/// Options of every command.
const COMMON: [&str; 6] = ["--matrix", "--templates", "--state", "--socket", "--help", "--version"];

#[test]
fn every_command_and_option_is_described() {
    let mut known = BTreeSet::new();
    commands(&[], &mut known);
    let page = text(Path::new("docs/src/cli.md"));
    // A section is headed by its commands; options count in the section of their command.
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut heads: Vec<String> = Vec::new();
    for line in page.lines() {
        if line.starts_with('#') {
            heads = marked(line).iter().map(|head| head.trim_start_matches("stentor").trim().to_owned()).collect();
            told.extend(heads.iter().cloned());
        }
        for option in marked(line).iter().filter_map(|word| word.split([' ', ',']).find(|word| word.starts_with("--")))
        {
            told.extend(heads.iter().map(|head| format!("{head} {option}")));
        }
    }
    let missing: Vec<String> = known
        .into_iter()
        .filter(|entry| !told.contains(entry))
        .filter(|entry| !COMMON.iter().any(|option| entry.ends_with(option)))
        .collect();
    assert!(missing.is_empty(), "docs/src/cli.md does not describe: {missing:#?}");
    for option in COMMON {
        assert!(page.contains(option), "docs/src/cli.md does not describe {option}");
    }
}

#[test]
fn every_metric_and_every_setting_of_the_environment_is_described() {
    let told = told();
    let names = |mark: &str| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, source) in sources() {
            for word in source.split('"').skip(1).step_by(2).filter(|word| word.starts_with(mark)) {
                if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    found.insert(word.to_owned());
                }
            }
        }
        found
    };
    let metrics = sources().into_iter().flat_map(|(_, source)| {
        let calls = [".register(", ".register_with_unit("].map(|call| source.split(call).skip(1));
        let names =
            calls.into_iter().flatten().filter_map(|rest| literals(rest, ')').first().map(|name| (*name).to_owned()));
        names.collect::<Vec<_>>()
    });
    let metrics: BTreeSet<String> = metrics.collect();
    assert!(10 < metrics.len(), "metrics are not found any more");
    for metric in metrics {
        let is_told = ["", "_total", "_seconds"].iter().any(|end| told.contains(&format!("stentor_{metric}{end}")));
        assert!(is_told, "no page of docs/src describes the metric stentor_{metric}");
    }
    let settings = names("STENTOR_");
    assert!(settings.contains("STENTOR_MATRIX"), "settings of the environment are not found any more");
    assert_eq!(untold(&settings, &told), Vec::<String>::new(), "settings that no page of docs/src describes");
}
