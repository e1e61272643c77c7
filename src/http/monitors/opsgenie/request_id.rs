//! The ids of requests: UUIDs. Those of requests of which nothing is kept are of another version (8), so that they say so.

/// The id of a request of which the result is kept.
pub fn new() -> String {
    of_version(4)
}

/// The id of one of which nothing is kept.
pub fn noted() -> String {
    of_version(8)
}

/// Whether nothing is kept of the request with this id.
pub fn is_noted(id: &str) -> bool {
    id.len() == 36 && id.as_bytes().get(14) == Some(&b'8')
}

/// RFC 9562: 122 random bits around the version and the variant.
fn of_version(version: u128) -> String {
    let bits = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | (version << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_whether_its_result_is_kept() {
        let (kept, not) = (new(), noted());
        assert!(!is_noted(&kept) && is_noted(&not) && !is_noted("8"));
        for id in [kept, not] {
            assert!(id.len() == 36 && "89ab".contains(id.as_bytes()[19] as char), "{id}");
        }
    }
}
