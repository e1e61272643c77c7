//! The house: who may import whom, how large a room may be, what must not be written.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod imports;

use imports::ImportGraph;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use stentor::channel::{kind::ChannelKind, kinds::KINDS};

/// Which of our modules each room may see. `lib.rs` and `main.rs` see everything.
const MAY_SEE: [(&str, &[&str]); 20] = [
    ("core", &[]),
    ("text", &["core"]),
    // What people write in TOML is read by one kit, below those who know what it means.
    ("toml_kit", &["core"]),
    // The matrix reads the settings of channels by the readers in their folders; a channel never sees the matrix.
    ("matrix", &["core", "text", "toml_kit", "channel"]),
    ("template", &["core", "text"]),
    // A channel says in which form it shows texts.
    ("channel", &["core", "text", "toml_kit", "template"]),
    ("store", &["core"]),
    ("journal", &["core"]),
    ("receipt", &["core"]),
    ("config", &["core", "toml_kit"]),
    ("tls", &[]),
    ("engine", &["core", "text", "toml_kit", "matrix", "template", "channel", "store", "journal", "receipt", "config"]),
    ("report", &["core", "matrix", "template", "journal", "engine"]),
    // Drills play the core and the engine's own rules by the matrix.
    ("drill", &["core", "toml_kit", "matrix", "template", "journal", "engine", "store", "channel", "report"]),
    // Agents ask by whatever keeps the requests: the daemon that they call, or one that is called for them.
    ("mcp", &["core"]),
    // Set-ups of other tools become a matrix, which is read as any other.
    ("import", &["core", "matrix"]),
    // The API shows what the engine has: it sees the types that the engine's own API speaks in.
    ("http", &["core", "text", "drill", "engine", "channel", "matrix", "store", "template", "report", "mcp"]),
    (
        "cli",
        &[
            "core", "text", "drill", "engine", "channel", "matrix", "store", "template", "journal", "receipt",
            "config", "http", "report", "cli", "tls", "toml_kit", "mcp", "import",
        ],
    ),
    ("lib", &["*"]),
    ("main", &["*"]),
];

/// Lines that a file may have before it must be looked at again.
const LINES_MAX: usize = 400;

/// The same of a file of tests.
const TEST_LINES_MAX: usize = 600;

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What cargo-fuzz builds beside its targets where nobody says where.
        if path.ends_with("tests/fuzz/target") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    files(&root.join("src"), "rs").iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// `src/core/page.rs` is in `core`, `src/config.rs` in `config`.
fn room(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap();
    inside.split(['/', '.']).next().unwrap()
}

