//! The SMS alphabet (GSM 03.38): how long a text is in it, and how to write any text with it.
//!
//! A single character outside the alphabet turns the whole message into UCS-2, with less than half the room.

/// The septets of a message in a single part.
pub const SINGLE: usize = 160;

/// The septets of each part of a longer message.
pub const PART: usize = 153;

/// The UTF-16 units of two parts of a message with a character outside the alphabet.
pub const UCS2_TWO_PARTS: usize = 2 * UCS2_PART;

/// The UTF-16 units of a message of one part with a character outside the alphabet.
const UCS2_SINGLE: usize = 70;

/// The UTF-16 units of each part of a longer one.
const UCS2_PART: usize = 67;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// What the alphabet has for a character without a plain form.
const UNKNOWN: &str = "?";

/// The forms of U+FF01 to U+FF5E, which are as wide as a Chinese letter.
const WIDE: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/// Precedes a character from the extension table.
const ESCAPE: u8 = 0x1b;

/// The positions of the characters of the extension table.
const EXTENDED_AT: [u8; 10] = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];

/// The length of `text` in septets; a character from the extension table counts two. `None` if a character is outside
/// the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(cost).sum()
}

/// The number of parts of `text`: 160 septets alone or 153 in each part or, with a character outside the alphabet, 70
/// or 67 UTF-16 units. A character that counts two is never split. An empty text is one part.
pub fn segments(text: &str) -> usize {
    let Some(total) = septets(text) else {
        return parts(text.chars().map(char::len_utf16), UCS2_SINGLE, UCS2_PART);
    };
    if total <= SINGLE { 1 } else { parts(text.chars().filter_map(cost), SINGLE, PART) }
}

/// `text` in the SMS alphabet: typographic quotes, dashes, ellipses and spaces become plain ones, accents that the
/// alphabet lacks are dropped, signs become their usual short form (`₽` is `RUB`), emoji and invisible characters are
/// removed, and everything else becomes a question mark.
pub fn to_gsm7(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match cost(letter) {
            Some(_) => plain.push(letter),
            None => plain.push_str(plain_form(letter)),
        }
    }
    plain
}

/// `text` as it is sent by SMS. It is as [`to_gsm7`] writes it where that loses nothing; a letter or sign without a plain
/// form stays as it is, and the message is UCS-2.
pub fn to_sms(text: &str) -> String {
    let mut sent = String::with_capacity(text.len());
    for letter in text.chars() {
        match cost(letter) {
            Some(_) => sent.push(letter),
            None => match plain_form(letter) {
                UNKNOWN if is_character(letter) => sent.push(letter),
                form => sent.push_str(form),
            },
        }
    }
    sent
}

/// Whether phones may show something for it: it is not U+FFFD, for private use, or no character at all.
fn is_character(letter: char) -> bool {
    !matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..)
}

