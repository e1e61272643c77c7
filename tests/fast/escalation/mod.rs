//! What the core decides, told as stories: a plan, what happens to it, and the timeline that comes of it.
//!
//! Each `tests/escalation/NAME.txt` is a plan in TOML, a line of dashes, and lines such as `at 10s ana says roger`; the
//! timeline beside it in `NAME.snap` is what a desk head would read. Every step is folded again from its events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::fixture;
mod large;
mod random;
mod repeats;
mod script;
mod waits;

use std::path::Path;

#[test]
fn every_story_ends_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fast/escalation");
    let mut stories: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    stories.sort();
    assert!(54 <= stories.len(), "stories are missing");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for story in stories {
            let name = story.file_stem().unwrap().to_string_lossy().into_owned();
            let told = script::play(&std::fs::read_to_string(&story).unwrap());
            insta::assert_snapshot!(name, told);
        }
    });
}