/// The modules of ours that a text names after `crate::`, in paths and in `use` trees.
fn named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + 7..];
        if let Some(tree) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in tree.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => word.clear(),
                    ':' if depth == 0 && !word.starts_with('\u{0}') && !word.trim().is_empty() => {
                        names.push(word.trim().to_owned());
                        word = String::from("\u{0}");
                    }
                    c if depth == 0 && !word.starts_with('\u{0}') => word.push(c),
                    _ => {}
                }
            }
        } else {
            names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

/// A file without its unit tests.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

#[test]
fn rooms_see_only_the_rooms_they_may_see() {
    let may_see: BTreeMap<&str, &[&str]> = MAY_SEE.into_iter().collect();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let room = room(&file);
        let allowed = may_see.get(room).unwrap_or_else(|| panic!("{room} has no rule"));
        for name in named(shipped(&text)) {
            let ours = may_see.contains_key(name.as_str());
            if ours && name != room && !allowed.contains(&name.as_str()) && !allowed.contains(&"*") {
                wrong.push(format!("{file} sees {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_rule_can_be_broken() {
    assert_eq!(named("use crate::{core::{A, b::C}, store::X};\ncrate::http::y()"), ["core", "store", "http"]);
}

#[test]
fn no_files_import_each_other() {
    let name = |members: &Vec<imports::Module>| {
        let names: Vec<String> = members.iter().map(|module| module.join("::")).collect();
        names.join(", ")
    };
    let graph = ImportGraph::of(&sources());
    // A folder counts as one here: what its files import is imported by it.
    let siblings: BTreeSet<String> = graph.loops_of_siblings().iter().map(name).collect();
    let files: Vec<String> = graph.loops().iter().map(name).collect();
    assert!(siblings.is_empty() && files.is_empty(), "give what both need a file of its own: {siblings:#?} {files:#?}");
}

#[test]
fn a_loop_between_siblings_is_found() {
    let files = [
        ("src/lib.rs", "pub mod a;\npub mod b;"),
        ("src/a/mod.rs", "mod x;\nmod y;\npub use x::X;"),
        ("src/a/x.rs", "use super::y;\nfn f() -> y::Y {}\nstruct X;"),
        (
            "src/a/y.rs",
            "//! [`crate::b::B`]\nuse crate::{a::{X as Z}, b::{self, B}};\nconst T: &str = \"crate::b::C\";\nstruct Y;",
        ),
        ("src/b.rs", "struct B;\n#[cfg(test)]\nmod tests { use crate::a::X; }"),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    let graph = ImportGraph::of(&files);
    let module = imports::module;
    assert_eq!(graph.loops_of_siblings(), [vec![module("src/a/x.rs"), module("src/a/y.rs")]]);
    assert_eq!(graph.loops(), graph.loops_of_siblings());
    let of_y = &graph.edges[&module("src/a/y.rs")];
    assert_eq!(of_y.iter().collect::<Vec<_>>(), [&module("src/a/x.rs"), &module("src/b.rs")]);
}

/// Where a kind of channel is named beside its folder, `channel/kinds.rs` and its `mod` line in `channel/mod.rs`. A new
/// kind needs nothing of this.
const KINDS_NAMED_BY: [(&str, &str, &str); 18] = [
    ("teams", "src/channel/http/", "a preset of `http`"),
    ("mattermost", "src/channel/http/", "a preset of `http`"),
    ("ntfy", "src/channel/http/", "a preset of `http`"),
    ("twilio", "src/channel/voice/", "calls are by the same account"),
    ("slack", "src/template/", "a form of text with its own markup"),
    ("slack", "src/matrix/contact_coverage.rs", "advice to people, in words"),
    ("slack", "src/http/texts.rs", "advice to people, in words"),
    ("slack", "src/cli/man.rs", "a variable for tests"),
    ("slack", "src/cli/daemon/bound.rs", "a variable for tests"),
    ("twilio", "src/http/voice.rs", "what a call says and asks, in the provider's markup"),
    ("kannel", "src/cli/demo/", "the demo plays people who answer by SMS"),
    ("smtp", "src/cli/demo/", "the demo plays people who answer by mail"),
    ("smtp", "src/cli/mail_in.rs", "mails are handed in by the site's mail server"),
    ("smtp", "src/http/mail_in.rs", "mails are handed in by the site's mail server"),
    ("smtp", "src/http/caller.rs", "advice to people, in words"),
    ("teams", "src/import/opsgenie.rs", "teams of people"),
    ("smtp", "src/import/toml_text.rs", "people of other tools have mailboxes"),
    ("smtp", "src/matrix/contact_coverage.rs", "a person who is reached by mail alone is warned of"),
];

/// What a new kind of channel costs: its folder, and a line in `kinds.rs` and `mod.rs` each.
#[test]
fn a_kind_of_channel_is_known_in_its_folder_and_in_the_table_alone() {
    let code = |text: &str| {
        let lines = shipped(text).lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n").to_lowercase()
    };
    let files: BTreeMap<String, String> = sources().iter().map(|(file, text)| (file.clone(), code(text))).collect();
    let mut found = BTreeSet::new();
    // The names of these are words for other things, too.
    let words = ["screen", "voice", "http", "webhook", "exec"];
    let kinds = KINDS.map(ChannelKind::as_str);
    for kind in kinds.into_iter().filter(|kind| !words.contains(kind)) {
        let own = format!("src/channel/{kind}/");
        for file in files.iter().filter(|(_, code)| code.contains(kind)).map(|(file, _)| file) {
            let table = ["src/channel/kinds.rs", "src/channel/mod.rs"];
            if file.starts_with(&own) || table.contains(&file.as_str()) {
                continue;
            }
            let named = |(of, by, _): &(&str, &str, &str)| *of == kind && file.starts_with(by);
            let at = KINDS_NAMED_BY.iter().position(named);
            found.insert(at.unwrap_or_else(|| panic!("{file} names {kind}: that belongs into its folder")));
        }
    }
    let unused: Vec<_> = (0..KINDS_NAMED_BY.len()).filter(|at| !found.contains(at)).collect();
    assert!(unused.is_empty(), "these rows of KINDS_NAMED_BY are true no more: {unused:?}");
}

#[test]
fn the_core_is_pure() {
    let banned = [
        "async ",
        "tokio",
        "tracing",
        "std::fs",
        "std::net",
        "std::env",
        "Instant",
        "SystemTime",
        "Utc::now",
        "rand::",
        "Mutex",
        // What a zone's rules are is handed in: these look for them on the system.
        "TimeZone::get",
        "TimeZone::system",
        "tz::db",
    ];
    for (file, text) in sources().into_iter().filter(|(file, _)| room(file) == "core") {
        for word in banned {
            for line in shipped(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
                assert!(!line.contains(word), "{file} has {word:?}: {line}");
            }
        }
    }
}

// The short one is for those who have no system beside them: tests.
#[test]
fn a_matrix_is_read_with_the_newest_time_zones() {
    for (file, text) in sources() {
        assert!(!shipped(&text).contains("Matrix::parse("), "{file}: say which zones, by `Matrix::parse_with`");
    }
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut large = Vec::new();
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "{file} does not say what it is for");
        let lines = text.lines().count();
        if LINES_MAX < lines {
            large.push(format!("{file} has {lines} lines"));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in files(&root.join("tests"), "rs") {
        let file = path.strip_prefix(root).unwrap().display().to_string();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        if TEST_LINES_MAX < lines {
            large.push(format!("{file} has {lines} lines"));
        }
    }
    assert!(large.is_empty(), "{}", large.join("\n"));
}

/// A body that is read before anybody looked at the credential lets a stranger fill the memory: over TCP there is one
/// reader, which has limits of size and time.
#[test]
fn over_tcp_no_body_is_read_but_by_the_one_reader() {
    for (file, text) in sources().into_iter().filter(|(file, _)| room(file) == "http") {
        // The kernel says who calls at the control socket, before any body.
        if file.starts_with("src/http/control/") {
            continue;
        }
        for line in shipped(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!extracts_a_body(line), "{file} reads a body by an extractor, use `body::whole`: {line}");
            let reads = line.replace("into_bytes(", "").contains("to_bytes(")
                || line.contains("into_data_stream(")
                || line.contains(".collect().await");
            assert!(
                !reads || file == "src/http/body.rs" || file == "src/http/problem.rs",
                "{file} reads a body: {line}"
            );
        }
    }
}

/// Whether a line of code has an argument that the framework makes of a body.
fn extracts_a_body(line: &str) -> bool {
    ["Json", "Form", "RawForm", "Multipart"].iter().any(|name| {
        // `Json(press): Json<DeskAnswer>`, `closing: Option<Json<..>>`; what is given back stands behind an arrow.
        let arguments = line.split("->").next().unwrap_or_default();
        let wrapped = ["", "Option<", "Result<"].map(|outer| format!(": {outer}{name}"));
        wrapped.iter().any(|kind| {
            let mut rest = arguments.split(kind.as_str()).skip(1);
            rest.any(|rest| rest.starts_with(['<', ',', ')']))
        })
    })
}

#[test]
fn the_rule_about_bodies_can_be_broken() {
    for line in [
        "    Json(press): Json<DeskAnswer>,",
        "    Form(MailLinkForm { answer }): Form<MailLinkForm>,",
        "    closing: Json<ResolveRequest>,",
        "    closing: Option<Json<ResolveRequest>>,",
        "    form: RawForm,",
        "async fn seen(Json(shown): Json<ShownPages>) -> StatusCode {",
    ] {
        assert!(extracts_a_body(line), "{line}");
    }
    for line in
        ["    Ok(Json(names))", ") -> Result<Json<Value>, ProblemDetails> {", "    Json(entries).into_response()"]
    {
        assert!(!extracts_a_body(line), "{line}");
    }
}

#[test]
fn nothing_unfinished_is_shipped() {
    let marks = ["todo!(", "unimplemented!(", "FIXME", "XXX", "dbg!("];
    for (file, text) in sources() {
        for mark in marks {
            assert!(!text.contains(mark), "{file} has {mark}");
        }
        let panics = [".unwrap()", ".expect(\"", "panic!("];
        for line in shipped(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!panics.iter().any(|mark| line.contains(mark)), "{file} can panic: {line}");
        }
    }
}

/// Whether a number with its plus is one that nobody has: kept free for stories by Ofcom (07700 900xxx, 020 7946 0xxx)
/// and in North America (555-01xx of every area), or one that Twilio keeps for tests.
fn is_nobodys(number: &str) -> bool {
    let fiction = number.len() == 12 && number.starts_with("+1") && &number[5..10] == "55501";
    let british = number.len() == 13 && ["+447700900", "+442079460"].iter().any(|range| number.starts_with(range));
    fiction || british || number.starts_with("+1500555")
}

#[test]
fn no_file_names_a_phone_number_that_somebody_may_have() {
    assert!(is_nobodys("+447700900123") && is_nobodys("+12125550142") && is_nobodys("+15005550006"));
    assert!(!is_nobodys("+4477009001234") && !is_nobodys("+12125551234") && !is_nobodys("+491711234567"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut strangers = Vec::new();
    for (folder, ending) in ["src", "tests", "matrix", "docs", "templates", "examples"]
        .iter()
        .flat_map(|folder| ["rs", "toml", "md", "txt", "snap", "tsv"].map(|ending| (folder, ending)))
    {
        for file in files(&root.join(folder), ending) {
            let text = std::fs::read_to_string(&file).unwrap();
            for (at, _) in text.match_indices('+') {
                // People write them with spaces, too.
                let written: String = text[at + 1..].chars().take_while(|c| c.is_ascii_digit() || *c == ' ').collect();
                let written = written.trim_end();
                let number = format!("+{}", written.replace(' ', ""));
                let digits = number.len() - 1;
                // No number of a phone begins with 0; a year of many digits is followed by its month.
                let rest = &text[at + 1 + written.len()..];
                let is_number = (10..=15).contains(&digits) && !number.starts_with("+0") && !rest.starts_with('-');
                // The last digits may be a variable.
                let is_nobodys = is_nobodys(&number) || (rest.starts_with('{') && number.starts_with("+447700900"));
                if is_number && !is_nobodys && !file.ends_with("tidy/mod.rs") {
                    strangers.push(format!("{}: {number}", file.display()));
                }
            }
        }
    }
    assert!(strangers.is_empty(), "{strangers:#?}");
}
