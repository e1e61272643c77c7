//! Networks, as `allow` names them.

use crate::toml_kit::{
    document::TomlItem,
    faults::{LocatedValue, MatrixFaults},
};
use std::net::IpAddr;
use toml::de::DeValue;

/// Addresses, each with the bits that count.
pub type Networks = Vec<(IpAddr, u8)>;

/// A list of networks and addresses; it may be empty.
pub(crate) fn networks(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Networks {
    if matches!(item.value, DeValue::Array(list) if list.is_empty()) {
        return Networks::new();
    }
    let texts = item.texts(faults).unwrap_or_default();
    let read = |text: &LocatedValue<String>| {
        let network = network(&text.value);
        if network.is_none() {
            let help = "write an address or a network: \"127.0.0.1\", \"10.0.0.0/8\", \"fd00::/8\"";
            faults.error("bad-network", text.at, format!("{:?} is not a network", text.value), help);
        }
        network
    };
    texts.iter().filter_map(read).collect()
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most)?;
    Some((address, bits))
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_is_an_address_with_the_bits_that_count() {
        for (text, bits) in
            [("10.0.0.0/8", Some(8)), ("127.0.0.1", Some(32)), ("fd00::/8", Some(8)), ("::1", Some(128))]
        {
            assert_eq!(network(text).map(|(_, bits)| bits), bits, "{text}");
        }
        for text in ["", "10", "10.0.0.0/33", "::/129", "example.com", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/"] {
            assert_eq!(network(text), None, "{text:?}");
        }
    }
}
