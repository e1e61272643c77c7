//! An incident with a long history is shown in part, and the part that is left out is counted and can be had.

use super::{super::house::sandboxed, common::Daemon};
use serde_json::Value;

fn lines(shown: &Value) -> &[Value] {
    shown["timeline"].as_array().unwrap()
}

fn text(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = daemon.cli(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn show_tells_how_many_lines_it_leaves_out_and_all_shows_them() {
    let daemon = sandboxed();
    let id = daemon.crash("ES");
    assert!(daemon.cli(&["resolve", &id]).status.success());
    let incident = daemon.until(&id, "nothing is queued", |incident| {
        incident["pages"].as_array().unwrap().iter().all(|page| page["state"] != "queued")
    });
    let whole = daemon.json(&["show", &id]);
    let count = lines(&whole).len();
    assert!(5 < count && whole["lines_before"] == 0, "{whole}");
    assert_eq!(daemon.json(&["show", &id, "--all"]), whole);

    let part = daemon.json(&["show", &id, "--last", "2"]);
    assert_eq!(lines(&part), &lines(&whole)[count - 2..]);
    assert_eq!(part["lines_before"], count - 2);
    let told = text(&daemon, &["show", &id, "--last", "2"]);
    let left_out = format!("{} earlier line(s) are not shown: stentor show {id} --all shows them", count - 2);
    let (_, timeline) = told.split_once("TIMELINE (UTC)\n").unwrap();
    assert!(timeline.contains(&left_out) && timeline.lines().count() == 3, "{told}");
    let (_, timeline) =
        text(&daemon, &["show", &id]).split_once("TIMELINE (UTC)\n").map(|(_, all)| ((), all.to_owned())).unwrap();
    assert!(!timeline.contains("earlier") && timeline.lines().count() == count, "{timeline}");

    let pages = incident["pages"].as_array().unwrap().len();
    let rest = daemon.incident(&format!("{id}?pages_after=2"));
    assert_eq!((&rest["pages"][0]["n"], rest["pages"].as_array().unwrap().len()), (&3.into(), pages - 2), "{rest}");
    assert_eq!(rest["pages_before"], 2);
}
