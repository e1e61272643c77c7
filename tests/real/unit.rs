//! The unit file, as systemd itself reads it.

use crate::{
    common,
    parts::{self, Part},
};

#[test]
fn systemd_finds_nothing_to_say_about_the_unit_and_little_that_is_exposed() {
    let unit = common::root().join("systemd/stentor.service");
    if !unit.exists() || parts::missing(&[Part("systemd-analyze", "systemd")]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // The file is checked with a program that is there: `verify` looks for it.
    let text = std::fs::read_to_string(&unit).unwrap().replace("/usr/local/bin/stentor", env!("CARGO_BIN_EXE_stentor"));
    let copy = dir.path().join("stentor.service");
    std::fs::write(&copy, text.replace("/usr/bin/stentor", env!("CARGO_BIN_EXE_stentor"))).unwrap();
    for arguments in [&["verify", "--man=no"][..], &["security", "--offline=true", "--threshold=15"]] {
        let output = parts::command("systemd-analyze").args(arguments).arg(&copy).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
        // `verify` ends well even where it complains.
        assert!(arguments[0] != "verify" || said.is_empty(), "{said}");
    }
}
