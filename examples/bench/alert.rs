//! The alerts that are posted, in Alertmanager's own form. The id of an alert can be found again in its pages.

/// What every id begins with; no other text of the benchmark has it before a digit.
const MARK: &[u8] = b"bn";

/// Digits of an id, so that none is the beginning of another.
const DIGITS: usize = 8;

/// Stentor sends at most 1000 messages at once to one destination, and a trigger opens at most 1000 incidents a minute. So
/// the incidents are shared among many triggers, each with people of its own: no limit must be what is measured.
pub const VARIANTS: u32 = 60;

/// Who is to be paged about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One person.
    One,
    /// Three roles, one person each.
    Three,
    /// One person, who is asked for an approval.
    Ask,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Three => "three",
            Self::Ask => "ask",
        }
    }

    /// Pages that each incident makes.
    pub fn pages(self) -> usize {
        match self {
            Self::One | Self::Ask => 1,
            Self::Three => 3,
        }
    }
}

/// The alert with this id as the body of a request.
pub fn body(kind: Kind, id: u32, starts_at: &str) -> String {
    let (kind, variant) = (kind.name(), id % VARIANTS);
    format!(
        r#"[{{"labels":{{"alertname":"{kind}-{variant}","id":"bn{id:08}","severity":"critical","desk":"equities"}},"annotations":{{"summary":"bn{id:08} fell by six percent","drop_pct":"6.2"}},"startsAt":"{starts_at}","generatorURL":"http://127.0.0.1:9090/graph"}}]"#
    )
}

/// A request for an approval with this id, as the body of `POST /v1/requests`.
pub fn ask(id: u32) -> String {
    let (kind, variant) = (Kind::Ask.name(), id % VARIANTS);
    format!(
        r#"{{"kind":"{kind}-{variant}","labels":{{"desk":"equities"}},"values":{{"drop_pct":6.2}},"ask":{{"type":"approval","question":"bn{id:08} fell by six percent: sell?"}}}}"#
    )
}

/// The phone of the person of a variant who has this way.
pub fn phone(variant: u32, way: u32) -> String {
    format!("+447700900{:03}", 3 * variant + way)
}

/// The id in a request that came out: an SMS in a query, a webhook's body.
pub fn id_in(bytes: &[u8]) -> Option<u32> {
    bytes.windows(MARK.len() + DIGITS).find_map(|window| {
        let digits = window.strip_prefix(MARK)?;
        digits.iter().try_fold(0, |id: u32, digit| digit.is_ascii_digit().then(|| id * 10 + u32::from(digit - b'0')))
    })
}
