//! The demo of a bank's chatbot, and the matrix that it plays with.

use crate::common::{binary, root};

#[test]
fn the_demo_plays_itself_and_only_true_things_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let output = binary(dir.path()).args(["demo", "bank"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("NOT TRUE") && said.matches("true: ").count() == 28, "{said}");
    for line in [
        "a sure turn starts the count anew",
        "Ines Weiss, adviser, has your conversation",
        "Dana Ruiz is here.",
        "Nobody could take your conversation now",
        "Nobody is free before 10:00 on",
        "the desk says that the user left",
        "consistent in itself",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // The daemon's word of an estimate is there once, where it was measured.
    let estimates = said.matches("usually takes").count() + said.matches("Most people wait").count();
    assert_eq!(estimates, 1, "{said}");
}

#[test]
fn its_matrix_has_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let matrix = root().join("examples/bank");
    let output = binary(dir.path()).env("STENTOR_MATRIX", matrix).arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(" 0 warning(s)"), "{said}");
}
