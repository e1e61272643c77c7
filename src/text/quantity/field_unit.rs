//! The unit that the name of a field says: what a percent sign and a magnitude behind its number are worth in it.

use crate::text::money::CURRENCIES;

/// What the words of a name say.
#[derive(Default)]
pub(super) struct FieldUnit {
    /// How many of its unit a percent is.
    percent: Option<f64>,
    /// How many of the plain unit its unit is: a gigabyte has 1e9 bytes.
    scale: Option<f64>,
    /// It is a time.
    is_time: bool,
    /// It counts something, money too.
    is_count: bool,
    /// Some measure it in percent, others from 0 to 1.
    is_share: bool,
    /// Its unit may be thousandths or millions.
    is_unclear: bool,
}

/// What is measured in percent by some and from 0 to 1 by others.
const SHARES: [&str; 13] = [
    "rate",
    "errorrate",
    "failrate",
    "fillrate",
    "hitrate",
    "rejectrate",
    "share",
    "utilization",
    "utilisation",
    "saturation",
    "availability",
    "uptime",
    "accuracy",
];

/// What is counted.
pub(super) const COUNTS: [&str; 32] = [
    "lot",
    "lots",
    "tick",
    "ticks",
    "contract",
    "contracts",
    "shares",
    "order",
    "orders",
    "count",
    "counts",
    "message",
    "messages",
    "msgs",
    "packets",
    "rows",
    "sessions",
    "connections",
    "requests",
    "rejects",
    "errors",
    "events",
    "fills",
    "trades",
    "cancels",
    "rps",
    "qps",
    "tps",
    "ops",
    "hz",
    "units",
    "bit",
];

/// Words beside which `bps` are bits in a second, and no basis points.
const OF_NETWORKS: [&str; 12] = [
    "bandwidth",
    "throughput",
    "traffic",
    "rx",
    "tx",
    "link",
    "nic",
    "network",
    "interface",
    "egress",
    "ingress",
    "net",
];

/// Units that begin with a letter which may be milli or mega.
const UNCLEAR: [&str; 12] = ["m", "mm", "mw", "mwh", "mv", "ma", "mg", "ml", "mj", "mpa", "mhz", "mbar"];

/// What may follow a prefix of the SI in a name.
const PREFIXED: [&str; 10] = ["bps", "bit", "bits", "hz", "w", "wh", "v", "g", "m", "pa"];

impl FieldUnit {
    /// The unit that these words of a name say.
    pub fn of(words: &[String]) -> Self {
        let mut unit = Self::default();
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        let is_money = has(&CURRENCIES);
        // The last word that is a unit is the name's own: `fill_ratio_pct` is in percent.
        for word in words.iter().rev() {
            // The least of something, more often than minutes.
            let is_time = seconds(word).is_some() && word != "min";
            let percent = percent(word).filter(|_| !(word.starts_with("bp") && has(&OF_NETWORKS)));
            let scale = bytes(word).or_else(|| scale(word, is_money));
            unit.is_time |= is_time;
            unit.percent = unit.percent.or(percent);
            unit.scale = unit.scale.or(scale);
            unit.is_count |= COUNTS.contains(&word.as_str()) || CURRENCIES.contains(&word.as_str());
            unit.is_share |= SHARES.contains(&word.as_str());
            unit.is_unclear |= scale.is_none() && UNCLEAR.contains(&word.as_str());
        }
        unit.is_count |= has(&["bps"]) && unit.percent.is_none();
        // It is from 0 to 1 here, unless the name says otherwise.
        unit.percent = unit.percent.or(has(&["confidence"]).then_some(0.01));
        unit
    }

    /// What a percent is in this unit. A name without any unit is in percent: it has no other to compare with.
    pub fn of_percent(&self) -> Option<f64> {
        let has_other = self.is_time || self.is_count || self.is_share || self.is_unclear || self.scale.is_some();
        self.percent.or_else(|| (!has_other).then_some(1.0))
    }

    /// What a hundredth of a percent is in this unit, which must be a share.
    pub fn of_basis_points(&self) -> Option<f64> {
        Some(self.percent? / 100.0)
    }

