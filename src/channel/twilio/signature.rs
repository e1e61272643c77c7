//! Verifies that a request comes from Twilio. Each request is signed (`X-Twilio-Signature`): HMAC-SHA1 with the
//! account's auth token over the URL as Twilio knows it, followed by every field of the form, sorted
//! (<https://www.twilio.com/docs/usage/security>). The signature has no timestamp: the caller must recognise replays.

use crate::channel::charset;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// A form's fields in their order, decoded.
pub type FormFields = Vec<(String, String)>;

/// Parses a form.
pub fn fields(body: &[u8]) -> FormFields {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    charset::fields(body).map(|(name, value)| (text(name), text(value))).collect()
}

/// Computes Twilio's signature of a URL and a form.
pub fn sign(token: &SecretString, url: &str, fields: &[(String, String)]) -> String {
    // A repeated name counts once for each different value, as in Twilio's own libraries.
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.expose_secret().as_bytes()) else { return String::new() };
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Whether one of these tokens signed the request. Twilio sometimes adds the port to the URL and sometimes leaves it
/// out, so both are accepted.
pub fn is_signed(tokens: &[SecretString], url: &str, fields: &[(String, String)], signature: &str) -> bool {
    let mut signed = false;
    for url in with_and_without_port(url) {
        for token in tokens.iter().filter(|token| !token.expose_secret().is_empty()) {
            // All of them are compared, so that the time reveals nothing.
            signed |= bool::from(sign(token, &url, fields).as_bytes().ct_eq(signature.as_bytes()));
        }
    }
    signed
}

/// The URL with its port (the default port if it has none), and without. Nothing else is changed.
fn with_and_without_port(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else { return [url.to_owned(), url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // Not the colons of an IPv6 address.
    let port_at = authority.rfind(':').filter(|at| authority[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    let host = port_at.map_or(authority, |at| &authority[..at]);
    let default = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let port = port_at.map_or(default, |at| &authority[at..]);
    [format!("{scheme}://{host}{port}{path}"), format!("{scheme}://{host}{path}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://crisis.example.test/hooks/twilio/sms?x=1";

    fn form() -> FormFields {
        [
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("Body", "4"),
            ("From", "+15005550006"),
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("NumMedia", "0"),
            ("SmsStatus", "received"),
            ("To", "+15005550001"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn what_twilios_library_signs_is_taken_with_and_without_the_port() {
        let tokens = [SecretString::from("old"), SecretString::from("12345")];
        for signature in ["BrmAAIX94mdKhLHeNSNWRP3NUbQ=", "RJlDgyyF6f4I7WZVE3PtcQnTF6A="] {
            for url in [URL, "https://crisis.example.test:443/hooks/twilio/sms?x=1"] {
                assert!(is_signed(&tokens, url, &form(), signature), "{url}");
            }
            let mut other = form();
            other[1].1 = "2".into();
            assert!(!is_signed(&tokens, URL, &other, signature));
            assert!(!is_signed(&tokens, &URL.replace("x=1", "x=2"), &form(), signature));
            assert!(!is_signed(&tokens[..1], URL, &form(), signature));
            assert!(!is_signed(&[], URL, &form(), signature));
        }
        assert!(!is_signed(&tokens, URL, &form(), ""));
    }

    #[test]
    fn ports_are_found_in_every_kind_of_address() {
        for (url, both) in [
            ("http://h/p?q=a:b", ["http://h:80/p?q=a:b", "http://h/p?q=a:b"]),
            ("https://h:8443/p", ["https://h:8443/p", "https://h/p"]),
            ("https://[::1]/p", ["https://[::1]:443/p", "https://[::1]/p"]),
            ("https://[::1]:7/p", ["https://[::1]:7/p", "https://[::1]/p"]),
            ("https://h", ["https://h:443", "https://h"]),
            ("https://h?x", ["https://h:443?x", "https://h?x"]),
        ] {
            assert_eq!(with_and_without_port(url), both, "{url}");
        }
    }

    #[test]
    fn a_form_is_read_as_it_was_meant() {
        let read = fields("a=1+2%2B3&b=&%C3%A9=x&a=2&c=%26%3D&d=#<é>".as_bytes());
        let pairs: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1 2+3"), ("b", ""), ("é", "x"), ("a", "2"), ("c", "&="), ("d", "#<é>")]);
    }
}
