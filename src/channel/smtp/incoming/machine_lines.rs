//! Lines that machines put around a mail, one at a time: footers of phones, labels of secrecy, and logos. Only known
//! words; anything else in a line makes it its writer's.

use super::{
    phrases,
    signature::is_contact,
    signs::{has_plain_signs, shows_no},
    taken_back::takes_back,
};
use crate::text::{reply::folded, signature::has_footer_words};

/// Whether the line is a machine's or a company's, whatever stands around it.
pub(super) fn is_machine_line(line: &str) -> bool {
    is_footer(line) || is_label(line) || is_logo(line)
}

/// Whether the line is a footer (`Sent from my iPhone`), with or without a link.
pub(super) fn is_footer(line: &str) -> bool {
    let is_link = |word: &str| word.contains("://") || word.starts_with('<') && word.ends_with('>') && is_contact(word);
    let folded = folded(line);
    let said: Vec<&str> = folded.split_whitespace().filter(|word| !is_link(word)).collect();
    has_footer_words(&said.join(" ")) && has_plain_signs(&folded)
}

/// Whether the line is a label of how secret the mail is: `Classification: Internal`, `[INTERNAL]`, `TLP:AMBER`.
fn is_label(line: &str) -> bool {
    let lower = folded(line).to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_known = |word: &&str| phrases::LABEL_WORDS.has(word) || phrases::SECRECY.has(word);
    let is_tlp =
        matches!(words[..], ["tlp", "red" | "amber" | "green" | "clear" | "white"] | ["tlp", "amber", "strict"]);
    let is_secrecy = words.iter().all(is_known) && words.iter().any(|word| phrases::SECRECY.has(word));
    (is_tlp || is_secrecy) && has_plain_signs(&lower)
}

/// Whether the line is the picture of a company: `[image: Logo ACME]`, `[signature_123456]`.
fn is_logo(line: &str) -> bool {
    let lower = folded(line).to_lowercase();
    let Some(inside) = lower.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']')) else { return false };
    if inside.contains(['[', ']']) {
        return false;
    }
    let (kind, alt) = inside.split_once(':').unwrap_or((inside, ""));
    let is_numbered = kind.strip_prefix("signature_").is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
        || matches!(kind, "image" | "cid") && is_numbered_file(alt.trim());
    let names_company = || alt.split(|c: char| !c.is_alphanumeric()).any(|word| phrases::LOGOS.has(word));
    let is_picture = kind == "image" && has_plain_signs(&lower) && !takes_back(&lower) && !shows_no(alt);
    is_numbered || is_picture && names_company()
}

/// `image001.png`, as mail programs call the pictures of signatures.
fn is_numbered_file(name: &str) -> bool {
    let name = name.split('@').next().unwrap_or_default();
    let Some((stem, "png" | "jpg" | "jpeg" | "gif")) = name.split_once('.') else { return false };
    stem.strip_prefix("image").is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}