/// A text from the octets of the alphabet, one septet each; an octet without a character becomes U+FFFD.
pub fn from_gsm7(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut octets = octets.iter();
    while let Some(octet) = octets.next() {
        let letter = match *octet {
            ESCAPE => octets.next().and_then(extended),
            // The escape has a position among the basic characters.
            octet => BASIC.chars().nth(usize::from(octet) - usize::from(ESCAPE < octet)),
        };
        text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

fn extended(octet: &u8) -> Option<char> {
    let at = EXTENDED_AT.iter().position(|known| known == octet)?;
    EXTENDED.chars().nth(at)
}

fn cost(letter: char) -> Option<usize> {
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

fn parts(costs: impl Iterator<Item = usize> + Clone, single: usize, part: usize) -> usize {
    if costs.clone().sum::<usize>() <= single {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for cost in costs {
        if part < used + cost {
            (parts, used) = (parts + 1, 0);
        }
        used += cost;
    }
    parts
}

fn plain_form(letter: char) -> &'static str {
    if let Some(form) = punctuation(letter).or_else(|| sign(letter)).or_else(|| without_accent(letter)) {
        return form;
    }
    if is_unseen(letter) { "" } else { UNKNOWN }
}

/// Signs that mean one thing only, and wide forms of plain characters.
fn sign(letter: char) -> Option<&'static str> {
    Some(match letter {
        '₽' => "RUB",
        '₹' => "INR",
        '₺' => "TRY",
        '₩' => "KRW",
        '₪' => "ILS",
        '฿' => "THB",
        '৳' => "BDT",
        '₿' => "BTC",
        '₴' => "UAH",
        '₫' => "VND",
        '₱' => "PHP",
        '₦' => "NGN",
        '№' => "No.",
        '٪' => "%",
        '٫' => ".",
        '٬' => ",",
        '〜' => "~",
        '✓' | '✔' | '✅' => "ok",
        '✗' | '✘' | '✖' | '❌' => "no",
        // The alphabet has no backtick.
        '\u{ff40}' => "'",
        '\u{ff01}'..='\u{ff5e}' => {
            let at = usize::try_from(u32::from(letter) - 0xff01).ok()?;
            WIDE.get(at..=at)?
        }
        _ => return None,
    })
}

fn punctuation(letter: char) -> Option<&'static str> {
    Some(match letter {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' | 'ʼ' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '\u{ad}' => "-",
        '…' => "...",
        '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "\n",
        '•' | '·' | '∙' | '▪' | '●' => "-",
        '×' => "x",
        '÷' => "/",
        '→' | '➜' | '⇒' => "->",
        '←' => "<-",
        '↑' | '▲' => "up",
        '↓' | '▼' => "down",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '±' => "+/-",
        '°' => "deg",
        'µ' | 'μ' => "u",
        '²' => "2",
        '³' => "3",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '™' => "TM",
        '©' => "(c)",
        '®' => "(R)",
        '¢' => "c",
        '‰' => "o/oo",
        _ => return None,
    })
}

fn without_accent(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À'..='Ã' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' => "A",
        'á'..='ã' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' | 'Ǐ' => "I",
        'í'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'Ń' | 'Ņ' | 'Ň' => "N",
        'ń' | 'ņ' | 'ň' => "n",
        'Ò'..='Õ' | 'Ō' | 'Ŏ' | 'Ő' | 'Ǒ' => "O",
        'ó'..='õ' | 'ō' | 'ŏ' | 'ő' | 'ǒ' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Þ' => "Th",
        'þ' => "th",
        'Ù'..='Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' | 'Ǔ' => "U",
        'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ǔ' => "u",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

/// Emoji, their modifiers, combining accents, and invisible control characters.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{300}'..='\u{36f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2900}'..='\u{297f}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{1f000}'..='\u{1faff}'
            | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_has_its_127_letters_and_ten_more_that_cost_two() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(septets(EXTENDED), Some(20));
        assert_eq!(septets("10 € {a}"), Some(11));
        assert_eq!(septets("naïve"), None);
    }

    #[test]
    fn common_letters_cost_what_the_tables_say() {
        for letter in '\0'..='\u{ff}' {
            let listed = if BASIC.contains(letter) { Some(1) } else { EXTENDED.contains(letter).then_some(2) };
            assert_eq!(cost(letter), listed, "{letter:?}");
        }
    }

    #[test]
    fn octets_of_a_gateway_are_read_back() {
        assert_eq!(from_gsm7(b"48213 2\x02\x00\x1b\x65 \x1b\x3c\x7f"), "48213 2$@€ [à");
        assert_eq!(from_gsm7(&[0x1c, 0x40, 0x5b, 0x60, 0x7b]), "Æ¡Ä¿ä");
        assert_eq!(from_gsm7(&[b'2', 0x80, 0x1b, b'2', 0x1b]), "2\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(EXTENDED.chars().count(), EXTENDED_AT.len());
    }

    #[test]
    fn parts_are_counted_as_phones_count_them() {
        let cases = [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3)];
        for (length, parts) in cases {
            assert_eq!(segments(&"a".repeat(length)), parts, "{length}");
        }
        assert_eq!(segments(&"я".repeat(70)), 1);
        assert_eq!(segments(&"я".repeat(71)), 2);
        let split = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(septets(&split), Some(306));
        assert_eq!(segments(&split), 3, "the euro sign does not fit into the end of the first part");
    }

    #[test]
    fn a_word_in_another_script_is_sent_as_it_is() {
        let cases = [
            ("“Zürich” – it’s…", "\"Zürich\" - it's..."),
            ("Рынок упал на 6 % – 日本。", "Рынок упал на 6 % - 日本。"),
            ("שוק נפל 🔥 ירידה", "שוק נפל  ירידה"),
            ("बाज़ार गिरा", "बाज़ार गिरा"),
            ("∑ of risk", "∑ of risk"),
            ("half \u{fffd}", "half ?"),
        ];
        for (text, sent) in cases {
            assert_eq!(to_sms(text), sent);
            assert_eq!(septets(sent).is_some(), to_gsm7(text) == sent, "{text}");
        }
    }

    #[test]
    fn a_sign_keeps_its_meaning() {
        let cases = [
            ("هبط 6٫5٪ السوق", "هبط 6.5% السوق"),
            ("₽5 ₹5 ₺5 ₩5 ₪5 ฿5 ৳5 ₿5", "RUB5 INR5 TRY5 KRW5 ILS5 THB5 BDT5 BTC5"),
            ("№ 7 ６％ ５〜６", "No. 7 6% 5~6"),
            ("✓ done ✗ failed", "ok done no failed"),
            ("Рынок ₸5", "Рынок ₸5"),
            ("∞ and ∅", "∞ and ∅"),
        ];
        for (text, sent) in cases {
            assert_eq!(to_sms(text), sent);
            assert_eq!(to_sms(sent), sent);
        }
        for wide in '\u{ff01}'..='\u{ff5e}' {
            assert!(septets(plain_form(wide)).is_some_and(|cost| 0 < cost), "{wide}");
        }
        assert!(to_sms("₽5 ✓ ６％").chars().all(|letter| cost(letter).is_some()), "no sign turns it into UCS-2");
    }

    #[test]
    fn any_text_becomes_plain() {
        let cases = [
            ("“Zürich” – it’s…", "\"Zürich\" - it's..."),
            ("Łódź, Čapek, São Tomé", "Lodz, Capek, Sao Tomé"),
            ("🔥 ES −6.2 %", " ES -6.2 %"),
            ("金 e\u{301}", "? e"),
        ];
        for (text, plain) in cases {
            assert_eq!(to_gsm7(text), plain);
            assert!(septets(plain).is_some());
        }
    }
}
