//! Names that are valid in a matrix.

use super::report::{FindingKind, ImportReport};
use icu_normalizer::DecomposingNormalizerBorrowed;
use std::collections::BTreeSet;

/// The longest name, in characters.
const NAME_MAX: usize = 40;

/// Names that the matrix keeps for itself.
const RESERVED: [&str; 4] = ["stentor", "drill", "by-hand", "catch-all"];

/// The names of one kind of section.
#[derive(Debug)]
pub struct Names {
    kind: &'static str,
    taken: BTreeSet<String>,
}

impl Names {
    /// None are taken.
    pub fn of(kind: &'static str) -> Self {
        Self { kind, taken: BTreeSet::new() }
    }

    /// A name of its own for what is called `name` in the export; one that is another is reported.
    pub fn give(&mut self, name: &str, id: &str, report: &mut ImportReport) -> String {
        let plain = plain(name);
        let mut key = if plain.is_empty() || RESERVED.contains(&plain.as_str()) {
            format!("{}-{plain}", self.kind).trim_end_matches('-').to_owned()
        } else {
            plain
        };
        key.truncate(NAME_MAX);
        let mut n = 2;
        let base = key.clone();
        while self.taken.contains(&key) {
            let end = format!("-{n}");
            key = format!("{}{end}", &base[..base.len().min(NAME_MAX - end.len())]);
            n += 1;
        }
        self.taken.insert(key.clone());
        if key != name {
            let of = if id.is_empty() || id == name {
                format!("{} {name:?}", self.kind)
            } else {
                format!("{} {id} ({name:?})", self.kind)
            };
            report.found(FindingKind::Renamed, of, format!("it is {key:?} in the matrix"));
        }
        key
    }
}

/// Small letters and digits, with a hyphen for whatever else is between them.
fn plain(name: &str) -> String {
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize(name).to_lowercase();
    let mut plain = String::new();
    for letter in letters.chars() {
        match letter {
            'a'..='z' | '0'..='9' | '_' => plain.push(letter),
            'ß' => plain += "ss",
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            '\u{300}'..='\u{36f}' => {}
            _ if !plain.ends_with('-') && !plain.is_empty() => plain.push('-'),
            _ => {}
        }
    }
    plain.chars().take(NAME_MAX).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid_and_no_two_are_alike() {
        let (mut names, mut report) = (Names::of("person"), ImportReport::of("x"));
        let mut give = |name: &str| names.give(name, "P1", &mut report);
        assert_eq!(give("Ana Ruiz"), "ana-ruiz");
        assert_eq!(give("ana  ruiz!"), "ana-ruiz-2");
        assert_eq!(give("Éva Großmann"), "eva-grossmann");
        assert_eq!(give("日本"), "person");
        assert_eq!(give("drill"), "person-drill");
        assert_eq!(give(&"x".repeat(60)).len(), 40);
        assert_eq!(give(&"x".repeat(60)), format!("{}-2", "x".repeat(38)));
        assert_eq!(give("plain"), "plain");
        assert_eq!(report.findings.len(), 7);
    }
}
