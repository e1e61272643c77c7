//! A value that stands in place of a table: the fault says how the table is written, with that value.

use super::faults::BASE;
use super::*;

#[test]
fn a_value_in_place_of_a_table_is_told_how_the_table_is_written() {
    for (from, to, written) in [
        ("[daemon]", "[daemon]\nping = \"https://p.example/1\"", "ping = { url = \"https://p.example/1\" }"),
        ("[daemon]", "[daemon]\nping = 60", "ping = { url = \"https://deadman.example/1f6c\" }"),
        ("[daemon]", "[daemon]\nanchors = \"/a.jsonl\"", "anchors = { file = \"/a.jsonl\" }"),
        (
            "[daemon]",
            "[daemon]\nanchors = { webhook = \"https://a.example\" }",
            "webhook = { url = \"https://a.example\", keys",
        ),
        (
            "target = { within = \"60s\", percent = 90 }",
            "target = \"90s\"",
            "target = { within = \"90s\", percent = 90 }",
        ),
        (
            "on = [\"price_velocity\"]",
            "on = [\"price_velocity\"]\nthreshold = 3",
            "threshold = { count = 2, within = \"10s\" }",
        ),
        ("on = [\"price_velocity\"]", "on = [\"price_velocity\"]\nactions = [\"HALT\"]", "{ text = \"HALT\" }"),
    ] {
        assert!(BASE.contains(from), "{from}");
        let faults = parse(&[file("m.toml", &BASE.replacen(from, to, 1))]).diagnostics;
        let fault =
            faults.iter().find(|fault| fault.code == "wrong-type").unwrap_or_else(|| panic!("{to}: {faults:?}"));
        assert!(format!("{fault:?}").contains(&written.replace('"', "\\\"")), "{to}: {fault:?}");
    }
}
