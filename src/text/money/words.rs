//! The words of positions, profits and losses.

/// Words that say that the numbers beside them are positions, profits or losses, in texts and in names of fields.
pub(super) const WORDS: [&str; 60] = [
    "p&l",
    "pnl",
    "upnl",
    "rpnl",
    "mtm",
    "net",
    "gross",
    "position",
    "positions",
    "pos",
    "exposure",
    "exposures",
    "long",
    "longs",
    "short",
    "shorts",
    "notional",
    "notionals",
    "nop",
    "nmv",
    "gmv",
    "npv",
    "cvar",
    "m2m",
    "premium",
    "premia",
    "principal",
    "netliq",
    "inventory",
    "profit",
    "profits",
    "loss",
    "losses",
    "gain",
    "gains",
    "unrealised",
    "unrealized",
    "realised",
    "realized",
    "drawdown",
    "drawdowns",
    "nav",
    "aum",
    "cash",
    "collateral",
    "hold",
    "holds",
    "held",
    "holding",
    "holdings",
    "bought",
    "sold",
    "contracts",
    "shares",
    "lots",
    "qty",
    "dv01",
    "pv01",
    "vega",
    "gamma",
];

/// The same, in names of fields alone: a text says them of other things too.
pub(super) const WORDS_OF_FIELDS: [&str; 9] =
    ["var", "quantity", "delta", "theta", "balance", "margin", "equity", "contract", "lot"];

/// Words beside which a share in percent is as telling as the amount.
pub(super) const RESULTS: [&str; 11] =
    ["p&l", "pnl", "pl", "upnl", "rpnl", "drawdown", "nav", "unrealised", "unrealized", "realised", "realized"];

/// Words of what the market has: its lots and contracts are not ours.
pub(super) const OF_MARKETS: [&str; 9] =
    ["depth", "bid", "ask", "volume", "adv", "market", "traded", "auction", "spread"];

/// Words that make the number beside them a time or a share of something.
pub(super) const NO_AMOUNTS: [&str; 14] =
    ["pct", "percent", "rate", "packet", "packets", "ratio", "bps", "ns", "us", "ms", "s", "sec", "seconds", "ticks"];
