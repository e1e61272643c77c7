//! The letters of the alphabet.

/// Letters of one septet.
pub(super) const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Letters of the extension table: two septets.
pub(super) const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// How many septets a letter takes; `None` if the alphabet lacks it.
pub(super) fn cost(letter: char) -> Option<usize> {
    // These are most characters of most texts; the tables are searched only for the others.
    if matches!(letter, ' ' | '0'..='9' | 'A'..='Z' | 'a'..='z' | ',' | '.' | ':' | '%' | '-' | '(' | ')' | '_' | '\n')
        || BASIC.contains(letter)
    {
        Some(1)
    } else if EXTENDED.contains(letter) {
        Some(2)
    } else {
        None
    }
}
