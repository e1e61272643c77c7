//! Copies of anchors: every form that they come in, and what they show that the journal alone can not.

use super::{exported, some_lines};
use proptest::prelude::*;
use std::collections::BTreeSet;
use stentor::{
    core::{StoredLine, event::hex},
    journal::{self, JournalFaultKind, KeptAnchor, KeptAnchors, VerifyConclusion},
};

/// Reads one file.
pub fn read(text: &str) -> KeptAnchors {
    let mut kept = KeptAnchors::default();
    kept.read(text.as_bytes()).expect("text can be read");
    kept
}

fn hash(of: u64) -> [u8; 32] {
    let mut hash = [0xa0; 32];
    hash[..8].copy_from_slice(&of.to_be_bytes());
    hash
}

fn of(anchors: &[(u64, u64)]) -> KeptAnchors {
    anchors.iter().map(|(seq, of)| KeptAnchor { seq: *seq, hash: hash(*of) }).collect()
}

/// One anchor in every form in which it is kept.
fn forms(seq: u64, hash: &str) -> Vec<String> {
    let json = format!(
        "{{\"timestamp\":\"2026-11-23T09:00:00.000001Z\",\"level\":\"INFO\",\"message\":\"journal anchored\",\
         \"journal.anchor.seq\":{seq},\"journal.anchor.hash\":\"{hash}\"}}"
    );
    let text = format!(
        "2026-11-23T09:00:00.000001Z  INFO journal anchored journal.anchor.seq={seq} journal.anchor.hash=\"{hash}\""
    );
    let coloured = format!(
        "\u{1b}[2m2026-11-23T09:00:00.000001Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m journal anchored \
         \u{1b}[3mjournal.anchor.seq\u{1b}[0m\u{1b}[2m=\u{1b}[0m{seq} \
         \u{1b}[3mjournal.anchor.hash\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"{hash}\""
    );
    let journald = serde_json::json!({ "MESSAGE": text, "_PID": "7" }).to_string();
    let docker = serde_json::json!({ "log": format!("{json}\n"), "stream": "stderr" }).to_string();
    let fields =
        serde_json::json!({ "fields": { "journal.anchor.seq": seq, "journal.anchor.hash": hash } }).to_string();
    vec![
        format!("{{\"seq\":{seq},\"hash\":\"{hash}\"}}"),
        format!("Nov 23 09:00:00 desk stentor[7]: {json}"),
        format!("Nov 23 09:00:00 desk stentor[7]: {text}"),
        format!("{text}\r"),
        json,
        text,
        coloured,
        journald,
        docker,
        fields,
    ]
}

#[test]
fn an_anchor_is_read_in_every_form_that_it_is_kept_in() {
    for form in forms(7, &hex(&hash(7))) {
        assert_eq!(read(&form), of(&[(7, 7)]), "{form}");
        let torn = form.trim_end().len() - 40;
        let cut = read(&form[..torn]);
        assert!(cut.is_empty(), "a line that was cut is no anchor: {cut:?}");
    }
}

#[test]
fn what_others_write_into_a_log_is_no_anchor() {
    let hash = hex(&hash(7));
    let said = format!("INFO journal anchored journal.anchor.seq=7 journal.anchor.hash=\"{hash}\"");
    let object = format!("{{\"journal.anchor.seq\":7,\"journal.anchor.hash\":\"{hash}\"}}");
    for other in [
        String::new(),
        "anchored".into(),
        "{\"level\":\"INFO\",\"message\":\"listening\"}".into(),
        format!("{{\"chain\":\"INC-1\",\"seq\":7,\"hash\":\"{hash}\"}}"),
        format!("2026-11-23T09:00:00Z  INFO opened flash-crash: {said} incident.id=INC-1"),
        format!("2026-11-23T09:00:00Z  WARN a channel refused: {said}"),
        format!("2026-11-23T09:00:00Z  INFO opened flash-crash: {object}"),
        format!("2026-11-23T09:00:00Z  INFO opened flash-crash: {object} incident.id=INC-1"),
        serde_json::json!({ "level": "INFO", "message": said }).to_string(),
        serde_json::json!({ "level": "INFO", "message": object }).to_string(),
        serde_json::json!({ "level": "INFO", "seq": 7, "hash": "abc" }).to_string(),
    ] {
        assert!(read(&other).is_empty(), "{other}");
    }
}

