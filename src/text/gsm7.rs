//! The SMS alphabet (GSM 03.38): how long a text is in it, and how to write any text with it.
//!
//! A single character outside the alphabet turns the whole message into UCS-2, with less than half the room.

mod alphabet;
mod plain;
mod signs;

use alphabet::{BASIC, EXTENDED, cost};
use plain::{is_picture, written};

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

/// What the alphabet has for a character without a plain form.
const UNKNOWN: char = '?';

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
/// alphabet lacks are dropped, signs become their usual short form (`₽` is `RUB`, `↓` `down`), other emoji and invisible
/// characters are removed, and everything else becomes a question mark.
pub fn to_gsm7(text: &str) -> String {
    written(text, |letter| if is_picture(letter) { None } else { Some(UNKNOWN) })
}

/// `text` as it is sent by SMS. It is as [`to_gsm7`] writes it where that loses nothing; a letter or sign without a plain
/// form stays as it is, and the message is UCS-2.
pub fn to_sms(text: &str) -> String {
    written(text, |letter| if is_character(letter) { Some(letter) } else { Some(UNKNOWN) })
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
            ("שוק נפל 🔥 ירידה", "שוק נפל ! ירידה"),
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
            assert!(septets(&to_sms(&wide.to_string())).is_some_and(|cost| 0 < cost), "{wide}");
        }
        assert!(to_sms("₽5 ✓ ６％").chars().all(|letter| cost(letter).is_some()), "no sign turns it into UCS-2");
    }

    #[test]
    fn a_number_stays_the_same_number() {
        let cases = [
            ("loss 10³ USD, 10² ms, 10⁻³, 10²³", "loss 10^3 USD, 10^2 ms, 10^-3, 10^23"),
            ("1½ hours, 2¾ %, ½ of it, ⅓, 7⅞", "1 1/2 hours, 2 3/4 %, 1/2 of it, 1/3, 7 7/8"),
            ("m³/s, CO₂, log₂8, x₁₀, 5₂", "m^3/s, CO2, log2 8, x10, 5_2"),
            ("5① ②7 ⑫", "5 (1) (2) 7 (12)"),
            ("𝟐𝟓 ２５ Ⅳ", "25 25 IV"),
            ("5·10 a · b 5∙10⁴", "5*10 a - b 5*10^4"),
            ("⏳ 3️⃣ 🔟 💯%", "waiting 3 10 100%"),
            ("5㎏ 20㎡ 5℃ 1‱", "5kg 20 m2 5degC 1‱"),
            ("1º 2ª 5ᵗʰ", "1o 2a 5th"),
            ("0⁄5 ⅟8", "0/5 1/8"),
            ("2⁵⁄₈ ²⁄₃ of it, 10²/s", "2 5/8 2/3 of it, 10^2/s"),
            ("5✖3 5 ✖ 3 10✖ 5 ✖\u{fe0f} 3", "5x3 5 x 3 10x 5 x 3"),
            ("feed ✖ ✖ 5", "feed no no 5"),
        ];
        for (text, sent) in cases {
            assert_eq!(to_sms(text), sent);
            assert_eq!(to_sms(sent), sent);
        }
    }

    #[test]
    fn a_sign_that_says_something_is_a_word() {
        for down in "⬇📉🔻↘⇓↓▼⏬🔽⤵▾⇩👇".chars() {
            assert_eq!(to_sms(&format!("ES {down} 6 %")), "ES down 6 %", "{down}");
            assert_eq!(to_sms(&format!("ES {down}\u{fe0f}6 %")), "ES down 6 %", "{down}");
            assert_eq!(to_sms(&format!("ES{down}6 %")), "ES down 6 %", "{down}");
        }
        for up in "⬆📈🔺↗⇑↑▲⏫🔼⤴▴⇧👆".chars() {
            assert_eq!(to_sms(&format!("ES {up} 6 %")), "ES up 6 %", "{up}");
        }
        let cases = [
            ("➖5 ➕6 ÷ ➗", "-5 +6 / /"),
            ("🔴 PROD 🟢 DR", "red PROD green DR"),
            ("🔴PROD🟡", "red PROD yellow"),
            ("🆘 ❓❔ ❗ ⁉ 🆗", "SOS ?? ! !? OK"),
            ("👎 👍🏽 ✅ ❌ 🚫", "no ok ok no no"),
            ("🚨 ⚠️ down", "! ! down"),
            ("🇬🇧🇺🇸 desks", "GB US desks"),
            ("A ⇒ B ➡ C ⟷ D", "A -> B -> C <-> D"),
            ("=\u{338} ≠", "!= !="),
            ("👨\u{200d}💻 🦄", "👨💻 🦄"),
            ("w\u{336}ilco", "w\u{336}ilco"),
        ];
        for (text, sent) in cases {
            assert_eq!(to_sms(text), sent);
            assert_eq!(to_sms(sent), sent);
        }
    }

    /// Whatever Unicode calls a sign or a number is in the message as it is or in other letters.
    #[test]
    fn no_sign_vanishes_and_no_number_changes() {
        use icu_properties::{
            CodePointMapData, CodePointSetData,
            props::{EmojiModifier, GeneralCategory as Category},
        };
        let kinds = CodePointMapData::<Category>::new();
        let modifiers = CodePointSetData::new::<EmojiModifier>();
        let is_sign = |letter: char| {
            matches!(
                kinds.get(letter),
                Category::MathSymbol
                    | Category::OtherSymbol
                    | Category::CurrencySymbol
                    | Category::OtherNumber
                    | Category::LetterNumber
                    | Category::DecimalNumber
                    | Category::OtherPunctuation
            )
        };
        let signs = ('\0'..=char::MAX).filter(|letter| is_sign(*letter) && is_character(*letter));
        for letter in signs.filter(|letter| !modifiers.contains(*letter)) {
            let sent = to_sms(&letter.to_string());
            let is_lost = sent.trim().is_empty() || sent == "?" && letter != '?' && !ASKS.contains(&letter);
            assert!(!is_lost, "{letter:?} U+{:04X}: {sent:?}", u32::from(letter));
            // Between two digits it does not make another number of them.
            let between = to_sms(&format!("1{letter}2"));
            let is_digit = kinds.get(letter) == Category::DecimalNumber;
            assert!(is_digit || !between.chars().all(|c| c.is_ascii_digit()), "{letter:?}: {between:?}");
        }
    }

    /// Signs that ask, as a plain question mark does.
    const ASKS: [char; 5] = ['？', '❓', '❔', '\u{fe16}', '\u{fe56}'];

    #[test]
    fn any_text_becomes_plain() {
        let cases = [
            ("“Zürich” – it’s…", "\"Zürich\" - it's..."),
            ("Łódź, Čapek, São Tomé", "Lodz, Capek, Sao Tomé"),
            ("🔥 ES −6.2 %", "! ES -6.2 %"),
            ("金 e\u{301} 🦄", "? é "),
        ];
        for (text, plain) in cases {
            assert_eq!(to_gsm7(text), plain);
            assert!(septets(plain).is_some());
        }
    }
}
