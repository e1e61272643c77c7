//! What each role reads first depends on what happened: another layout, other clocks, another first step.

use super::{
    FORMS,
    crisis::{brief_of, by_trigger, later},
    render,
};
use stentor::{
    core::Alert,
    template::{PageTemplates, TextForm},
};

/// The triggers of the shipped matrix, each with an alert of its kind.
const TRIGGERS: [(&str, &str); 8] = [
    ("flash-crash", "price_velocity"),
    ("liquidity-gone", "depth_collapse"),
    ("runaway-orders", "order_rejects"),
    ("fat-finger", "order_notional"),
    ("kill-switch", "kill_switch"),
    ("model-uncertain", "model_decision"),
    ("trading-host-down", "TradingHostDown"),
    ("call-in", "call_in"),
];

fn alert(kind: &str, labels: &[(&str, &str)], values: &[(&str, f64)]) -> Alert {
    let mut alert = Alert::new("risk-monitor", kind);
    alert.summary = "gross limit 500m passed".into();
    alert.labels = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    alert.values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    alert
}

/// What a role reads in one form; it is no text that stood in for a broken one.
fn text(trigger: &str, alert: &Alert, role: &str, form: TextForm) -> String {
    let seconds = if role == "head-of-desk" { 95 } else { 0 };
    let mut incident = later(by_trigger(trigger, alert.clone()), seconds);
    incident.summary = "trading of equities has been stopped".into();
    let rendered = render(&PageTemplates::shipped(), &incident, brief_of(&incident, role), form);
    assert_eq!(rendered.fallback, None, "{trigger} {role} {form:?}");
    rendered.body + "\n" + &rendered.html.unwrap_or_default()
}

fn screen(trigger: &str, alert: &Alert, role: &str) -> String {
    text(trigger, alert, role, TextForm::Screen)
}

#[test]
fn every_trigger_of_the_shipped_matrix_has_a_test_here() {
    let matrix = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/matrix/40-triggers.toml")).unwrap();
    let named: Vec<&str> =
        matrix.lines().filter_map(|line| line.strip_prefix("[trigger.")?.strip_suffix(']')).collect();
    let mut known = TRIGGERS.map(|(name, _)| name).to_vec();
    known.retain(|name| !named.contains(name));
    assert!(known.is_empty() && named.len() == TRIGGERS.len(), "{named:?}");
}

#[test]
fn what_the_monitor_saw_reaches_every_role_on_every_long_text() {
    for (trigger, kind) in TRIGGERS {
        let alert = alert(kind, &[("desk", "equities")], &[]);
        for role in ["trader", "head-of-desk", "compliance", "it", "commander"] {
            for form in FORMS.into_iter().filter(|form| !matches!(form, TextForm::Sms | TextForm::Voice)) {
                let text = text(trigger, &alert, role, form);
                let is_seen = text.contains("gross limit ") && text.contains(" passed");
                assert!(is_seen, "{trigger} {role} {form:?}:\n{text}");
            }
        }
    }
}

#[test]
fn a_kill_switch_says_who_and_why_and_not_what_a_model_thinks() {
    let mut alert = alert("kill_switch", &[("desk", "equities")], &[("open_orders", 14.0), ("exposure_usd", -4e7)]);
    alert.annotations.insert("reason".into(), "gross limit".into());
    alert.annotations.insert("stopped_by".into(), "risk".into());
    for role in ["trader", "head-of-desk"] {
        let text = screen("kill-switch", &alert, role);
        for line in ["Stopped: equities", "By: risk", "Reason: gross limit", "Still ours: open orders 14", "Re-enable:"]
        {
            assert!(text.contains(line), "no {line} for {role}:\n{text}");
        }
        assert!(!text.contains("Model:"), "{text}");
    }
    let sms = text("kill-switch", &alert, "trader", TextForm::Sms);
    assert!(sms.contains("Reason: gross limit"), "{sms}");
}

