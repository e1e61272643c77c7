//! Text for speech: ids and long numbers digit by digit, abbreviations letter by letter, signs as words.

/// Numbers with at least this many digits are read digit by digit: they are codes or ids, not amounts.
const LONG_DIGITS: usize = 5;

/// Words in capitals with at most this many letters are read letter by letter: a symbol, a zone, a unit.
const LETTERS_MAX: usize = 5;

/// Short words that people write in capitals but that are ordinary words.
const WORDS: [&str; 40] = [
    "A", "ALL", "AND", "ANY", "AS", "AT", "BY", "CALL", "DO", "DOWN", "DRILL", "FROM", "GO", "HALT", "I", "IF", "IN",
    "IS", "LIVE", "MUST", "NO", "NOT", "NOW", "OF", "OFF", "ON", "ONLY", "OR", "OUT", "ROGER", "STOP", "THE", "THIS",
    "TO", "UP", "WAIT", "WILCO", "WITH", "YOU", "YOUR",
];

/// `text` in words that a voice reads correctly: `INC-42` is "incident 4 2", `6.2%` is "6.2 percent", `ES` is "E S", a
/// time loses its seconds. Signs without a sound are gaps; lines are sentences.
pub fn spoken(text: &str) -> String {
    let sentences = text.lines().map(sentence).filter(|line| !line.is_empty());
    let ended = sentences.map(|line| if line.ends_with(['.', '!', '?', ':', ',']) { line } else { line + "." });
    ended.collect::<Vec<_>>().join(" ")
}

/// The digits of a number, one by one.
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).map(String::from).collect::<Vec<_>>().join(" ")
}

fn sentence(line: &str) -> String {
    // Text in brackets is read between two short pauses.
    let line = line.replace(" (", ", ").replace(") ", ", ").replace(['(', ')'], " ");
    let line = letters_apart(&line, '/', " per ");
    let line = letters_apart(&line, '&', " and ");
    let audible: String = line.chars().map(audible).collect();
    let words: Vec<String> = audible.split_whitespace().map(word).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A sign between two letters becomes a word: `P&L/min`.
fn letters_apart(line: &str, sign: char, word: &str) -> String {
    let parts: Vec<&str> = line.split(sign).collect();
    let mut joined = parts.first().copied().unwrap_or_default().to_owned();
    for pair in parts.windows(2) {
        let letters = pair[0].ends_with(char::is_alphabetic) && pair[1].starts_with(char::is_alphabetic);
        joined += if letters { word.to_owned() } else { sign.to_string() }.as_str();
        joined += pair[1];
    }
    joined
}

/// The character itself, or a gap if it has no sound.
fn audible(letter: char) -> char {
    match letter {
        '’' | '‘' => '\'',
        '–' | '—' => ',',
        _ if letter.is_alphanumeric() => letter,
        '.' | ',' | '!' | '?' | ':' | ';' | '\'' | '%' | '$' | '€' | '£' | '+' | '-' | '@' | '&' => letter,
        _ => ' ',
    }
}

/// One word with the characters before and after it.
fn word(word: &str) -> String {
    let inside = word.trim_matches(|c: char| !c.is_alphanumeric() && !"%$€£+-&@".contains(c));
    if inside.is_empty() {
        return String::new();
    }
    let end = word.rfind(inside).map_or("", |at| &word[at + inside.len()..]);
    let pause: String = end.chars().filter(|c| ".,!?:;".contains(*c)).take(1).collect();
    heard(inside) + &pause
}

fn heard(word: &str) -> String {
    if let Some(id) = word.strip_prefix("INC-").filter(|id| starts_with_digit(id)) {
        return format!("incident {}", digits(id));
    }
    if let Some(time) = clock(word) {
        return time;
    }
    match word {
        "&" => return "and".into(),
        "%" => return "percent".into(),
        "@" => return "at".into(),
        "bps" => return "basis points".into(),
        "+" | "-" => return String::new(),
        _ => {}
    }
    if let Some(number) = word.strip_suffix('%') {
        return format!("{} percent", signed(number));
    }
    for (ending, unit) in [("bn", "billion"), ("tn", "trillion")] {
        if let Some(number) = word.strip_suffix(ending).filter(|number| is_number(number)) {
            return format!("{} {unit}", signed(number));
        }
    }
    if is_number(word) {
        return signed(word);
    }
    word.split(['-', '&', '@', '+', '%']).filter(|part| !part.is_empty()).map(part).collect::<Vec<_>>().join(" ")
}

fn part(part: &str) -> String {
    let all_digits = part.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits && LONG_DIGITS <= part.len() {
        return digits(part);
    }
    if is_abbreviation(part) {
        return part.chars().map(String::from).collect::<Vec<_>>().join(" ");
    }
    part.to_owned()
}

fn is_abbreviation(word: &str) -> bool {
    let capitals = word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let letters = word.chars().filter(char::is_ascii_uppercase).count();
    capitals && 0 < letters && (2..=LETTERS_MAX).contains(&word.len()) && !WORDS.contains(&word)
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-']);
    starts_with_digit(digits) && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

fn signed(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) => format!("minus {}", part(rest)),
        None => part(number.trim_start_matches('+')),
    }
}

/// `15:46:13` is "15:46".
fn clock(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split(':').collect();
    let two = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let [hours, minutes, _] = parts.as_slice() else { return None };
    parts.iter().all(two).then(|| format!("{hours}:{minutes}"))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_the_eye_is_said_for_the_ear() {
        for (written, said) in [
            ("LIVE INC-42: ES down 6.2% in 4 min", "LIVE incident 4 2: E S down 6.2 percent in 4 min."),
            ("Drop -6.2 % & 48213 + 12,300 lots", "Drop minus 6.2 percent and 4 8 2 1 3 12,300 lots."),
            ("spread 12 bps @ XNAS", "spread 12 basis points at X N A S."),
            ("By 15:46:13 CET, else Bo Lind is paged", "By 15:46 C E T, else Bo Lind is paged."),
            ("DO NOT roll back pay-db-03 <now>", "DO NOT roll back pay db 03 now."),
            ("one\n\ntwo 🔥\n🔥", "one. two."),
            ("Ana's \"(test)\" – O’Neil", "Ana's test O'Neil."),
            ("P&L/min <b>bad</b> 1/2 & x", "P and L per min b bad b 1 2 and x."),
            ("Dee Novak (it) since 14:45 (late).", "Dee Novak, it, since 14:45, late."),
            ("$4.2M", "$4.2M."),
            ("USD 444.0bn, net -1.2tn", "U S D 444.0 billion, net minus 1.2 trillion."),
            ("", ""),
        ] {
            assert_eq!(spoken(written), said, "{written:?}");
        }
    }
}