#[test]
fn an_anchor_that_is_not_whole_is_counted_and_proves_nothing() {
    let whole = hex(&hash(7));
    for torn in [
        "{\"message\":\"journal anchored\",\"journal.anchor.seq\":7}".to_owned(),
        "{\"message\":\"journal anchored\",\"journal.anchor.seq\":7,\"journal.anchor.hash\":\"abc\"}".into(),
        "{\"message\":\"journal anchored\",\"journal.anchor.seq\":7,\"journal.anch".into(),
        format!("{{\"journal.anchor.seq\":\"seven\",\"journal.anchor.hash\":\"{whole}\"}}"),
        format!("{{\"chain\":\"anchors\",\"seq\":7,\"hash\":\"{}\"}}", &whole[..60]),
        "2026-11-23T09:00:00Z  INFO journal anchored journal.anchor.seq=7 journal.anch".into(),
        format!(
            "2026-11-23T09:00:00Z  INFO journal anchored journal.anchor.seq=7 journal.anchor.hash=\"zz{}\"",
            &whole[2..]
        ),
        format!("2026-11-23T09:00:00Z  INFO journal anchored journal.anchor.seq=7 journal.anchor.hash={whole}ab"),
        format!("{{\"seq\":7,\"hash\":\"zz{}\"}}", &whole[2..]),
        format!("{{\"seq\":7,\"hash\":\"{}\"}}", &whole[1..]),
        format!(
            "2026-11-23T09:00:00Z  INFO journal anchored journal.anchor.seq=7 journal.anchor.hash=\"{}",
            &whole[..60]
        ),
    ] {
        let kept = read(&torn);
        assert!(kept.is_empty() && kept.torn() == 1, "{torn}: {kept:?}");
    }
}

proptest! {
    /// Whatever else is in the files, however they are split and repeated: these anchors and no others.
    #[test]
    fn any_files_give_the_anchors_that_are_in_them(
        seqs in prop::collection::btree_set(1_u64..1000, 0..20),
        form in prop::collection::vec(0_usize..10, 20),
        noise in prop::collection::vec("[^\n]{0,60}", 0..20),
        split in 0_usize..20,
        again in any::<bool>(),
    ) {
        prop_assume!(noise.iter().all(|line| read(line).is_empty()));
        let mut lines: Vec<String> = Vec::new();
        for (n, seq) in seqs.iter().enumerate() {
            lines.extend(noise.get(n).cloned());
            lines.push(forms(*seq, &hex(&hash(*seq)))[form[n]].clone());
        }
        let (first, second) = lines.split_at(split.min(lines.len()));
        let mut kept = KeptAnchors::default();
        // A log that was rotated, its parts in either order, one of them perhaps twice.
        for part in [second, first].into_iter().chain(again.then_some(first)) {
            kept.read(part.join("\n").as_bytes()).unwrap();
        }
        let all: Vec<(u64, u64)> = seqs.iter().map(|seq| (*seq, *seq)).collect();
        prop_assert_eq!(kept.gaps(), of(&all).gaps());
        prop_assert_eq!(kept, of(&all));
    }

    /// Bytes that nobody wrote on purpose are read to their end.
    #[test]
    fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut kept = KeptAnchors::default();
        let whole = format!("\n{}\n", forms(3, &hex(&hash(3)))[0]);
        kept.read([&bytes, whole.as_bytes()].concat().as_slice()).unwrap();
        prop_assert!(!kept.is_empty());
    }

    /// Two hashes for one number are found, in one file or in several.
    #[test]
    fn two_hashes_for_one_number_are_always_a_fault(count in 1_u64..8, twice in 0_u64..8, apart in any::<bool>(), at in 0_usize..9) {
        let twice = 1 + twice % count;
        let line = |seq: u64, of: u64| forms(seq, &hex(&hash(of)))[4].clone();
        let mut lines: Vec<String> = (1..=count).map(|seq| line(seq, seq)).collect();
        let other = line(twice, 99);
        let mut kept = KeptAnchors::default();
        if apart {
            kept.read(other.as_bytes()).unwrap();
        } else {
            lines.insert(at.min(lines.len()), other);
        }
        kept.read(lines.join("\n").as_bytes()).unwrap();
        let report = journal::verify([], kept);
        let found: BTreeSet<u64> =
            report.faults.iter().filter(|fault| fault.what == JournalFaultKind::KeptTwice).map(|fault| fault.seq).collect();
        prop_assert_eq!(found, BTreeSet::from([twice]));
    }
}