#[test]
fn a_fat_finger_says_who_entered_what_and_shows_the_warnings() {
    let values = [("notional_usd", 4.44e11), ("intended_usd", 5.8e7), ("sent_usd", 1.89e11), ("blocked_usd", 2.55e11)];
    let mut alert = alert("order_notional", &[("order", "basket"), ("desk", "delta-one"), ("trader", "Ana")], &values);
    alert.annotations.insert("warnings".into(), "711 lines in one window".into());
    let text = screen("fat-finger", &alert, "trader");
    for part in ["trader Ana", "intended USD", "sent on USD", "blocked USD", "Warnings: 711 lines in one window"] {
        assert!(text.contains(part), "no {part}:\n{text}");
    }
    for form in [TextForm::Screen, TextForm::Mail, TextForm::Sms] {
        let text = self::text("fat-finger", &alert, "trader", form);
        assert!(text.contains("7,655 x intended"), "{form:?}:\n{text}");
    }
    alert.values.remove("intended_usd");
    assert!(!screen("fat-finger", &alert, "trader").contains("x intended"), "nobody said what was intended");
}

/// `per` says what a rate is measured against; its number is no time.
#[test]
fn a_rate_keeps_what_it_is_measured_against() {
    let values = [
        ("orders_per_min", 480.0),
        ("rejects_per_s", 12.0),
        ("latency_ms_per_hop", 5.0),
        ("errors_per_10_s", 7.0),
        ("fills_in_5_min", 3.0),
        ("msgs_s", 44.0),
        ("delay_99_ms", 8.0),
    ];
    let text = screen("kill-switch", &alert("kill_switch", &[("desk", "equities")], &values), "commander");
    for part in [
        "orders per min 480",
        "rejects per s 12",
        "latency per hop 5 ms",
        "errors per 10 s 7",
        "fills in 5 min 3",
        "msgs 44/s",
        "delay 99 8 ms",
    ] {
        assert!(text.contains(part), "no {part}:\n{text}");
    }
}

/// Neither in a monitor's words nor in the list of what no other line has.
#[test]
fn what_tells_of_our_position_is_not_listed_for_those_who_must_not_have_it() {
    let hidden =
        ["upnl", "unrealised", "pos", "qty", "shares", "lots", "contracts", "holdings", "delta", "nav", "cash"];
    let names: Vec<&str> = hidden.into_iter().chain(["book_value", "drawdown_pct"]).collect();
    for at in names.chunks(6) {
        let values: Vec<(&str, f64)> = at.iter().map(|name| (*name, 31_337.0)).chain([("queue", 27_182.0)]).collect();
        let mut alert = alert("kill_switch", &[("desk", "equities")], &values);
        for role in ["commander", "catch-all", "it"] {
            for form in FORMS {
                let text = told("kill-switch", &alert, role, form);
                assert!(!text.contains("31,337"), "{role} {form:?}: {text}");
                assert!(role == "it" || form != TextForm::Screen || text.contains("queue 27,182"), "{role}: {text}");
            }
        }
        for summary in ["we hold 31337 contracts", "notional 3.1337e9", "Drawdown 31.337 percent of NAV"] {
            alert.summary = summary.into();
            for form in FORMS {
                let text = text("kill-switch", &alert, "it", form);
                assert!(!text.contains("1337") && !text.contains("1.337"), "{form:?}: {text}");
            }
        }
    }
}

#[test]
fn a_model_that_is_unsure_says_what_it_proposes_and_what_happens_otherwise() {
    let mut alert = alert("model_decision", &[("model", "mm-7")], &[]);
    alert.confidence = 0.41;
    for (name, text) in [("proposal", "widen to 12 ticks"), ("default", "stops quoting"), ("deadline", "14:02")] {
        alert.annotations.insert(name.into(), text.into());
    }
    let text = screen("model-uncertain", &alert, "trader");
    for line in ["Model: mm-7 · confidence 41%", "Proposes: widen to 12 ticks", "Otherwise: stops quoting · at 14:02"]
    {
        assert!(text.contains(line), "no {line}:\n{text}");
    }
}

#[test]
fn market_clocks_say_when_they_hold() {
    let alert = alert("price_velocity", &[("symbol", "ACME"), ("asset_class", "equities")], &[("move_pct", 11.0)]);
    for role in ["trader", "head-of-desk"] {
        for form in [TextForm::Screen, TextForm::Mail] {
            let text = text("flash-crash", &alert, role, form);
            for part in
                ["until the primary reopens", "outside them, or after a halt", "15 min at 7 and 13 % before 15:25"]
            {
                assert!(text.contains(part), "{role} {form:?}: no {part}:\n{text}");
            }
            assert!(!text.contains("at most 10"), "{text}");
        }
    }
}

