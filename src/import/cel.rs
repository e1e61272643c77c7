//! Pieces of conditions.

use crate::core::{invisible::is_invisible, printable::is_unprintable};

/// A text in quotes. What nobody sees is written by its number.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if letter.is_control() || is_invisible(letter) || is_unprintable(letter) => {
                quoted += &format!("\\U{:08x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// A label, which is empty where it is missing.
pub fn label(name: &str) -> String {
    let (is_there, value) = parts(name);
    format!("({is_there} ? {value} : \"\")")
}

/// A label that has this value.
pub fn is(name: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("{} == \"\"", label(name));
    }
    let (is_there, own) = parts(name);
    format!("({is_there} && {own} == {})", quoted(value))
}

/// A label whose whole value matches this pattern.
pub fn fits(name: &str, pattern: &str) -> String {
    format!("{}.matches({})", label(name), quoted(&format!("^(?:{pattern})$")))
}

/// What must all be true; `None` if that is nothing.
pub fn all(parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join(" && "))
}

/// It asks whether a label is there, and what it is.
fn parts(name: &str) -> (String, String) {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name);
    if is_plain {
        (format!("has(alert.labels.{name})"), format!("alert.labels.{name}"))
    } else {
        let name = quoted(name);
        (format!("{name} in alert.labels"), format!("alert.labels[{name}]"))
    }
}

/// Words that CEL keeps for itself.
const KEYWORDS: [&str; 22] = [
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "null",
    "namespace",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
    "size",
];
