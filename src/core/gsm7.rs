//! What an SMS costs: the GSM 7-bit alphabet (3GPP TS 23.038), segments, and how to stay within it.

/// The basic alphabet, one septet each. The escape character itself is not text.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table, two septets each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Septets of one SMS; of each part where there are several.
const SEPTETS: (usize, usize) = (160, 153);

/// UTF-16 units of one SMS; of each part where there are several.
const UNITS: (usize, usize) = (70, 67);

/// How many septets the text takes; none when a character is outside of the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(septets_of).sum()
}

/// How many SMS the text takes, in the alphabet or else in UCS-2. A character is never cut over two parts. An empty
/// text takes one.
pub fn segments(text: &str) -> usize {
    let fits = |(single, part): (usize, usize), width: fn(char) -> usize| {
        let widths = || text.chars().map(width);
        if widths().sum::<usize>() <= single { 1 } else { parts(widths(), part) }
    };
    match septets(text) {
        Some(_) => fits(SEPTETS, |c| septets_of(c).unwrap_or(0)),
        None => fits(UNITS, char::len_utf16),
    }
}

/// The text in the alphabet: typographic characters as plain ones, letters without accents that the alphabet lacks,
/// emoji dropped, `?` for what has no counterpart. One stray character would otherwise turn the whole message into
/// UCS-2, at less than half the length.
pub fn to_gsm7(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match septets_of(c) {
            Some(_) => plain.push(c),
            None => plain.push_str(counterpart(c)),
        }
    }
    plain
}

fn septets_of(c: char) -> Option<usize> {
    match c {
        _ if BASIC.contains(c) => Some(1),
        _ if EXTENDED.contains(c) => Some(2),
        _ => None,
    }
}

fn parts(widths: impl Iterator<Item = usize>, part: usize) -> usize {
    let (mut count, mut used) = (1, 0);
    for width in widths {
        if part < used + width {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

fn counterpart(c: char) -> &'static str {
    match c {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‹' => "<",
        '›' => ">",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '…' => "...",
        '•' | '·' | '×' => "*",
        '→' => "->",
        '←' => "<-",
        '≤' => "<=",
        '≥' => ">=",
        '≈' => "~",
        '±' => "+/-",
        '°' => " deg",
        '™' => "(TM)",
        '©' => "(C)",
        '®' => "(R)",
        '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n",
        // Joiners, marks of direction, variation selectors and the like: nothing to see.
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' => "",
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{300}'..='\u{36f}' => "",
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{e0000}'..='\u{e007f}' => "",
        c if c.is_control() => "",
        c => letter(c),
    }
}

fn letter(c: char) -> &'static str {
    match c {
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'Ć' | 'Č' | 'Ĉ' | 'Ċ' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ğ' | 'ģ' | 'ĝ' => "g",
        'Ğ' | 'Ģ' | 'Ĝ' => "G",
        'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'Ī' | 'Į' | 'İ' => "I",
        'ķ' => "k",
        'Ķ' => "K",
        'ł' | 'ļ' | 'ľ' | 'ĺ' => "l",
        'Ł' | 'Ļ' | 'Ľ' | 'Ĺ' => "L",
        'ń' | 'ņ' | 'ň' => "n",
        'Ń' | 'Ņ' | 'Ň' => "N",
        'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ō' | 'Ő' => "O",
        'œ' => "oe",
        'Œ' => "OE",
        'ř' | 'ŕ' => "r",
        'Ř' | 'Ŕ' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'þ' => "th",
        'Þ' => "Th",
        'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' | 'Ÿ' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ẞ' => "SS",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_costs_what_a_handset_says() {
        let euro = |n| "€".repeat(n);
        for (text, cost, parts) in [
            (String::new(), Some(0), 1),
            ("a".repeat(160), Some(160), 1),
            ("a".repeat(161), Some(161), 2),
            ("a".repeat(306), Some(306), 2),
            ("a".repeat(307), Some(307), 3),
            (euro(80), Some(160), 1),
            // 76 pairs fill 152 of 153 septets; the pair is not cut.
            (euro(153), Some(306), 3),
            ("–".repeat(70), None, 1),
            ("–".repeat(71), None, 2),
            ("🚨".repeat(35), None, 1),
            // 33 pairs fill 66 of 67 units.
            ("🚨".repeat(67), None, 3),
        ] {
            assert_eq!((septets(&text), segments(&text)), (cost, parts), "{text}");
        }
    }

    #[test]
    fn the_basic_alphabet_has_its_127_characters_and_the_extension_its_10() {
        assert_eq!((BASIC.chars().count(), EXTENDED.chars().count()), (127, 10));
    }

    #[test]
    fn typographic_text_becomes_plain() {
        for (rich, plain) in [
            ("“Fat finger” – it’s…", "\"Fat finger\" - it's..."),
            ("5\u{a0}% ≥ 3\u{202f}%", "5 % >= 3 %"),
            ("Zoë Žižka, François", "Zoe Zizka, Francois"),
            ("Zoe\u{308}", "Zoe"),
            ("🚨 LIVE ⚠️ now", " LIVE  now"),
            ("Ünal Ñandú äöü €5", "Ünal Ñandu äöü €5"),
            ("東京 down", "?? down"),
        ] {
            assert_eq!(to_gsm7(rich), plain);
            assert!(septets(plain).is_some(), "{plain}");
        }
    }
}