    /// What a magnitude is in this unit: `5G` of a field in gigabytes is 5.
    pub fn of_magnitude(&self, prefix: &str, times: f64) -> Option<f64> {
        // Nobody says kiloseconds, but templates write thousands of them; M may be months or minutes.
        if self.is_unclear || self.is_time && prefix != "k" {
            return None;
        }
        let scale = self.scale.unwrap_or(1.0);
        let is_plain = (scale - 1.0).abs() < f64::EPSILON;
        let is_own = scale == 1000.0 || scale == 1024.0;
        // Programs that count in 1024 leave the `i` out: `df` writes `5.0G` of what has 5 GiB.
        let times = if is_binary(scale) && !prefix.ends_with('i') { as_binary(times) } else { times };
        // `humanize` writes thousands of the field's own unit so, and others thousands of the plain one.
        (is_plain || prefix != "k" || is_own).then_some(times / scale)
    }
}

/// Whether it is a power of 1024.
fn is_binary(scale: f64) -> bool {
    (1..=6).any(|exponent| scale == 1024.0_f64.powi(exponent))
}

/// A power of 1000 as the same power of 1024.
fn as_binary(times: f64) -> f64 {
    1024.0_f64.powi((times.log10() / 3.0).round() as i32)
}

/// How many of the unit that this word names a percent is.
fn percent(word: &str) -> Option<f64> {
    Some(match word {
        "pct" | "pc" | "percent" | "percentage" => 1.0,
        "ratio" | "ratios" | "fraction" | "frac" | "prob" | "probability" => 0.01,
        "permille" | "permil" | "promille" => 10.0,
        "bp" | "bps" | "bips" => 100.0,
        "ppm" => 10_000.0,
        "ppb" => 10_000_000.0,
        _ if word.ends_with("pct") || word.ends_with("percent") => 1.0,
        _ if word.ends_with("ratio") => 0.01,
        _ => return None,
    })
}

/// How many of the plain unit the unit of this word is. Beside a currency, `m` and `mm` are millions.
fn scale(word: &str, is_money: bool) -> Option<f64> {
    let of_money = |word: &str| {
        Some(match word {
            "k" => 1e3,
            "m" | "mm" => 1e6,
            "b" => 1e9,
            "t" => 1e12,
            _ => return amount(word),
        })
    };
    if let Some(scale) = if is_money { of_money(word) } else { amount(word) } {
        return Some(scale);
    }
    for currency in CURRENCIES {
        let beside = word.strip_suffix(currency).or_else(|| word.strip_prefix(currency));
        if let Some(scale) = beside.and_then(of_money) {
            return Some(scale);
        }
    }
    let (prefix, unit) = word.split_at_checked(1)?;
    let is_clear = !UNCLEAR.contains(&word) && PREFIXED.contains(&unit);
    [("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12)]
        .iter()
        .find(|(known, _)| is_clear && *known == prefix)
        .map(|found| found.1)
}

/// The number that a word for one stands for.
fn amount(word: &str) -> Option<f64> {
    Some(match word {
        "hundred" | "hundreds" => 1e2,
        "k" | "thousand" | "thousands" | "000" | "000s" | "tsd" => 1e3,
        "lakh" | "lakhs" => 1e5,
        "mn" | "mln" | "mlns" | "mio" | "million" | "millions" => 1e6,
        "crore" | "crores" => 1e7,
        "bn" | "bln" | "mrd" | "mld" | "billion" | "billions" => 1e9,
        "tn" | "trn" | "trillion" | "trillions" => 1e12,
        _ => return None,
    })
}

/// How many seconds a unit of time has.
pub(super) fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "millis" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

/// How many bytes a unit in small letters has.
pub(super) fn bytes(unit: &str) -> Option<f64> {
    const NAMES: [(&str, &str); 10] = [
        ("kilo", "k"),
        ("mega", "m"),
        ("giga", "g"),
        ("tera", "t"),
        ("peta", "p"),
        ("kibi", "ki"),
        ("mebi", "mi"),
        ("gibi", "gi"),
        ("tebi", "ti"),
        ("pebi", "pi"),
    ];
    let unit = match unit {
        "meg" | "megs" => "mb",
        "gig" | "gigs" => "gb",
        other => other,
    };
    let prefix = match unit.strip_suffix("bytes").or_else(|| unit.strip_suffix("byte")) {
        Some(prefix) => NAMES.iter().find(|(name, _)| *name == prefix).map_or(prefix, |(_, short)| short),
        None => unit.strip_suffix('b')?,
    };
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) => (letter, 1024.0_f64),
        None => (prefix, 1000.0),
    };
    let exponent = ["", "k", "m", "g", "t", "p", "e"].iter().position(|known| *known == letter)?;
    Some(base.powi(i32::try_from(exponent).ok()?))
}
