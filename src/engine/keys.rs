//! Codes, links and sessions, derived from the server key when they are needed and never stored.
//!
//! Each is an HMAC-SHA256 of what it stands for, under a label of its own, so that none can be passed for another. A page is
//! taken with its incident's nonce: what was sent before a backup was restored fits no incident of after it.

use crate::{
    core::{PageId, PageIdentity, PersonName, Timestamp, event::hex},
    text::reply::CODE_DIGITS,
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a desk link may be used to sign in.
pub const DESK_LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long a signed-in desk stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The server key's derivations.
#[derive(Clone)]
pub struct DerivedKeys([u8; 32]);

impl DerivedKeys {
    /// From the store's server key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The code that answers a page: [`CODE_DIGITS`] digits, never beginning with zero.
    pub fn code(&self, page: PageIdentity) -> SecretString {
        let mac = self.mac("code", &page.to_string());
        let n = u64::from_be_bytes([mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], mac[6], mac[7]]);
        let (low, span) = (10_u64.pow(CODE_DIGITS as u32 - 1), 9 * 10_u64.pow(CODE_DIGITS as u32 - 1));
        SecretString::from((low + n % span).to_string())
    }

    /// Whether `given` is the page's code.
    pub fn is_code(&self, page: PageIdentity, given: &str) -> bool {
        same(self.code(page).expose_secret(), given)
    }

    /// The last part of a page's answer link.
    pub fn link_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(format!("{}.{}", page.page, hex(&self.mac("link", &page.to_string())[..16])))
    }

    /// Whether `given` is the last part of the page's answer link.
    pub fn is_link_token(&self, page: PageIdentity, given: &str) -> bool {
        same(self.link_token(page).expose_secret(), given)
    }

    /// What a provider's report about a page must carry: it can not be made up by whoever knows the page's number.
    pub fn report_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(hex(&self.mac("report", &page.to_string())[..16]))
    }

    /// A mark of a phone number that tells nothing of it: whether it is still the same one.
    pub fn number_mark(&self, phone: &str) -> String {
        hex(&self.mac("number", phone)[..8])
    }

    /// What the message id of a page's mail carries. It travels in headers, so it opens nothing by itself.
    pub fn mail_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(hex(&self.mac("mail", &page.to_string())[..8]))
    }

    /// The signature of what this daemon says to itself by its public address.
    pub fn echo_call(&self, nonce: &str) -> SecretString {
        SecretString::from(hex(&self.mac("echo call", nonce)))
    }

    /// Whether this very daemon signed that.
    pub fn is_echo_call(&self, nonce: &str, given: &str) -> bool {
        same(self.echo_call(nonce).expose_secret(), given)
    }

    /// What it answers itself.
    pub fn echo(&self, nonce: &str) -> SecretString {
        SecretString::from(hex(&self.mac("echo", nonce)))
    }

    /// Whether that is the answer.
    pub fn is_echo(&self, nonce: &str, given: &str) -> bool {
        same(self.echo(nonce).expose_secret(), given)
    }

    /// A token that signs a person in until `until`.
    pub fn sign_in(&self, person: &PersonName, until: Timestamp) -> SecretString {
        self.grant("desk", person, until)
    }

    /// A signed-in desk's cookie.
    pub fn session(&self, person: &PersonName, until: Timestamp) -> SecretString {
        self.grant("session", person, until)
    }

    /// Whom a desk link signs in, if it is good at `now`.
    pub fn signed_in(&self, token: &str, now: Timestamp) -> Option<PersonName> {
        self.granted("desk", token, now)
    }

    /// Whose session a cookie is, if it is good at `now`.
    pub fn person_of_session(&self, cookie: &str, now: Timestamp) -> Option<PersonName> {
        self.granted("session", cookie, now)
    }

    /// What a desk page must send along with an answer: a page of another site can not know it.
    pub fn csrf(&self, cookie: &str) -> SecretString {
        SecretString::from(hex(&self.mac("csrf", cookie)[..16]))
    }

    /// A name for this installation that tells nothing: eight hexadecimal digits.
    pub fn site(&self) -> String {
        hex(&self.mac("site", "")[..4])
    }

    fn grant(&self, label: &str, person: &PersonName, until: Timestamp) -> SecretString {
        let seconds = until.as_micros() / 1_000_000;
        let mac = self.mac(label, &format!("{person}.{seconds}"));
        SecretString::from(format!("{person}.{seconds}.{}", hex(&mac[..16])))
    }

    fn granted(&self, label: &str, token: &str, now: Timestamp) -> Option<PersonName> {
        let (rest, _) = token.rsplit_once('.')?;
        let (person, seconds) = rest.rsplit_once('.')?;
        let until = Timestamp::from_micros(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?);
        let person = PersonName::from(person);
        let good = same(self.grant(label, &person, until).expose_secret(), token);
        (good && now < until).then_some(person)
    }

    /// HMAC takes keys of any length; ours fits its block, padded with zeros as the standard does (RFC 2104).
    fn keyed(&self) -> Hmac<Sha256> {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        <Hmac<Sha256> as KeyInit>::new(&block.into())
    }

    fn mac(&self, label: &str, text: &str) -> [u8; 32] {
        let mut mac = self.keyed();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// The page that a link's token names; whether the token is that page's is still to be seen.
pub fn named_in_link(token: &str) -> Option<PageId> {
    token.rsplit_once('.')?.0.parse().ok()
}

/// Compares two secrets without telling by the time it takes where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{IncidentId, IncidentIdentity, IncidentNonce};

    fn page(nonce: Option<u8>, n: u32) -> PageIdentity {
        IncidentIdentity { id: IncidentId(12), nonce: nonce.map(|byte| IncidentNonce::new([byte; 16])) }.page(n, None)
    }

    #[test]
    fn a_link_opens_its_own_page_and_no_other() {
        let keys = DerivedKeys::new([7; 32]);
        let token = keys.link_token(page(Some(1), 3));
        let token = token.expose_secret();
        assert_eq!(named_in_link(token), Some(page(None, 3).page));
        assert!(keys.is_link_token(page(Some(1), 3), token));
        let forged = token.replace("INC-12.3", "INC-12.4");
        assert!(!keys.is_link_token(page(Some(1), 4), &forged));
        assert!(!keys.is_link_token(page(Some(2), 3), token), "the same number in another life of the store");
        assert!(!keys.is_link_token(page(None, 3), token));
        assert!(!DerivedKeys::new([8; 32]).is_link_token(page(Some(1), 3), token));
    }

    #[test]
    fn nothing_derived_is_shared_by_two_incidents_of_one_number() {
        let keys = DerivedKeys::new([7; 32]);
        let derived = |nonce: Option<u8>| {
            let page = page(nonce, 3);
            let secrets = [keys.link_token(page), keys.report_token(page), keys.mail_token(page)];
            secrets.map(|secret| secret.expose_secret().to_owned())
        };
        let (before, one, two) = (derived(None), derived(Some(1)), derived(Some(2)));
        for (n, of_one) in one.iter().enumerate() {
            assert!(*of_one != before[n] && *of_one != two[n] && before[n] != two[n], "{n}");
        }
        // Codes are short: single ones may be equal by chance, all of them can not.
        let codes = |nonce| (1..=20).map(|n| keys.code(page(nonce, n)).expose_secret().to_owned()).collect::<Vec<_>>();
        assert!(codes(Some(1)) != codes(Some(2)) && codes(Some(1)) != codes(None));
    }

    /// Codes and links that are out there when a daemon is upgraded stay good.
    #[test]
    fn without_a_nonce_everything_is_derived_as_it_was() {
        let keys = DerivedKeys::new([7; 32]);
        let page = page(None, 3);
        let of_before = |label| hex(&keys.mac(label, "INC-12.3")[..16]);
        assert_eq!(keys.link_token(page).expose_secret(), format!("INC-12.3.{}", of_before("link")));
        assert_eq!(keys.report_token(page).expose_secret(), of_before("report"));
        assert_eq!(keys.mail_token(page).expose_secret(), &of_before("mail")[..16]);
        let mac = keys.mac("code", "INC-12.3");
        let n = u64::from_be_bytes(mac[..8].try_into().expect("eight bytes"));
        assert_eq!(keys.code(page).expose_secret(), (10_000 + n % 90_000).to_string());
    }

    #[test]
    fn a_desk_link_is_no_session_and_ends() {
        let (keys, now) = (DerivedKeys::new([7; 32]), Timestamp::from_micros(1_000_000_000));
        let token = keys.sign_in(&PersonName::from("ana"), now + DESK_LINK_LIFE);
        assert_eq!(keys.signed_in(token.expose_secret(), now), Some(PersonName::from("ana")));
        assert_eq!(keys.signed_in(token.expose_secret(), now + DESK_LINK_LIFE), None);
        assert_eq!(keys.person_of_session(token.expose_secret(), now), None);
    }

    #[test]
    fn codes_have_five_digits() {
        let keys = DerivedKeys::new([7; 32]);
        for n in 1..500 {
            let code = keys.code(page(Some(1), n));
            assert_eq!(code.expose_secret().len(), CODE_DIGITS);
        }
    }
}
