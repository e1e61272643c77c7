//! Codes, links and sessions, derived from the server key when needed and never stored.
//!
//! Each is an HMAC-SHA256 under its own label, so that none can be used in place of another. Pages include the nonce of
//! their incident: what was sent before a backup was restored matches no incident after it.

use crate::{
    core::{PageId, PageIdentity, PersonName, Timestamp, hex::hex},
    journal::{AnchorKey, SignedAnchor},
    receipt::{self, ReceiptKey, ReceiptKeys, SignError},
    text::reply::CODE_DIGITS,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{Ed25519KeyPair, KeyPair},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq;

/// How long a desk link can be used to sign in.
pub const DESK_LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long a signed-in desk stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The byte behind a sealed text; zeros follow it.
const PADDING_BEGINS: u8 = 0x80;

/// What is derived from the server key.
#[derive(Clone)]
pub struct DerivedKeys {
    key: [u8; 32],
    /// How often each person's desks were signed out. It is part of what signs them in.
    signed_out: Arc<Mutex<BTreeMap<PersonName, u64>>>,
}

impl DerivedKeys {
    /// Derives from this server key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, signed_out: Arc::default() }
    }

    /// The code that answers a page: [`CODE_DIGITS`] digits, never beginning with zero.
    pub fn code(&self, page: PageIdentity) -> SecretString {
        let mac = self.mac("code", &page.to_string());
        let n = u64::from_be_bytes([mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], mac[6], mac[7]]);
        let (low, span) = (10_u64.pow(CODE_DIGITS as u32 - 1), 9 * 10_u64.pow(CODE_DIGITS as u32 - 1));
        SecretString::from((low + n % span).to_string())
    }

    /// Whether `given` is the code of the page.
    pub fn is_code(&self, page: PageIdentity, given: &str) -> bool {
        same(self.code(page).expose_secret(), given)
    }

    /// The token in a page's answer link.
    pub fn link_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(format!("{}.{}", page.page, hex(&self.mac("link", &page.to_string())[..16])))
    }

    /// Whether `given` is the token in the page's answer link.
    pub fn is_link_token(&self, page: PageIdentity, given: &str) -> bool {
        same(self.link_token(page).expose_secret(), given)
    }

    /// The token that a provider's report about a page must carry: the page's number alone is not enough to forge one.
    pub fn report_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(hex(&self.mac("report", &page.to_string())[..16]))
    }

    /// A mark of a phone number that does not reveal it, but shows whether it is still the same.
    pub fn number_mark(&self, phone: &str) -> String {
        hex(&self.mac("number", phone)[..8])
    }

    /// Encrypts a text (ChaCha20-Poly1305, RFC 8439): only this server key opens it again, and only for the same `of` and
    /// `once`. Its length shows only in steps of 32 bytes. `None` if it is too long for the cipher (256 GiB).
    pub fn seal(&self, of: &str, once: &str, text: &str) -> Option<String> {
        let mut sealed = text.as_bytes().to_vec();
        sealed.push(PADDING_BEGINS);
        sealed.resize(sealed.len().next_multiple_of(32), 0);
        let nonce = rand::random::<[u8; NONCE_LEN]>();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.sealing_key(of, once)?.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The text that was sealed; `None` if it was changed, or sealed for another `of` or `once`.
    pub fn unseal(&self, of: &str, once: &str, sealed: &str) -> Option<String> {
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let nonce = Nonce::assume_unique_for_key(*sealed.first_chunk()?);
        let key = self.sealing_key(of, once)?;
        let padded = key.open_within(nonce, Aad::empty(), &mut sealed, NONCE_LEN..).ok()?;
        let end = padded.iter().rposition(|byte| *byte == PADDING_BEGINS)?;
        String::from_utf8(padded[..end].to_vec()).ok()
    }

    /// Each pair has a key of its own, so that a sealed text can not be moved to another person or channel.
    fn sealing_key(&self, of: &str, once: &str) -> Option<LessSafeKey> {
        let key = self.mac("seal", &format!("{of}\0{once}"));
        UnboundKey::new(&CHACHA20_POLY1305, &key).ok().map(LessSafeKey::new)
    }

    /// The pair of keys that signs copies of anchors.
    fn anchor_pair(&self) -> Option<Ed25519KeyPair> {
        // Every 32 bytes are a seed.
        Ed25519KeyPair::from_seed_unchecked(&self.mac("anchor", "")).ok()
    }

    /// The public key with which the signatures of anchors are checked.
    pub fn anchor_key(&self) -> Option<AnchorKey> {
        let bytes = self.anchor_pair()?.public_key().as_ref().try_into().ok()?;
        Some(AnchorKey::new(bytes))
    }

    /// A signed copy of this anchor.
    pub fn sign_anchor(&self, seq: u64, hash: &[u8; 32], at: Timestamp) -> Option<SignedAnchor> {
        let pair = self.anchor_pair()?;
        Some(SignedAnchor::new(self.site(), seq, hash, at, |statement| pair.sign(statement).as_ref().to_vec()))
    }

    /// The pair of keys number `n` that signs receipts.
    fn receipt_pair(&self, n: u32) -> Option<Ed25519KeyPair> {
        // Every 32 bytes are a seed.
        Ed25519KeyPair::from_seed_unchecked(&self.mac("receipt", &n.to_string())).ok()
    }

    /// The public keys with which receipts are checked while number `current` signs: that one, and the one before.
    pub fn receipt_keys(&self, current: u32) -> ReceiptKeys {
        let numbers = [Some(current), current.checked_sub(1).filter(|before| 0 < *before)];
        let public = |n: u32| self.receipt_pair(n)?.public_key().as_ref().try_into().ok().map(ReceiptKey::new);
        ReceiptKeys::new(numbers.into_iter().flatten().filter_map(public).collect())
    }

    /// A receipt that says this, signed by key number `current`.
    ///
    /// # Errors
    /// What can not be said so that every reader reads the same.
    pub fn sign_receipt(&self, current: u32, claims: &impl Serialize) -> Result<String, SignError> {
        let pair = self.receipt_pair(current).ok_or(SignError::NoKey)?;
        let key = pair.public_key().as_ref().try_into().map_err(|_| SignError::NoKey)?;
        receipt::sign(claims, &ReceiptKey::new(key).kid(), |bytes| pair.sign(bytes).as_ref().to_vec())
    }

    /// The token in the message id of a page's mail. It travels in headers, so it gives access to nothing by itself.
    pub fn mail_token(&self, page: PageIdentity) -> SecretString {
        SecretString::from(hex(&self.mac("mail", &page.to_string())[..8]))
    }

    /// The signature of this daemon's test request to itself.
    pub fn echo_call(&self, nonce: &str) -> SecretString {
        SecretString::from(hex(&self.mac("echo call", nonce)))
    }

    /// Whether this daemon signed that request.
    pub fn is_echo_call(&self, nonce: &str, given: &str) -> bool {
        same(self.echo_call(nonce).expose_secret(), given)
    }

    /// The answer to that request.
    pub fn echo(&self, nonce: &str) -> SecretString {
        SecretString::from(hex(&self.mac("echo", nonce)))
    }

    /// Whether this is that answer.
    pub fn is_echo(&self, nonce: &str, given: &str) -> bool {
        same(self.echo(nonce).expose_secret(), given)
    }

    /// A token that signs a person in until `until`.
    pub fn sign_in(&self, person: &PersonName, until: Timestamp) -> SecretString {
        self.grant("desk", person, until)
    }

    /// The cookie of a signed-in desk.
    pub fn session(&self, person: &PersonName, until: Timestamp) -> SecretString {
        self.grant("session", person, until)
    }

    /// The person whom a desk link signs in, if it is valid at `now`.
    pub fn signed_in(&self, token: &str, now: Timestamp) -> Option<PersonName> {
        self.granted("desk", token, now)
    }

    /// The person of a session cookie, if it is valid at `now`.
    pub fn person_of_session(&self, cookie: &str, now: Timestamp) -> Option<PersonName> {
        self.granted("session", cookie, now)
    }

    /// The token that a desk page must send with an answer, which pages of other sites can not know.
    pub fn csrf(&self, cookie: &str) -> SecretString {
        SecretString::from(hex(&self.mac("csrf", cookie)[..16]))
    }

    /// A name for this installation that reveals nothing: eight hexadecimal digits.
    pub fn site(&self) -> String {
        hex(&self.mac("site", "")[..4])
    }

    /// Ends every session and desk link of a person that was made so far. The journal keeps this; it is called for each
    /// such line at a start.
    pub fn sign_out(&self, person: &PersonName) {
        *self.signed_out.lock().unwrap_or_else(PoisonError::into_inner).entry(person.clone()).or_default() += 1;
    }

    fn grant(&self, label: &str, person: &PersonName, until: Timestamp) -> SecretString {
        let seconds = until.as_micros() / 1_000_000;
        let times = self.signed_out.lock().unwrap_or_else(PoisonError::into_inner).get(person).copied();
        // A person who was never signed out keeps sessions from versions that did not have this.
        let mac = match times {
            None => self.mac(label, &format!("{person}.{seconds}")),
            Some(times) => self.mac(label, &format!("{person}.{seconds}\0{times}")),
        };
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

    /// HMAC takes keys of any length; ours fits one block, padded with zeros as RFC 2104 says.
    fn keyed(&self) -> Hmac<Sha256> {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
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

/// The page that a link's token names; whether the token is valid is checked elsewhere.
pub fn named_in_link(token: &str) -> Option<PageId> {
    token.rsplit_once('.')?.0.parse().ok()
}

/// Compares two secrets in constant time.
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
    fn what_is_sealed_is_opened_for_whom_it_was_sealed_and_for_nobody_else() {
        let keys = DerivedKeys::new([7; 32]);
        for text in ["", "1000001", "a text of exactly thirty-two byte", &"long ".repeat(40), "tail\0\0"] {
            let Some(sealed) = keys.seal("bot ana", "1", text) else { panic!("{text:?} is short enough") };
            assert!(text.is_empty() || !sealed.contains(&hex(text.as_bytes())));
            assert_eq!(keys.unseal("bot ana", "1", &sealed).as_deref(), Some(text));
            assert_eq!(keys.unseal("bot bo", "1", &sealed), None);
            assert_eq!(keys.unseal("bot ana", "2", &sealed), None);
            assert_eq!(DerivedKeys::new([8; 32]).unseal("bot ana", "1", &sealed), None);
            for at in [0, sealed.len() / 2] {
                let mut changed = sealed.clone();
                changed.replace_range(at..=at, if &sealed[at..=at] == "A" { "B" } else { "A" });
                assert_eq!(keys.unseal("bot ana", "1", &changed), None);
            }
            assert_eq!(keys.unseal("bot ana", "1", &sealed[..8]), None);
        }
        let length = |text| keys.seal("x", "1", text).map(|sealed| sealed.len());
        assert_eq!(length("7"), length("1000001"));
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
    fn who_was_signed_out_needs_a_new_link_and_nobody_else_does() {
        let (keys, now) = (DerivedKeys::new([7; 32]), Timestamp::from_micros(1_000_000_000));
        let (ana, bo) = (PersonName::from("ana"), PersonName::from("bo"));
        let of = |keys: &DerivedKeys, person: &PersonName| {
            let until = now + DESK_LINK_LIFE;
            [keys.sign_in(person, until), keys.session(person, until)].map(|token| token.expose_secret().to_owned())
        };
        let (before, other) = (of(&keys, &ana), of(&keys, &bo));
        let opens = |keys: &DerivedKeys, [link, session]: &[String; 2]| {
            (keys.signed_in(link, now).is_some(), keys.person_of_session(session, now).is_some())
        };
        let shared = keys.clone();
        for _ in 0..2 {
            let old = of(&keys, &ana);
            shared.sign_out(&ana);
            let new = of(&keys, &ana);
            assert_eq!((opens(&keys, &before), opens(&keys, &old)), ((false, false), (false, false)));
            assert_eq!((opens(&keys, &new), opens(&keys, &other)), ((true, true), (true, true)));
        }
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
