//! The format of an export is enough for others: a verifier in Python that knows nothing but its documentation.

use super::common::root;
use crate::past::Past;
use std::process::Command;
use stentor::{core::event::text_hash, journal};

/// What Python says of an export, with anchors that were kept elsewhere.
fn judged(export: &str, kept: &str) -> Option<(Option<i32>, String)> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("export", export), ("kept", kept)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let script = root().join("examples/python/verify_journal.py");
    match Command::new("python3").arg(script).args(["export", "kept"]).current_dir(dir.path()).output() {
        Ok(output) => Some((output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())),
        Err(_) => {
            println!("SKIPPED: there is no python3");
            None
        }
    }
}

/// Lines with the letters of many scripts, and a text.
async fn exported() -> String {
    let past = Past::in_memory();
    let id = past.open(crate::past::measured_plan(), false).await;
    super::tampered::shown(&*past.store, id).await;
    past.accept(id, None).await;
    past.store.anchor().await.unwrap();
    past.resolve(id, None).await;
    past.store.anchor().await.unwrap();
    let lines = past.store.lines(None, 0, usize::MAX).await.unwrap();
    let texts = past.store.texts(0, usize::MAX).await.unwrap();
    let mut file = Vec::new();
    journal::export(lines, &mut file).unwrap();
    journal::export_texts(texts.into_iter().map(|(_, text)| text), &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

#[tokio::test]
async fn python_verifies_an_export_and_finds_each_tampering() {
    let whole = exported().await;
    let Some((status, said)) = judged(&whole, &whole) else { return };
    assert!(status == Some(0) && said.contains("1 text(s): 0 fault(s)"), "{said}");
    let lines: Vec<&str> = whole.lines().collect();
    let without = |gone: usize| {
        let left: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect();
        left.join("\n")
    };
    let name = text_hash("LIVE: call Jane");
    let tampered = [
        (whole.replacen("ana", "bob", 1), "altered"),
        (without(1), "line 2 should come here"),
        (whole.replace("call Jane", "call John"), "edited"),
        (
            without(lines.len() - 1) + "\n" + &lines[lines.len() - 1].replace(&name, &"0".repeat(32)),
            "missing, named by",
        ),
        (lines[..lines.len() - 3].join("\n"), "not the one that was kept"),
    ];
    for (export, word) in tampered {
        assert_ne!(export, whole);
        let (status, said) = judged(&export, &whole).unwrap();
        assert!(status == Some(1) && said.contains(word), "wanted {word:?}: {said}");
        // The program says the same of its own format.
        let items: Vec<_> = journal::read_export(export.as_bytes()).map(Result::unwrap).collect();
        let mut verifier = journal::JournalVerifier::new(super::kept::read(&whole));
        let mut texts = journal::TextCheck::default();
        for item in &items {
            match item {
                journal::ExportedItem::Line(line) => {
                    verifier.line(line);
                    texts.line(line);
                }
                journal::ExportedItem::Text(text) => texts.text(text),
            }
        }
        assert!(!verifier.finish().is_sound() || !texts.finish().is_empty(), "{word}");
    }
}

/// What broke an export before: a tool that reads each line and writes it again in its own way.
#[tokio::test]
async fn an_export_survives_the_tools_of_others() {
    let whole = exported().await;
    let again =
        "import json,sys\nfor line in sys.stdin: print(json.dumps(json.loads(line), sort_keys=True, indent=None))";
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("in"), &whole).unwrap();
    let file = std::fs::File::open(dir.path().join("in")).unwrap();
    let Ok(output) = Command::new("python3").args(["-c", again]).stdin(file).output() else {
        println!("SKIPPED: there is no python3");
        return;
    };
    let rewritten = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && rewritten != whole);
    let lines = |text: &str| journal::read_export(text.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(lines(&rewritten), lines(&whole));
    assert_eq!(judged(&rewritten, &whole).unwrap().0, Some(0));
}