fn wrongs(kept: KeptAnchors, lines: &[StoredLine]) -> Vec<(u64, JournalFaultKind)> {
    let report = journal::verify(lines.to_vec(), kept);
    report.faults.into_iter().map(|fault| (fault.seq, fault.what)).collect()
}

#[test]
fn the_copies_are_held_against_each_other() {
    let wrong = |anchors: &[(u64, u64)]| -> Vec<(u64, JournalFaultKind)> {
        let missing = |wrong: &(u64, JournalFaultKind)| matches!(wrong.1, JournalFaultKind::KeptCutOff { last: 0 });
        wrongs(of(anchors), &[]).into_iter().filter(|wrong| !missing(wrong)).collect()
    };
    assert_eq!(wrong(&[(1, 1), (2, 2), (2, 2), (3, 3)]), [], "repeated");
    assert_eq!(wrong(&[(1, 1), (2, 2), (3, 3), (2, 2), (3, 3), (4, 4)]), [], "a part of a log twice");
    assert_eq!(wrong(&[(1, 1), (2, 2), (2, 9)]), [(2, JournalFaultKind::KeptTwice)]);
    assert_eq!(wrong(&[(4, 4), (3, 3)]), [(3, JournalFaultKind::KeptBackwards { after: 4 })]);
    assert_eq!(wrong(&[(1, 1), (5, 5), (9, 9)]), [], "gaps are no fault");
    assert_eq!(of(&[(1, 1), (5, 5), (7, 7), (8, 8)]).gaps(), [2..=4, 6..=6]);
}

/// What a daemon writes whose journal was set back to its first anchor, and that went on: the rest is another history.
async fn set_back() -> (Vec<StoredLine>, Vec<StoredLine>) {
    let first = some_lines().await;
    let second = super::lines_of(&["A \u{1f4c9}", "C"]).await;
    assert_eq!(first[0].hash, second[0].hash, "the same beginning");
    (first, second)
}

#[tokio::test]
async fn a_journal_that_was_set_back_and_written_on_is_found_by_a_log_that_names_both_histories() {
    let (first, second) = set_back().await;
    let log = |lines: &[StoredLine]| -> Vec<String> {
        let anchors = lines.iter().filter(|line| line.chain == "anchors");
        anchors.map(|line| forms(line.seq, &hex(&line.hash))[5].clone()).collect()
    };
    let both = [log(&first), log(&second)[1..].to_vec()].concat().join("\n");
    for lines in [&first, &second] {
        let alone = journal::verify(lines.to_vec(), read(&log(lines).join("\n")));
        assert_eq!((alone.conclusion(), alone.proven_to), (VerifyConclusion::WholeUpToAnchor, Some(2)), "{alone:?}");
        let report = journal::verify(lines.to_vec(), read(&both));
        assert_eq!(report.conclusion(), VerifyConclusion::NotSound);
        assert_eq!(report.proven_to, Some(1), "up to where the two agree");
        assert_eq!(wrongs(read(&both), lines), [(2, JournalFaultKind::KeptTwice)]);
    }
}

