//! Decodes the bytes that a provider delivers: in the charset that it names, or UTF-8 if it names none. Invalid bytes
//! become U+FFFD, which no reader of replies accepts: if a text was damaged on the way, its sender is asked again, so
//! it is not lost.

use crate::text::gsm7::from_gsm7;
use encoding_rs::{Encoding, UTF_8, UTF_16BE};
use percent_encoding::percent_decode;
use reqwest::header::{self, HeaderMap};

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// An encoding of the web; a byte order mark takes precedence over it.
    Web(&'static Encoding),
    /// GSM 03.38, one septet in each byte.
    Gsm7,
}

impl Default for Charset {
    fn default() -> Self {
        Self::Web(UTF_8)
    }
}

impl Charset {
    /// UCS-2 as SMS centres send it (big-endian).
    pub const UCS2: Self = Self::Web(UTF_16BE);

    /// The charset of this name; `None` if the name is unknown.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        match name.as_str() {
            // On the web these names mean little-endian; for SMS, and by RFC 2781, they mean big-endian.
            "utf-16" | "utf16" | "ucs-2" | "ucs2" | "iso-10646-ucs-2" | "csunicode" | "utf16be" | "ucs-2be" => {
                Some(Self::UCS2)
            }
            "gsm" | "gsm7" | "gsm-7" | "gsm-7bit" | "gsm0338" | "gsm-0338" | "gsm03.38" | "gsm 03.38" => {
                Some(Self::Gsm7)
            }
            "utf16le" | "ucs-2le" => Some(Self::Web(encoding_rs::UTF_16LE)),
            other => Encoding::for_label(other.as_bytes()).map(Self::Web),
        }
    }

    /// The charset in a request's `Content-Type`.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let named = |part: &str| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| Self::named(value))?
        };
        kind.split(';').skip(1).find_map(named)
    }

    /// Decodes these bytes.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Web(encoding) => encoding.decode(bytes).0.into_owned(),
            Self::Gsm7 => from_gsm7(bytes),
        }
    }
}

/// The fields of a query or a form, as bytes: `+` is a space, `%41` a byte.
pub fn fields(form: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    form.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(|field| {
        let end = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
        (unescaped(&field[..end]), unescaped(field.get(end + 1..).unwrap_or_default()))
    })
}

/// The first field of this name.
pub fn field(form: &[u8], name: &str) -> Option<Vec<u8>> {
    fields(form).find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value)
}

fn unescaped(part: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

/// Replaces each escape of half a character (`\ud83d` alone, from an emoji that was cut) with U+FFFD, because JSON
/// parsers refuse it.
pub fn without_half_letters(json: &str) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (kept, length) = match (unit(escape), unit(escape.get(6..).unwrap_or_default())) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(0xd800..=0xdfff), _) => ("\\ufffd", 6),
            _ => {
                let next = escape.chars().nth(1).map_or(0, char::len_utf8);
                (&escape[..1 + next], 1 + next)
            }
        };
        whole.push_str(kept);
        rest = &escape[length..];
    }
    whole + rest
}

/// The value of the escape at the start of a text: four hexadecimal digits after `\u`.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn of(kind: &str) -> Option<Charset> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).ok()?);
        Charset::of(&headers)
    }

    #[test]
    fn a_text_is_read_in_the_charset_that_its_type_names() {
        for (kind, bytes, text) in [
            ("text/plain; charset=\"UTF-16BE\"", &b"\x002\x20\x19"[..], "2’"),
            ("text/plain;charset=utf-16", b"\x002", "2"),
            ("text/plain; charset=UTF-16; format=flowed", b"\xff\xfe2\0", "2"),
            ("text/plain; CHARSET=ucs-2", b"\xd8\x3d\xdc\x4d", "👍"),
            ("text/plain; charset=utf-16be", b"\x002\xd8\x3d", "2\u{fffd}"),
            ("text/plain; charset=utf-16be", b"\x002\0", "2\u{fffd}"),
            ("text/plain; charset=utf-16le", b"2\0", "2"),
            ("text/plain; charset=ISO-8859-1", b"\xb42\xa0", "´2\u{a0}"),
            ("text/plain; charset=iso-8859-15", b"\xa4", "€"),
            ("text/plain; charset=windows-1252", b"can\x92t", "can’t"),
            ("text/plain; charset=windows-1251", b"\xe4\xe0", "да"),
            ("text/plain; charset=shift_jis", b"\x82\x51", "２"),
            ("text/plain; charset=gsm-7", b"2\x60", "2¿"),
            ("text/plain; charset=utf-8", b"2\xff", "2\u{fffd}"),
            ("text/plain; charset=utf-8", b"\xef\xbb\xbf2", "2"),
        ] {
            assert_eq!(of(kind).map(|charset| charset.decode(bytes)).as_deref(), Some(text), "{kind}");
        }
        for none in ["text/plain", "text/plain; charset=", "text/plain; charset=x-none", "charset=utf-8", ""] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(Charset::default().decode("’".as_bytes()), "’");
    }

    #[test]
    fn half_a_letter_of_a_json_text_is_said_to_be_one() {
        for (json, whole) in [
            (r#"{"a":"2 \ud83d"}"#, r#"{"a":"2 \ufffd"}"#),
            (r#""\ud83d\udc4d""#, r#""\ud83d\udc4d""#),
            (r#""\ud83d\ud83d\udc4d\udc4d""#, r#""\ufffd\ud83d\udc4d\ufffd""#),
            (r#""\\ud83d \n\u0041\"""#, r#""\\ud83d \n\u0041\"""#),
            (r#""\ud83"#, r#""\ud83"#),
            ("\"\\", "\"\\"),
            ("\"\\’", "\"\\’"),
            ("2", "2"),
        ] {
            assert_eq!(without_half_letters(json), whole);
        }
    }

    #[test]
    fn fields_are_bytes() {
        let found: Vec<_> = fields(b"a=1+2&b=%D8%3d&&c&d==&%zz=%").collect();
        let wanted = [("a", "1 2"), ("b", "\u{fffd}"), ("c", ""), ("d", "="), ("%zz", "%")];
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<_> = found.iter().map(|(name, value)| (shown(name), shown(value))).collect();
        for ((name, value), (wanted, expected)) in found.iter().zip(wanted) {
            assert_eq!(name, wanted);
            assert!(value.starts_with(expected), "{name}: {value:?}");
        }
        assert_eq!(field(b"text=%00%34&text=2", "text"), Some(b"\x004".to_vec()));
        assert_eq!(field(b"text=1", "from"), None);
    }
}
