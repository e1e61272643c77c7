//! Identities of incidents and pages: a number for people and, in everything that goes outside, a random value too.
//! After a backup is restored, numbers are used again. A code, a link or a message id from before the restore must not
//! match the new incident.

use crate::core::printable::excerpt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most characters that are quoted of a text that names no incident.
const QUOTE_MAX: usize = 40;

/// The number of an incident, short enough for an SMS and a phone call: `INC-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^(INC-|inc-)?0*[1-9][0-9]{0,17}$"))]
pub struct IncidentId(pub i64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("INC-{}", self.0))
    }
}

/// Parses `INC-42`, `inc-42` and `42`.
impl FromStr for IncidentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("INC-").or_else(|| text.strip_prefix("inc-")).unwrap_or(text);
        // A sign is no digit, though numbers may have one.
        match digits.parse::<i64>() {
            Ok(n) if 0 < n && !digits.starts_with('+') => Ok(Self(n)),
            _ => Err(format!("{:?} is not an incident: they look like INC-42", excerpt(text, QUOTE_MAX))),
        }
    }
}

impl TryFrom<String> for IncidentId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> Self {
        id.to_string()
    }
}

/// Random bytes that make an id unique. They are not secret: secrets are derived from them together with the server
/// key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce<const BYTES: usize>([u8; BYTES]);

/// 128 random bits of one incident. The store draws them when the incident is opened.
pub type IncidentNonce = Nonce<16>;

/// 64 random bits of one page. The store draws them when the page is created. An incident that was open in a backup
/// continues after the restore, and reuses its page numbers for other pages.
pub type PageNonce = Nonce<8>;

impl<const BYTES: usize> Nonce<BYTES> {
    /// A nonce with these bytes.
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl From<IncidentNonce> for PageNonce {
    /// The first half of the incident's nonce.
    fn from(drawn: IncidentNonce) -> Self {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&drawn.0[..8]);
        Self(bytes)
    }
}

/// Two hexadecimal digits for each byte.
impl<const BYTES: usize> fmt::Display for Nonce<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&super::event::hex(&self.0))
    }
}

impl<const BYTES: usize> fmt::Debug for Nonce<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const BYTES: usize> TryFrom<String> for Nonce<BYTES> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = || format!("{text:?} is not a nonce: they have {} hexadecimal digits", 2 * BYTES);
        if text.len() != 2 * BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; BYTES];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl<const BYTES: usize> From<Nonce<BYTES>> for String {
    fn from(nonce: Nonce<BYTES>) -> Self {
        nonce.to_string()
    }
}

/// The identity of an incident: unique even if a backup was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentIdentity {
    /// Its number.
    pub id: IncidentId,
    /// Its random value; `None` for an incident that an older version opened.
    pub nonce: Option<IncidentNonce>,
}

impl IncidentIdentity {
    /// The suffix to its number in every id that goes outside: 16 hexadecimal digits of the nonce. Empty if it has
    /// none: the ids of such an incident stay as they were.
    pub fn mark(self) -> String {
        self.nonce.map(|nonce| nonce.to_string()[..16].to_owned()).unwrap_or_default()
    }

    /// The identity of one of its pages, with the page's own nonce.
    pub fn page(self, n: u32, own: Option<PageNonce>) -> PageIdentity {
        PageIdentity { page: PageId { incident: self.id, n }, nonce: self.nonce, own }
    }
}

/// The identity of a page: unique even if a backup was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageIdentity {
    /// Its number.
    pub page: PageId,
    /// Its incident's random value.
    pub nonce: Option<IncidentNonce>,
    /// Its own random value; `None` for a page that an older version sent.
    pub own: Option<PageNonce>,
}

impl PageIdentity {
    /// The suffix to its number in every id that goes outside: 16 hexadecimal digits of its own nonce, or else of its
    /// incident's.
    pub fn mark(self) -> String {
        let of_incident = IncidentIdentity { id: self.page.incident, nonce: self.nonce };
        self.own.map_or_else(|| of_incident.mark(), |own| own.to_string())
    }
}

/// The text that keys are derived from. Without a nonce it is the number alone, as in older versions.
impl fmt::Display for IncidentIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.nonce.map_or(Ok(()), |nonce| write!(f, "/{nonce}"))
    }
}

/// The same for a page.
impl fmt::Display for PageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.page)?;
        self.nonce.map_or(Ok(()), |nonce| write!(f, "/{nonce}"))?;
        self.own.map_or(Ok(()), |own| write!(f, "/{own}"))
    }
}

/// The number of a page: its incident, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageId {
    /// Its incident.
    pub incident: IncidentId,
    /// Counted from 1 in each incident.
    pub n: u32,
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incident, self.n)
    }
}

impl FromStr for PageId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (incident, n) = text.rsplit_once('.').ok_or(())?;
        Ok(Self { incident: incident.parse().map_err(drop)?, n: n.parse().map_err(drop)? })
    }
}

/// The number of one run of a scenario: `DR-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("DR-{}", self.0))
    }
}

/// Parses `DR-7`, `dr-7` and `7`.
impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("DR-").or_else(|| text.strip_prefix("dr-")).unwrap_or(text);
        match digits.parse::<i64>() {
            Ok(n) if 0 < n => Ok(Self(n)),
            _ => Err(format!("{text:?} is not a run of a drill: they look like DR-7")),
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_read_back_as_it_was_written_and_nothing_else_is_one() {
        let nonce = IncidentNonce::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(serde_json::to_string(&nonce).expect("JSON"), "\"000102030405060708090a0b0c0d0eff\"");
        assert_eq!(IncidentNonce::try_from(nonce.to_string()), Ok(nonce));
        for bad in ["", "00", "000102030405060708090a0b0c0d0e0g", "+00102030405060708090a0b0c0d0eff", "é"] {
            assert!(IncidentNonce::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_has_no_nonce_is_called_by_its_number_alone() {
        let incident = IncidentIdentity { id: IncidentId(12), nonce: None };
        assert_eq!((incident.to_string(), incident.page(3, None).to_string()), ("INC-12".into(), "INC-12.3".into()));
        let nonce = Some(IncidentNonce::new([255; 16]));
        let other = IncidentIdentity { nonce, ..incident };
        assert_eq!((incident.mark(), other.mark()), (String::new(), "ff".repeat(8)));
        assert_eq!(other.page(3, None).to_string(), format!("INC-12.3/{}", "ff".repeat(16)));
        let own = Some(PageNonce::new([1; 8]));
        assert_eq!(other.page(3, own).to_string(), format!("INC-12.3/{}/{}", "ff".repeat(16), "01".repeat(8)));
        assert_eq!((other.page(3, None).mark(), other.page(3, own).mark()), ("ff".repeat(8), "01".repeat(8)));
    }
}
