//! Packets of handoffs: each is encrypted with a key of its own, and kept beside the journal by its hash. Whoever destroys
//! the key has erased the conversation; the journal, which has the hash alone, still verifies.

use super::read::EngineReader;
use crate::{
    core::{Incident, IncidentNonce, Packet, event::text_hash},
    store::StoreError,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// A packet that is ready to be kept.
#[derive(Clone)]
pub(super) struct SealedPacket {
    /// The key that opens it.
    pub key: [u8; 32],
    /// The encrypted packet (ChaCha20-Poly1305, RFC 8439): nonce, text and tag in base64.
    pub text: String,
    /// The hash of that.
    pub hash: String,
}

impl SealedPacket {
    /// Seals a packet for the request with this nonce, under a new key. `None` never: a packet has limits far below those
    /// of the cipher.
    pub fn of(packet: &Packet, request: IncidentNonce) -> Option<Self> {
        let key = rand::random::<[u8; 32]>();
        let nonce = rand::random::<[u8; NONCE_LEN]>();
        let mut sealed = serde_json::to_vec(packet).ok()?;
        let aad = Aad::from(request.to_string());
        cipher(&key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        let text = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        let hash = text_hash(&text);
        Some(Self { key, text, hash })
    }
}

/// The packet that was sealed for this request; `None` if it was changed, or sealed with another key.
fn opened(sealed: &str, key: &[u8; 32], request: IncidentNonce) -> Option<Packet> {
    let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let nonce = Nonce::assume_unique_for_key(*sealed.first_chunk()?);
    let plain = cipher(key)?.open_within(nonce, Aad::from(request.to_string()), &mut sealed, NONCE_LEN..).ok()?;
    serde_json::from_slice(plain).ok()
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new)
}

impl EngineReader {
    /// The packet of a handoff; `None` if it has none, or if it was erased.
    pub async fn packet(&self, incident: &Incident) -> Result<Option<Packet>, StoreError> {
        let request = incident.request.as_ref().and_then(|request| request.ask.handoff.as_ref());
        let Some((terms, nonce)) = request.zip(incident.nonce) else { return Ok(None) };
        let Some(key) = self.request_key(incident.id).await? else { return Ok(None) };
        let text = self.text(terms.packet.clone()).await?;
        Ok(text.and_then(|text| opened(&text, &key, nonce)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_with_its_key_for_its_request_alone() {
        let packet: Packet = serde_json::from_value(serde_json::json!({
            "conversation": { "id": "c-1" }, "reason": { "code": "asked", "text": "the user asked" },
            "transcript": [{ "who": "user", "text": "Can I repay my loan early?", "confidence": 0.5 }],
            "risk": { "score": 0.1 }, "evidence": [{ "condition": "unsure", "values": { "n": 3 } }],
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        let packet = packet.fitted();
        let (own, other) = (IncidentNonce::new([1; 16]), IncidentNonce::new([2; 16]));
        let Some(sealed) = SealedPacket::of(&packet, own) else { panic!("a packet is short enough") };
        assert_eq!(sealed.hash, text_hash(&sealed.text));
        assert_eq!(opened(&sealed.text, &sealed.key, own), Some(packet.clone()));
        assert_eq!(opened(&sealed.text, &sealed.key, other), None);
        assert_eq!(opened(&sealed.text, &[7; 32], own), None);
        let Some(again) = SealedPacket::of(&packet, own) else { panic!("a packet is short enough") };
        assert!(again.key != sealed.key && again.text != sealed.text, "each has a key of its own");
    }
}
