//! The code blocks of a page, with what the page says about running them.
//!
//! | block | what the test does |
//! |---|---|
//! | `sh` | runs it with `sh -eu` in the page's folder; it must exit with 0 |
//! | `console` | runs each line after `$ ` and compares its output; `…` stands for anything in a line, a line of `…` for any lines |
//! | `toml` | a part of a matrix: merged with the matrix that ships and checked. With keys of a scenario: the same for a scenario |
//! | `json` | parses it |
//! | any other | must be marked as not run |
//!
//! Comments directly above a block change that: `<!-- not run: REASON -->`, `<!-- whole -->` (checked alone),
//! `<!-- file: PATH -->` (written into the page's folder, for the blocks after it), `<!-- background -->` (left running: a
//! daemon), `<!-- exit: N M -->` (the statuses that are right). `<!-- daemon -->` anywhere on a page gives it a sandboxed daemon with the matrix that ships,
//! `<!-- matrix -->` only that matrix, `<!-- before: COMMAND -->` is run before the first block. `127.0.0.1:7373` and `unix = "ana"` stand for the daemon's address and the login of
//! the user who runs the test; `stentor simulate` plays few runs.

/// What to do with a block.
#[derive(Debug, PartialEq, Eq)]
pub enum Mark {
    NotRun,
    Whole,
    File(String),
    Background,
    Exit(Vec<i32>),
}

/// One fenced block.
#[derive(Debug)]
pub struct Block {
    pub line: usize,
    pub language: String,
    pub text: String,
    pub marks: Vec<Mark>,
}

/// Every fenced block of a page, or what is wrong with its marks.
pub fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let (mut blocks, mut marks) = (Vec::new(), Vec::new());
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let bare = line.trim_start();
        if let Some(comment) = bare.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
            marks.extend(mark(comment.trim()).map_err(|why| format!("line {number}: {why}"))?);
            continue;
        }
        let Some(language) = bare.strip_prefix("```") else {
            if !bare.is_empty() && !marks.is_empty() {
                return Err(format!("line {number}: a mark stands above something that is no code block"));
            }
            continue;
        };
        let indent = line.len() - bare.len();
        let mut text = String::new();
        for (line, _) in lines.by_ref().take_while(|(line, _)| line.trim() != "```") {
            text.push_str(line.get(indent..).unwrap_or_default());
            text.push('\n');
        }
        let language = language.split_whitespace().next().unwrap_or_default().to_owned();
        blocks.push(Block { line: number, language, text, marks: std::mem::take(&mut marks) });
    }
    Ok(blocks)
}

fn mark(comment: &str) -> Result<Option<Mark>, String> {
    let (name, value) = comment.split_once(':').map_or((comment, ""), |(name, value)| (name, value.trim()));
    Ok(Some(match (name, value) {
        ("not run", "") => return Err("say why it is not run: <!-- not run: REASON -->".into()),
        ("not run", _) => Mark::NotRun,
        ("whole", "") => Mark::Whole,
        ("background", "") => Mark::Background,
        ("file", path) if !path.is_empty() => Mark::File(path.into()),
        ("exit", statuses) => {
            let parsed: Result<_, _> = statuses.split_whitespace().map(str::parse).collect();
            Mark::Exit(parsed.map_err(|_| "<!-- exit: N --> wants numbers")?)
        }
        ("daemon" | "matrix", "") | ("before", _) => return Ok(None),
        _ => return Err(format!("there is no mark {comment:?}")),
    }))
}

/// Whether a command's output is what a `console` block shows.
pub fn looks_like(shown: &[&str], output: &[&str]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((first, rest)) if first.trim() == "…" => (0..=output.len()).any(|cut| looks_like(rest, &output[cut..])),
        Some((first, rest)) => {
            output.first().is_some_and(|line| line_like(first, line)) && looks_like(rest, &output[1..])
        }
    }
}

fn line_like(shown: &str, line: &str) -> bool {
    let mut parts = shown.trim_end().split('…');
    let Some(mut rest) = line.trim_end().strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn output_is_compared_line_by_line() {
    assert!(looks_like(&["a … c", "…", "z"], &["a b c", "x", "y", "z"]));
    assert!(looks_like(&["…"], &[]));
    assert!(!looks_like(&["a"], &["a b"]));
    assert!(!looks_like(&["a…b"], &["ab c"]));
}
