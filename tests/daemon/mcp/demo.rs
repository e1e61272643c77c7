//! The demo of an agent, and the matrix that it plays with.

use crate::common::{binary, root};

#[test]
fn the_demo_plays_itself_and_every_outcome_is_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let output = binary(dir.path()).args(["demo", "agent"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("its receipt: signed, and says the same").count(), 3, "{said}");
    for line in ["decided deny by dana", "decided approve by marco and ines", "defaulted deny", "consistent in itself"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn its_matrix_has_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let matrix = root().join("examples/agent");
    let output = binary(dir.path()).env("STENTOR_MATRIX", matrix).arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(" 0 warning(s)"), "{said}");
}
