//! Reads the expiry date of a server's certificate, the only field of X.509 that we need.

use chrono::{DateTime, NaiveDateTime, Utc};

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the validity of a certificate in DER (RFC 5280, 4.1); `None` if the bytes are not a certificate.
pub fn end(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // Version (optional), serial number, algorithm, issuer; then the validity.
    for (tag, may_be_absent) in [(VERSION, true), (INTEGER, false), (SEQUENCE, false), (SEQUENCE, false)] {
        let (found, _, after) = element(rest)?;
        if found == tag {
            rest = after;
        } else if !may_be_absent {
            return None;
        }
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (_, _, after) = element(validity)?;
    let (tag, end, _) = element(after)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

/// RFC 5280, 4.1.2.5: two-digit years below 50 are in this century.
fn time(tag: u8, text: &str) -> Option<DateTime<Utc>> {
    let text = match tag {
        UTC_TIME => format!("{}{text}", if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

/// The first element's tag and content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        ..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    const PEM: &[u8] = include_bytes!("../../tests/double/tls/localhost.pem");

    #[test]
    fn the_end_of_a_real_certificate_is_read() {
        let der = CertificateDer::from_pem_slice(PEM).expect("a certificate");
        let end = end(&der).expect("an end").to_rfc3339();
        assert_eq!(end, "2126-10-30T06:08:48+00:00");
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let der = CertificateDer::from_pem_slice(PEM).expect("a certificate");
        for cut in 0..der.len() {
            let _ = end(&der[..cut]);
            let mut broken = der.to_vec();
            broken[cut] ^= 0xff;
            let _ = end(&broken);
        }
        for nothing in [&b""[..], b"0", b"0\x80", b"0\x84\xff\xff\xff\xff", b"hello"] {
            assert_eq!(end(nothing), None);
        }
    }
}
