use super::*;
use proptest::prelude::*;
use stentor::core::Alert;

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_judged_and_never_panics(text in "(?s).{0,200}") {
        bounded(&[file("m.toml", &text)]);
    }

    #[test]
    fn a_shipped_matrix_with_a_piece_cut_out_or_put_in_never_panics(
        which in 0..4_usize, at in any::<prop::sample::Index>(), cut in 0..40_usize, put in "[\\[\\]{}'\"=a-z0-9.#\n\\\\é-]{0,8}",
    ) {
        let mut files = folder("matrix");
        let text = &mut files[which].text;
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.ceil_char_boundary((start + cut).min(text.len()));
        text.replace_range(start..end, &put);
        bounded(&files);
    }

    #[test]
    fn an_arbitrary_expression_never_panics(text in "[a-z.()\\[\\]{}<>=&|!?:+*/%0-9, \"'é-]{0,60}") {
        let literal = serde_json::Value::from(format!("alert.{text}")).to_string();
        bounded(&[file("m.toml", &format!("[trigger.t]\non = [\"k\"]\nwhen = {literal}\nsummary = {literal}\nroles = [\"r\"]\n"))]);
    }
}

/// Parses, renders, judges: none of it may panic, every place must lie in its file, and a refused matrix says why.
fn bounded(files: &[SourceText]) {
    let parsed = parse(files);
    let shown = render(&parsed.diagnostics, files, false);
    for diagnostic in &parsed.diagnostics {
        assert_ne!(diagnostic.code, "can-not-read", "the parser panicked");
        told(diagnostic, files);
    }
    match parsed.matrix {
        Some(matrix) => {
            matrix.judge(&Alert::new("s", "price_velocity"));
        }
        None => assert!(shown.contains("error"), "{shown}"),
    }
}