/// A trigger, labels of its alert, and the clocks that are shown.
type ClockCase = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// Which clock is shown for which event, and to which entity.
#[test]
fn only_the_clocks_that_may_start_are_shown() {
    let all = ["DORA", "8-K", "FINRA", "Reg SCI", "SUP 15.3", "MAR Art. 16", "Venue", "FCA/PRA"];
    let cases: [ClockCase; 14] = [
        ("flash-crash", &[], &["MAR Art. 16"]),
        ("flash-crash", &[("entity", "us")], &[]),
        ("fat-finger", &[], &["FINRA", "SUP 15.3", "MAR Art. 16", "Venue"]),
        ("fat-finger", &[("entity", "UK")], &["SUP 15.3", "MAR Art. 16", "Venue"]),
        ("kill-switch", &[("entity", "us")], &["FINRA", "Venue"]),
        ("trading-host-down", &[("entity", "eu")], &["DORA"]),
        ("trading-host-down", &[], &["DORA", "Reg SCI", "SUP 15.3", "FCA/PRA"]),
        ("runaway-orders", &[], &["DORA", "FINRA", "Reg SCI", "SUP 15.3", "MAR Art. 16", "Venue", "FCA/PRA"]),
        ("my-own", &[("event", "cyber"), ("entity", "us")], &["8-K", "Reg SCI"]),
        ("my-own", &[], &[]),
        // Words that are none of ours leave nothing out, and parts of other words are no words of ours.
        ("fat-finger", &[("event", "outage")], &["FINRA", "SUP 15.3", "MAR Art. 16", "Venue"]),
        ("fat-finger", &[("entity", "Acme Markets Ltd")], &["FINRA", "SUP 15.3", "MAR Art. 16", "Venue"]),
        ("trading-host-down", &[("entity", "Deutsche Trust")], &["DORA", "Reg SCI", "SUP 15.3", "FCA/PRA"]),
        ("my-own", &[("event", "restricted")], &[]),
    ];
    for (trigger, labels, expected) in cases {
        let alert = alert("any", labels, &[]);
        for form in [TextForm::Screen, TextForm::Mail] {
            let text = text(trigger, &alert, "compliance", form);
            let shown: Vec<&str> = all.into_iter().filter(|name| text.contains(name)).collect();
            assert_eq!(shown, expected, "{trigger} {labels:?} {form:?}:\n{text}");
            assert_eq!(text.contains("none is known for trigger my-own"), trigger == "my-own" && expected.is_empty());
        }
        let sms = text(trigger, &alert, "compliance", TextForm::Sms);
        assert_eq!(sms.contains("DORA initial 4 h from then, at the latest"), expected.contains(&"DORA"), "{sms}");
        assert!(!expected.contains(&"Venue") || sms.contains("Tell the venue"), "{sms}");
    }
}

#[test]
fn it_reads_neither_positions_nor_results_and_first_asks_for_open_orders() {
    let values = [("exposure_usd", -8.4e7), ("pnl_per_min_usd", -1.25e6), ("pnl_usd", -9e6), ("secret_sauce", 7.0)];
    for (trigger, kind) in TRIGGERS {
        let alert = alert(kind, &[("symbol", "ES"), ("strategy", "mm-7")], &values);
        for form in FORMS {
            let text = text(trigger, &alert, "it", form);
            for word in ["84,000,000", "1,250,000", "9,000,000", "secret sauce", "mm-7", "pnl", "P&L", "P&amp;L"] {
                assert!(!text.contains(word), "{trigger} {form:?} says {word}:\n{text}");
            }
            assert!(text.to_lowercase().contains("open orders?"), "{trigger} {form:?}:\n{text}");
            assert!(!text.contains("roll back"), "{trigger} {form:?}: no version differs:\n{text}");
        }
    }
}