#[tokio::test]
async fn a_copy_that_is_not_the_journals_is_found_whatever_is_wrong_with_it() {
    let lines = some_lines().await;
    let file = exported(&lines);
    assert_eq!(wrongs(read(&file), &lines), []);
    let other = hex(&hash(9));
    let second = hex(&lines.last().unwrap().hash);
    assert_eq!(
        wrongs(read(&file.replace(&second, &other)), &lines),
        [(2, JournalFaultKind::KeptAltered), (2, JournalFaultKind::NotAsKept)]
    );
    assert_eq!(wrongs(of(&[(2, 9)]), &lines), [(2, JournalFaultKind::NotAsKept)]);
    assert_eq!(wrongs(of(&[(3, 9)]), &lines), [(3, JournalFaultKind::KeptCutOff { last: 2 })]);
    // The copy has its hash and other heads: the export's body was altered, with and without the anchor before it.
    let last = file.lines().last().unwrap();
    let heads = last.replace("INC-2", "INC-3");
    assert_ne!(last, heads);
    assert_eq!(wrongs(read(&heads), &lines), [(2, JournalFaultKind::KeptAltered)]);
    assert_eq!(wrongs(read(&file.replace(last, &heads)), &lines), [(2, JournalFaultKind::KeptAltered)]);
    // Of a journal whose own first anchor is gone.
    let cut: Vec<StoredLine> = lines.iter().filter(|line| line.chain != "anchors" || line.seq != 1).cloned().collect();
    assert!(wrongs(read(&file), &cut).contains(&(1, JournalFaultKind::KeptMissing)));
}

#[tokio::test]
async fn what_an_anchor_names_and_the_journal_has_not_is_not_proven_by_later_ones() {
    let lines = some_lines().await;
    let kept = || read(&exported(&lines));
    // The last line of a chain: no gap shows, only the anchor misses it, and the check learns so at the end.
    let last = lines.iter().rposition(|line| line.chain == "INC-1").unwrap();
    let cut: Vec<StoredLine> = [&lines[..last], &lines[last + 1..]].concat();
    let report = journal::verify(cut.clone(), kept());
    assert_eq!(
        report.faults.iter().map(|fault| fault.what.clone()).collect::<Vec<_>>(),
        [JournalFaultKind::Missing { anchor: 1 }]
    );
    assert_eq!((report.conclusion(), report.proven_to), (VerifyConclusion::NotSound, None));
    assert_eq!((report.unproven.lines, report.unproven.after), (cut.len() as u64, None));
}

#[tokio::test]
async fn lines_past_the_last_anchor_are_counted_and_what_can_not_be_seen_is_said() {
    let lines = some_lines().await;
    let at = |seq: u64| lines.iter().position(|line| line.chain == "anchors" && line.seq == seq).unwrap();
    let whole = journal::verify(lines.clone(), KeptAnchors::default());
    assert_eq!((whole.conclusion(), whole.unanchored.lines), (VerifyConclusion::WholeInItself, 0));
    assert!(whole.unseen()[0].contains("neither a cut at the end nor"));
    // Cut off before the second anchor: consistent in itself, but no anchor covers its end.
    let cut = journal::verify(lines[..at(2)].to_vec(), KeptAnchors::default());
    assert_eq!(cut.conclusion(), VerifyConclusion::WholeInItself);
    let left = (at(2) - at(1) - 1) as u64;
    assert_eq!((cut.unanchored.lines, cut.unanchored.after), (left, Some(1)));
    assert_eq!(
        cut.unanchored.to_string(),
        format!("{left} line(s) after anchor 1 (since 2026-11-23T09:00:00.000000Z)")
    );
    let none = journal::verify(lines[..at(1)].to_vec(), KeptAnchors::default());
    assert_eq!(none.unanchored.to_string(), format!("all {} line(s)", at(1)));
    // Proven is only what a kept anchor covers, whatever the journal's own say.
    let first = KeptAnchor { seq: 1, hash: lines[at(1)].hash };
    let report = journal::verify(lines.clone(), [first].into_iter().collect());
    assert_eq!((report.proven_to, report.unanchored.lines), (Some(1), 0));
    assert_eq!((report.unproven.lines, report.unproven.after), (left + 1, Some(1)));
}
