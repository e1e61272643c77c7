//! Words of others in the log and on the terminal: they begin no line of their own, and customers' are not in the log.

use super::{command::MATRIX, common::Setup, untouched::said};

const FORGED: &str = "2026-11-29T00:00:00Z  INFO everything is fine";

#[test]
fn a_summary_with_line_breaks_forges_neither_log_nor_table_and_stays_out_of_the_log() {
    let daemon = Setup::new(MATRIX).start();
    let summary = format!("customer Jane Doe\r\n{FORGED}\n\u{1b}[2J");
    let fire = ["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", "symbol=Acme Ltd", "--summary"];
    daemon.json(&[&fire[..], &[summary.as_str()]].concat());
    // A kind that no trigger knows is warned of, without its words.
    daemon.cli(&["fire", "order of Richard Roe"]);
    for arguments in [vec!["incidents"], vec!["show", "INC-1"]] {
        let shown = said(&daemon.cli(&arguments));
        assert!(shown.contains("Jane Doe\\r\\n") && !shown.contains('\u{1b}'), "{arguments:?}: {shown}");
        assert!(!shown.lines().any(|line| line.trim_start().starts_with(FORGED)), "{arguments:?}: {shown}");
    }
    let forged_note = format!("it was nothing\n{FORGED}");
    assert!(daemon.cli(&["resolve", "INC-1", "--outcome", "false", "--note", &forged_note]).status.success());
    let log =
        crate::house::eventually("the end", || Some(daemon.log()).filter(|log| log.contains("what it was: false")));
    assert!(log.contains("LIVE incident opened by trigger flash-crash"), "{log}");
    for word in ["Jane Doe", "it was nothing", FORGED, "Acme Ltd", "Richard Roe"] {
        assert!(!log.contains(word), "{word:?} is in the log: {log}");
    }
    // The journal has every word.
    let journal = said(&daemon.cli(&["journal", "export"]));
    assert!(journal.contains("Jane Doe") && journal.contains("it was nothing"), "{journal}");
}

#[test]
fn at_debug_the_log_has_the_words_on_one_line() {
    let daemon = Setup::new(MATRIX).env("STENTOR_LOG", "debug").start();
    let summary = format!("customer Jane Doe\n{FORGED}");
    let fire = ["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", "symbol=A", "--summary"];
    daemon.json(&[&fire[..], &[summary.as_str()]].concat());
    let log = crate::house::eventually("the words", || Some(daemon.log()).filter(|log| log.contains("Jane Doe")));
    assert!(log.contains(&format!("Jane Doe\\n{FORGED}")), "{log}");
    assert!(!log.lines().any(|line| line.starts_with(FORGED)), "{log}");
}