#[test]
fn the_first_step_of_it_is_that_of_the_trigger_and_the_ban_on_rolling_back_is_for_hosts_that_differ() {
    let mut alert = alert("order_rejects", &[("system", "SMARS")], &[]);
    assert!(screen("runaway-orders", &alert, "it").contains("Find what still sends"));
    assert!(screen("kill-switch", &alert, "it").contains("Start nothing again"));
    alert.evidence = serde_json::json!({ "versions": { "a": "4.2", "b": "4.2" } });
    assert!(!screen("runaway-orders", &alert, "it").contains("roll back"));
    alert.evidence = serde_json::json!({ "versions": { "a": "4.2", "b": "4.2", "c": "4.1" } });
    for form in [TextForm::Screen, TextForm::Sms, TextForm::Mail] {
        let text = text("runaway-orders", &alert, "it", form);
        assert!(text.contains("roll back before confirming which hosts differ"), "{form:?}:\n{text}");
    }
}

/// Only the trader and the head of desk, where only they read it, see the figures of positions, profits and losses.
#[test]
fn positions_are_for_the_desk_alone_and_bands_on_channels_that_others_may_read() {
    let labels = [("desk", "equities"), ("description", "P&L USD -1.2m so far")];
    let values = [("exposure_usd", -48_250_000.0), ("pnl_per_min_usd", -1_250_000.0), ("position", 48_250.0)];
    let figures = ["48,250", "48.25", "48250", "1,250,000", "1.25", "1.2m"];
    for (trigger, kind) in TRIGGERS {
        let mut alert = alert(kind, &labels, &values);
        alert.summary = "seen: stopped at net USD -48,250,000, P&L USD -1.2m, 7 sessions down".into();
        for role in ["trader", "head-of-desk", "compliance", "it", "commander", "catch-all", "default"] {
            for form in FORMS {
                let told = told(trigger, &alert, role, form);
                let is_shown = figures.iter().any(|figure| told.contains(figure));
                let is_desk = matches!(role, "trader" | "head-of-desk");
                let is_confidential = matches!(form, TextForm::Screen | TextForm::Slack | TextForm::Mail);
                assert_eq!(is_shown, is_desk && is_confidential, "{trigger} {role} {form:?}: {told}");
                if form == TextForm::Screen && role != "commander" && role != "catch-all" && role != "default" {
                    assert!(told.contains("7 sessions down"), "{trigger} {role}: {told}");
                }
            }
        }
    }
    let alert = alert("price_velocity", &[("symbol", "ES")], &values);
    let sms = told("flash-crash", &alert, "trader", TextForm::Sms);
    assert!(sms.contains("net short, USD 25-50 million"), "{sms}");
    assert!(told("flash-crash", &alert, "trader", TextForm::Screen).contains("net USD -48,250,000"));
    let commander = told("flash-crash", &alert, "commander", TextForm::Screen);
    assert!(commander.contains("net short, USD 25-50 million"), "{commander}");
}

/// The text of one role's template, whoever the trigger asks.
fn told(trigger: &str, alert: &Alert, template: &str, form: TextForm) -> String {
    let mut incident = later(by_trigger(trigger, alert.clone()), 0);
    incident.summary = "trading of equities has been stopped".into();
    let plan = std::sync::Arc::make_mut(&mut incident.plan);
    plan.roles.get_mut("it").unwrap().template = template.into();
    let rendered = render(&PageTemplates::shipped(), &incident, brief_of(&incident, "it"), form);
    assert_eq!(rendered.fallback, None, "{trigger} {template} {form:?}");
    rendered.body + "\n" + &rendered.html.unwrap_or_default()
}

#[test]
fn a_rally_is_up_whatever_the_monitor_calls_it() {
    for (name, value, says) in
        [("drop_pct", -6.1, "up 6.1%"), ("drop_pct", 6.1, "down 6.1%"), ("move_pct", -6.1, "down 6.1%")]
    {
        for role in ["trader", "head-of-desk", "default"] {
            let told = told(
                "flash-crash",
                &alert("price_velocity", &[("symbol", "ES")], &[(name, value)]),
                role,
                TextForm::Screen,
            );
            assert!(told.contains(says) && !told.contains("-6.1"), "{name} {value} {role}: {told}");
        }
    }
}
