//! Faults of the matrix: each row changes one thing of a matrix that has none.

use super::*;
use stentor::matrix::Severity;

/// Without fault; each row below changes one thing.
pub(super) const BASE: &str = r#"
[daemon]
listen = "127.0.0.1:8600"
public_url = "https://stentor.example"

[source.monitor]
token = { env = "MONITOR_TOKEN" }

[channel.desk]
kind = "screen"

[channel.room]
kind = "slack"
token = { env = "SLACK" }

[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"

[channel.mail]
kind = "smtp"
url = "smtps://mail.example:465"
from = "stentor@mail.example"

[person.ana]
name = "Ana"
phone = "+447700900001"
email = "ana@mail.example"

[person.bo]
name = "Bo"

[rotation.week]
people = ["ana"]
handoff = "0 8 * * Mon"
timezone = "Europe/London"

[role.trader]
target = { within = "60s", percent = 90 }
step = [{ page = ["ana"], by = ["desk", "sms"], wait = "45s" }]
next = "head"

[role.head]
step = [{ page = ["rotation.week"], by = ["desk"], wait = "60s" }]

[trigger.crash]
on = ["price_velocity"]
when = 'alert.values.drop_pct >= 5.0'
roles = ["trader"]
room = "room"

[catch-all]
page = ["ana"]
by = ["desk"]
"#;

/// The faults of the base with `from` changed to `to`: code and text underlined.
#[track_caller]
pub(super) fn check(from: &str, to: &str, expected: &[(&str, &str)]) {
    assert!(BASE.contains(from), "the base has {from:?}");
    faults_of(&BASE.replacen(from, to, 1), expected);
}

#[track_caller]
pub(super) fn check_added(text: &str, expected: &[(&str, &str)]) {
    faults_of(&format!("{BASE}{text}\n"), expected);
}

#[track_caller]
pub(super) fn faults_of(text: &str, expected: &[(&str, &str)]) {
    let files = [file("m.toml", text)];
    let parsed = parse(&files);
    let rows = parsed.diagnostics.iter().filter(|d| !USE.contains(&d.code));
    let found: Vec<(&str, &str)> = rows.map(|d| (d.code, &text[d.span.clone()])).collect();
    assert_eq!(found, expected, "{}", render(&parsed.diagnostics, &files, false));
    let refused = parsed.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(parsed.matrix.is_none(), refused);
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.help.is_some(), "{} says what to write instead", diagnostic.code);
    }
}

#[test]
fn the_base_has_no_fault() {
    faults_of(BASE, &[]);
}

#[test]
fn what_is_not_toml_is_told_alone() {
    check("name = \"Bo\"", "name = \"Bo", &[("toml-syntax", "")]);
    check("[person.bo]", "[person.bo", &[("toml-syntax", "")]);
    check("name = \"Bo\"", "name = \"Bo\"\nname = \"Bob\"", &[("toml-syntax", "name")]);
}

#[test]
fn a_key_that_nobody_knows_is_refused() {
    check("when =", "wen =", &[("unknown-key", "wen")]);
    check("[catch-all]", "[catchall]", &[("unknown-key", "catchall"), ("no-catch-all", "")]);
    check("wait = \"60s\"", "wait = \"60s\", weight = 1", &[("unknown-key", "weight")]);
    check("{ env = \"SLACK\" }", "{ env = \"SLACK\", x = \"y\" }", &[("unknown-key", "x")]);
    check("kind = \"screen\"", "kind = \"screen\"\nurl = \"http://x\"", &[("key-without-effect", "url")]);
}

/// Keys that the version before knew by another name are read for one more version.
#[test]
fn a_renamed_key_is_read_and_said_to_be_renamed() {
    let desk = "[channel.desk]\nkind = \"screen\"";
    check(desk, &format!("{desk}\npatience = \"9s\""), &[("renamed-key", "patience")]);
    check(desk, &format!("{desk}\naccept_timeout = \"9s\""), &[]);
    check(desk, &format!("{desk}\npatience = \"9s\"\naccept_timeout = \"8s\""), &[("renamed-key", "patience")]);
    let text = BASE.replace(desk, &format!("{desk}\npatience = \"9s\""));
    let parsed = parse(&[file("m.toml", &text)]);
    assert!(parsed.diagnostics.iter().all(|fault| fault.severity == Severity::Warning), "{:?}", parsed.diagnostics);
    let matrix = parsed.matrix.expect("it works");
    let (_, channel) = matrix.channels.iter().find(|(name, _)| name.as_str() == "desk").expect("it is there");
    assert_eq!(channel.accept_timeout, std::time::Duration::from_secs(9));
}

#[test]
fn a_key_of_a_later_version_is_refused_in_those_words() {
    for key in ["separate", "decision", "layers", "heartbeat"] {
        check("room = \"room\"", &format!("{key} = 1"), &[("not-built-yet", key)]);
    }
    check_added("[drill]\n", &[("not-built-yet", "drill")]);
}

/// A channel at Twilio with these keys beside its account.
fn at_twilio(kind: &str, keys: &str) -> String {
    let account = "account = \"AC0123456789abcdef0123456789abcdef\"\ntoken = { env = \"T\" }";
    format!("[channel.x]\nkind = \"{kind}\"\n{account}\nurl = \"http://127.0.0.1:9\"\n{keys}")
}

#[test]
fn an_account_at_twilio_is_whole_or_refused() {
    for (kind, keys, expected) in [
        ("twilio", "from = \"+15005550006\"", &[][..]),
        ("twilio", "from = \"12345\"\nvalidity = \"5m\"", &[]),
        ("twilio", "from = \"Stentor\"", &[]),
        ("twilio", "messaging_service = \"MG0123456789abcdef0123456789abcdef\"", &[]),
        ("twilio", "", &[("missing-key", "x")]),
        ("twilio", "from = \"no way!\"", &[("bad-sender", "\"no way!\"")]),
        ("twilio", "messaging_service = \"AC01\"", &[("bad-sid", "\"AC01\"")]),
        (
            "twilio",
            "from = \"Stentor\"\nmessaging_service = \"MG0123456789abcdef0123456789abcdef\"",
            &[("key-without-effect", "messaging_service")],
        ),
        ("twilio", "from = \"Stentor\"\nvalidity = \"11h\"", &[("duration-out-of-range", "\"11h\"")]),
        ("twilio", "from = \"Stentor\"\napi_key = \"SK1\"", &[("missing-key", "api_key")]),
        ("twilio", "from = \"Stentor\"\napi_secret = { env = \"S\" }", &[("missing-key", "api_secret")]),
        ("twilio", "from = \"Stentor\"\nmachines = true", &[("key-without-effect", "machines")]),
        ("voice", "from = \"+15005550006\"\nmachines = true", &[]),
        ("voice", "from = \"Stentor\"", &[("bad-sender", "\"Stentor\"")]),
        ("voice", "from = \"+15005550006\"\nvalidity = \"5m\"", &[("key-without-effect", "validity")]),
    ] {
        check_added(&at_twilio(kind, keys), expected);
    }
    let from = at_twilio("twilio", "from = \"Stentor\"");
    let two = "token = [{ env = \"T\" }, { env = \"U\" }]";
    check_added(&from.replace("token = { env = \"T\" }", two), &[]);
    let three = "[{ env = \"T\" }, { env = \"U\" }, { env = \"V\" }]";
    check_added(&from.replace("{ env = \"T\" }", three), &[("too-many-tokens", three)]);
    check_added(&from.replace("{ env = \"T\" }", "\"abc\""), &[("plain-secret", "\"abc\"")]);
    check_added(&from.replace("AC0123", "SK0123"), &[("bad-sid", "\"SK0123456789abcdef0123456789abcdef\"")]);
    for (url, code) in [
        ("http://api.example.com", "bad-url"),
        ("http://127.0.0.1.example.com", "bad-url"),
        ("https://u:p@api.example.com", "plain-secret"),
    ] {
        let quoted = format!("\"{url}\"");
        check_added(&from.replace("\"http://127.0.0.1:9\"", &quoted), &[(code, quoted.as_str())]);
    }
}

#[test]
fn who_can_not_be_called_back_is_warned() {
    let real = at_twilio("voice", "from = \"+15005550006\"").replace("url = \"http://127.0.0.1:9\"\n", "");
    check_added(&real, &[]);
    let public = "public_url = \"https://stentor.example\"\n";
    for here in ["", "public_url = \"http://localhost:7373\"\n", "public_url = \"http://127.0.0.1:7373\"\n"] {
        faults_of(&format!("{}{real}\n", BASE.replacen(public, here, 1)), &[("no-way-back", "x")]);
    }
}

#[test]
fn a_word_in_another_script_is_warned_where_anything_goes_out_by_sms() {
    check("name = \"Bo\"", "name = \"Бо\"", &[("short-sms", "bo")]);
    check("on = [\"price_velocity\"]", "on = [\"p\"]\nsummary = \"рынок {alert.kind}\"", &[("short-sms", "crash")]);
    check("name = \"Bo\"", "name = \"Žižka\"", &[]);
    let without = BASE
        .replace("[channel.sms]\nkind = \"kannel\"\nurl = \"http://127.0.0.1:13013/cgi-bin/sendsms\"\n", "")
        .replace(", \"sms\"]", "]")
        .replace("name = \"Bo\"", "name = \"Бо\"");
    faults_of(&without, &[]);
}

#[test]
fn a_wrong_type_is_refused() {
    check("name = \"Bo\"", "name = 5", &[("wrong-type", "5")]);
    check("on = [\"price_velocity\"]", "on = \"price_velocity\"", &[("wrong-type", "\"price_velocity\"")]);
    check("\"60s\" }]", "60 }]", &[("wrong-type", "60")]);
    check("percent = 90", "percent = \"90\"", &[("wrong-type", "\"90\"")]);
    check("target = { within = \"60s\", percent = 90 }", "target = true", &[("wrong-type", "true")]);
    check("{ env = \"MONITOR_TOKEN\" }", "{ env = \"M\" }\ndrills = \"yes\"", &[("wrong-type", "\"yes\"")]);
    check("[channel.desk]", "[channel]\nkind = \"screen\"\n[channel.desk]", &[("missing-name", "kind")]);
}

#[test]
fn a_name_is_given_once_over_all_files() {
    let files = [file("a.toml", BASE), file("b.toml", "[person.ana]\nname = \"Another\"\n[daemon]\n")];
    let parsed = parse(&files);
    let codes: Vec<String> = parsed.diagnostics.iter().map(|d| told(d, &files)).collect();
    assert_eq!(codes, ["duplicate-name 1:9 \"ana\"", "duplicate-name 3:2 \"daemon\""]);
    assert!(parsed.diagnostics.iter().all(|d| d.file == Path::new("b.toml")));
}

#[test]
fn a_name_that_can_not_be_one_is_refused() {
    check("[person.bo]", "[person.Bo]", &[("bad-name", "Bo")]);
    check("[person.bo]", "[person.\"b o\"]", &[("bad-name", "\"b o\"")]);
    let long = "b".repeat(41);
    check("[person.bo]", &format!("[person.{long}]"), &[("bad-name", &long)]);
    check_added(
        "[role.catch-all]\nstep = [{ page = [\"ana\"], by = [\"desk\"], wait = \"2s\" }]",
        &[("reserved-name", "catch-all"), ("unused-role", "catch-all")],
    );
}

#[test]
fn a_name_of_stentors_own_is_refused_where_it_could_be_taken_for_its_own() {
    for name in ["stentor", "by-hand", "drill"] {
        check("[trigger.crash]", &format!("[trigger.{name}]"), &[("reserved-name", name)]);
    }
    for name in ["stentor", "drill"] {
        check_added(&format!("[source.{name}]\ntoken = {{ env = \"TOKEN\" }}"), &[("reserved-name", name)]);
    }
    // What only looks like a key of Stentor's own is nobody's.
    for name in ["channel", "condition", "opt-out", "run", "unreadable"] {
        check("[trigger.crash]", &format!("[trigger.{name}]"), &[]);
    }
}

#[test]
fn every_reference_must_lead_somewhere() {
    check("page = [\"ana\"], by", "page = [\"anna\"], by", &[("unknown-person", "\"anna\"")]);
    check("page = [\"ana\"], by", "page = [\"week\"], by", &[("unknown-person", "\"week\"")]);
    check("\"rotation.week\"", "\"rotation.weak\"", &[("unknown-rotation", "\"rotation.weak\"")]);
    check("people = [\"ana\"]", "people = [\"ana\", \"cy\"]", &[("unknown-person", "\"cy\"")]);
    check("by = [\"desk\", \"sms\"]", "by = [\"desk\", \"smss\"]", &[("unknown-channel", "\"smss\"")]);
    check("next = \"head\"", "next = \"heads\"", &[("unknown-role", "\"heads\""), ("unused-role", "head")]);
    check("roles = [\"trader\"]", "roles = [\"trader\", \"it\"]", &[("unknown-role", "\"it\"")]);
    check("room = \"room\"", "room = \"rooms\"", &[("unknown-channel", "\"rooms\"")]);
    check("room = \"room\"", "room = \"sms\"", &[("not-a-room", "\"sms\"")]);
    check("next = \"head\"", "next = \"head\"\ntemplate = \"tradr\"", &[("unknown-template", "\"tradr\"")]);
    check("page = [\"ana\"]\nby", "page = [\"ana\", \"zed\"]\nby", &[("unknown-person", "\"zed\"")]);
}

#[test]
fn the_catch_all_may_be_named_where_there_is_one() {
    check("next = \"head\"", "next = \"catch-all\"", &[("unused-role", "head")]);
    check("roles = [\"trader\"]", "roles = [\"trader\", \"catch-all\"]", &[]);
}

#[test]
fn an_expression_is_checked_before_any_alert_comes() {
    let rows = [
        ("alert.values.drop_pct >=", "bad-expression", "alert.values.drop_pct >="),
        ("alert.values.drop_pct => 5.0", "bad-expression", "=>"),
        ("alrt.values.drop_pct > 5.0", "unknown-variable", "alrt"),
        ("confidence > 0.5", "unknown-variable", "confidence"),
        ("alert.value.drop_pct > 5.0", "unknown-field", "alert.value"),
        ("alert[\"lables\"].x == \"y\"", "unknown-field", "alert[\"lables\"]"),
        ("alert.drop_pct > 5.0", "unknown-field", "alert.drop_pct"),
        ("lower(alert.kind) == \"x\"", "unknown-function", "lower(alert.kind)"),
        ("alert.values.drop_pct", "not-a-condition", "alert.values.drop_pct"),
        ("alert.values.drop_pct + 1.0", "not-a-condition", "alert.values.drop_pct + 1.0"),
        ("\"yes\"", "not-a-condition", "\"yes\""),
        ("alert.labels.symbol > 5", "never-comparable", "alert.labels.symbol > 5"),
        ("alert.values.x == \"5\"", "never-comparable", "alert.values.x == \"5\""),
        ("alert.values.x * 2 > 5.0", "mixed-numbers", "alert.values.x * 2"),
    ];
    for (when, code, underlined) in rows {
        check("'alert.values.drop_pct >= 5.0'", &format!("'{when}'"), &[(code, underlined)]);
    }
    let loops = "alert.evidence.all(a, a.all(b, b.all(c, c)))";
    let files = [file("m.toml", &BASE.replace("alert.values.drop_pct >= 5.0", loops))];
    assert_eq!(parse(&files).diagnostics[0].code, "loops-too-deep");
    let long = format!("alert.drill || {}", "true || ".repeat(600) + "true");
    let files = [file("m.toml", &BASE.replace("alert.values.drop_pct >= 5.0", &long))];
    assert_eq!(parse(&files).diagnostics[0].code, "expression-too-long");
    check("room = \"room\"", "key = 'alert.labels'", &[("not-text", "alert.labels")]);
}

#[test]
fn an_expression_nested_without_end_does_not_end_the_program() {
    for open in ["(", "[", "!", "-", "alert.labels.all(a, "] {
        let when = open.repeat(EXPRESSION_LEN / open.len());
        let files = [file("m.toml", &BASE.replace("alert.values.drop_pct >= 5.0", &when))];
        assert!(parse(&files).matrix.is_none(), "{open}");
    }
}

const EXPRESSION_LEN: usize = stentor::matrix::EXPRESSION_MAX;

#[test]
fn a_summary_is_checked_before_any_alert_comes() {
    let rows = [
        ("{alert.labels.symbol fell", "bad-summary", "{alert.labels.symbol fell"),
        ("fell } 5", "bad-summary", "}"),
        ("fell {} %", "bad-summary", "{}"),
        ("fell { alert.vals.x } %", "unknown-field", "alert.vals"),
        ("fell { alert.labels } %", "not-text", "alert.labels"),
    ];
    for (summary, code, underlined) in rows {
        check("room = \"room\"", &format!("summary = \"{summary}\""), &[(code, underlined)]);
    }
}

#[test]
fn a_channel_must_be_of_a_kind_and_whole() {
    check("kind = \"screen\"", "kind = \"scren\"", &[("unknown-kind", "\"scren\"")]);
    check("kind = \"screen\"", "", &[("missing-key", "desk")]);
    check("url = \"http://127.0.0.1:13013/cgi-bin/sendsms\"", "", &[("missing-key", "sms")]);
    check("url = \"smtps://mail.example:465\"", "url = \"mail.example\"", &[("bad-url", "\"mail.example\"")]);
    check(
        "url = \"smtps://mail.example:465\"",
        "url = \"https://mail.example\"",
        &[("bad-url", "\"https://mail.example\"")],
    );
    check("from = \"stentor@mail.example\"", "", &[("missing-key", "mail")]);
    check("token = { env = \"SLACK\" }", "", &[("missing-key", "room")]);
    check("kind = \"screen\"", "kind = \"screen\"\npace = \"fast\"", &[("bad-pace", "\"fast\"")]);
    check("kind = \"screen\"", "kind = \"screen\"\npace = \"1/s burst 0\"", &[("bad-pace", "\"1/s burst 0\"")]);
    check("kind = \"screen\"", "kind = \"screen\"\naccept_timeout = \"0s\"", &[("duration-out-of-range", "\"0s\"")]);
    check("url = \"smtps", "password = { env = \"P\" }\nurl = \"smtps", &[("missing-key", "password")]);
}

#[test]
fn the_daemons_addresses_must_be_addresses() {
    check("\"https://stentor.example\"", "\"stentor.example\"", &[("bad-url", "\"stentor.example\"")]);
    check("\"https://stentor.example\"", "\"ftp://stentor.example\"", &[("bad-url", "\"ftp://stentor.example\"")]);
    check("\"127.0.0.1:8600\"", "\"8600\"", &[("bad-address", "\"8600\"")]);
}

#[test]
fn a_sender_may_have_a_name() {
    let from = |text: &str| format!("from = {text:?}");
    for good in ["Stentor <stentor@mail.example>", "\"Desk, London\" <stentor@mail.example>", "<stentor@mail.example>"]
    {
        check("from = \"stentor@mail.example\"", &from(good), &[]);
    }
    for bad in ["Stentor <stentor>", "Stentor <stentor@mail.example", "Stentor stentor@mail.example"] {
        let text = format!("{bad:?}");
        check("from = \"stentor@mail.example\"", &from(bad), &[("bad-email", &text)]);
    }
}

#[test]
fn a_gateway_that_is_spoken_to_in_plain_text_over_a_network_is_worth_a_word() {
    for (address, is_clear) in [
        ("http://127.0.0.1:13013/cgi-bin/sendsms", false),
        ("http://localhost/x", false),
        ("http://[::1]:13013/x", false),
        ("https://sms.example/x", false),
        ("http://sms.example/x", true),
        ("http://10.0.0.7:13013/x", true),
        ("http://localhost.example/x", true),
    ] {
        let text = format!("{address:?}");
        let expected: &[(&str, &str)] = if is_clear { &[("plain-text-gateway", &text)] } else { &[] };
        check("url = \"http://127.0.0.1:13013/cgi-bin/sendsms\"", &format!("url = {text}"), expected);
    }
}

#[test]
fn a_ping_needs_an_address_that_can_be_had() {
    let with = |ping: &str| format!("[daemon]\nping = {ping}");
    check("[daemon]", &with("{ every = \"60s\" }"), &[("missing-key", "{ every = \"60s\" }")]);
    check("[daemon]", &with("{ url = \"deadman\" }"), &[("bad-url", "\"deadman\"")]);
    check("[daemon]", &with("{ url = {} }"), &[("bad-secret", "{}")]);
    let often = with("{ url = \"https://deadman.example/1\", every = \"10ms\" }");
    check("[daemon]", &often, &[("duration-out-of-range", "\"10ms\"")]);
    check("[daemon]", &with("{ url = \"https://deadman.example/1\", how = \"get\" }"), &[("unknown-key", "how")]);
    check("[daemon]", &with("{ url = { env = \"DEADMAN\" } }"), &[]);
    check("[daemon]", "[daemon]\nproof_max_age = \"never\"", &[("bad-duration", "\"never\"")]);
}

#[test]
fn copies_of_anchors_need_somebody_who_gets_them() {
    let with = |anchors: &str| format!("[daemon]\nanchors = {anchors}");
    check("[daemon]", &with("{}"), &[("missing-key", "{}")]);
    check("[daemon]", &with("{ file = \"anchors.jsonl\" }"), &[("bad-path", "\"anchors.jsonl\"")]);
    let bare = "{ url = \"https://audit.example\" }";
    check("[daemon]", &with(&format!("{{ webhook = {bare} }}")), &[("missing-key", bare)]);
    check("[daemon]", &with("{ file = \"/a\", how = \"now\" }"), &[("unknown-key", "how")]);
    check("[daemon]", &with("{ file = \"/var/log/anchors.jsonl\" }"), &[]);
}

#[test]
fn required_keys_must_be_there() {
    check("name = \"Bo\"", "", &[("missing-key", "bo")]);
    check("name = \"Bo\"", "name = \"\"", &[("empty-text", "\"\"")]);
    check("token = { env = \"MONITOR_TOKEN\" }", "", &[("missing-key", "monitor")]);
    check("on = [\"price_velocity\"]", "", &[("missing-key", "crash")]);
    check("roles = [\"trader\"]", "", &[("missing-key", "crash")]);
    check("people = [\"ana\"]", "", &[("missing-key", "week")]);
    check("handoff = \"0 8 * * Mon\"", "", &[("missing-key", "week")]);
    check("step = [{ page = [\"rotation.week\"], by = [\"desk\"], wait = \"60s\" }]", "", &[("missing-key", "head")]);
    let no_wait = "{ page = [\"rotation.week\"], by = [\"desk\"] }";
    check("{ page = [\"rotation.week\"], by = [\"desk\"], wait = \"60s\" }", no_wait, &[("missing-key", no_wait)]);
    check("page = [\"ana\"]\nby", "by", &[("missing-key", "catch-all")]);
}

#[test]
fn empty_lists_and_doubles_are_refused() {
    check("on = [\"price_velocity\"]", "on = []", &[("empty-list", "[]")]);
    check("roles = [\"trader\"]", "roles = []", &[("empty-list", "[]")]);
    check("people = [\"ana\"]", "people = []", &[("empty-list", "[]")]);
    check("by = [\"desk\", \"sms\"]", "by = []", &[("empty-list", "[]")]);
    check("by = [\"desk\", \"sms\"]", "by = [\"desk\", \"desk\"]", &[("twice-in-list", "\"desk\"")]);
}

#[test]
fn times_must_be_times() {
    check("0 8 * * Mon", "0 8 * * 1", &[("bad-cron", "\"0 8 * * 1\"")]);
    check("0 8 * * Mon", "8 o'clock", &[("bad-cron", "\"8 o'clock\"")]);
    check("0 8 * * Mon", "0 25 * * Mon", &[("bad-cron", "\"0 25 * * Mon\"")]);
    check("0 8 * * Mon", "0 8 30 Feb *", &[("bad-cron", "\"0 8 30 Feb *\"")]);
    check("0 8 * * Mon", "*/30 * * * *", &[("hand-over-too-often", "\"*/30 * * * *\"")]);
    check("Europe/London", "Europe/Londn", &[("bad-time-zone", "\"Europe/Londn\"")]);
    check("wait = \"60s\"", "wait = \"60\"", &[("bad-duration", "\"60\"")]);
    check("wait = \"60s\"", "wait = \"one minute\"", &[("bad-duration", "\"one minute\"")]);
    check("wait = \"60s\"", "wait = \"0s\"", &[("duration-out-of-range", "\"0s\"")]);
    check("wait = \"60s\"", "wait = \"500ms\"", &[("duration-out-of-range", "\"500ms\"")]);
}

#[test]
fn an_override_must_have_a_person_and_end_after_it_begins() {
    let over = |text: &str| format!("handoff = \"0 8 * * Mon\"\noverrides = [{text}]");
    let from = "handoff = \"0 8 * * Mon\"";
    check(
        from,
        &over("{ person = \"ana\", from = 2026-12-24, until = 2026-12-24 }"),
        &[("override-ends-before-it-begins", "2026-12-24")],
    );
    check(from, &over("{ person = \"ana\", from = \"soon\", until = 2026-12-24 }"), &[("bad-time", "\"soon\"")]);
    check(
        from,
        &over("{ person = \"anna\", from = 2026-12-24, until = 2026-12-25 }"),
        &[("unknown-person", "\"anna\"")],
    );
}

#[test]
fn numbers_have_their_bounds() {
    check("percent = 90", "percent = 0", &[("percent-out-of-range", "0")]);
    check("percent = 90", "percent = 101", &[("percent-out-of-range", "101")]);
    for count in ["1", "1001"] {
        let hold = format!("threshold = {{ count = {count}, within = \"10s\" }}");
        check("room = \"room\"", &hold, &[("count-out-of-range", count)]);
    }
    check("wait = \"60s\"", "wait = \"60s\", repeat = 101", &[("too-many-steps", "101")]);
    check("wait = \"60s\"", "wait = \"60s\", repeat = -1", &[("wrong-type", "-1")]);
    check("next = \"head\"", "next = \"head\"\nengaged_by = \"wilko\"", &[("unknown-answer", "\"wilko\"")]);
    check("room = \"room\"", "resolved = \"close\"", &[("unknown-word", "\"close\"")]);
}

#[test]
fn contact_data_must_be_of_its_form() {
    for phone in ["00447700900001", "+44 7700 900 001", "+34", "+04600000001"] {
        let underlined = format!("\"{phone}\"");
        let text = BASE.replacen("\"+447700900001\"", &underlined, 1);
        let parsed = parse(&[file("m.toml", &text)]);
        let codes: Vec<_> = parsed.diagnostics.iter().map(|d| (d.code, &text[d.span.clone()])).collect();
        assert!(codes.contains(&("bad-phone", &*underlined)), "{codes:?}");
    }
    check("name = \"Bo\"", "name = \"Bo\"\nemail = \"bo.example\"", &[("bad-email", "\"bo.example\"")]);
    check("name = \"Bo\"", "name = \"Bo\"\nslack = \"@bo\"", &[("bad-slack-id", "\"@bo\"")]);
    for id in ["\"@bo\"", "\"123456789\"", "-100123", "0", "1.5", "0x10", "9_999_999_999_999_999_999"] {
        check("name = \"Bo\"", &format!("name = \"Bo\"\ntelegram = {id}"), &[("bad-telegram-id", id)]);
    }
    let twice = "name = \"Bo\"\ntelegram = 123_456_789\n[person.zed]\nname = \"Zed\"\ntelegram = 123456789";
    check("name = \"Bo\"", twice, &[("same-contact", "123456789")]);
    check("name = \"Bo\"", "name = \"Bo\"\nphone = \"+447700900001\"", &[("same-contact", "\"+447700900001\"")]);
    let two = "slack = \"U1\"\nunix = \"a\"\nname = \"Bo\"\n[person.cy]\nname = \"Cy\"\nslack = \"U1\"\nunix = \"a\"";
    check("name = \"Bo\"", two, &[("same-contact", "\"U1\""), ("same-contact", "\"a\"")]);
}

#[test]
fn people_can_be_found_in_slack_by_their_mailbox_where_they_have_one() {
    check("name = \"Bo\"", "name = \"Bo\"\nslack = \"by-email\"", &[("missing-key", "\"by-email\"")]);
    check("name = \"Bo\"", "name = \"Bo\"\nemail = \"bo@mail.example\"\nslack = \"by-email\"", &[]);
}

#[test]
fn who_links_their_chat_needs_no_id_and_a_group_of_telegrams_can_be_a_room() {
    let linked = "name = \"Bo\"\ntelegram = \"linked\"\n[person.zed]\nname = \"Zed\"\ntelegram = \"linked\"";
    check("name = \"Bo\"", linked, &[]);
    let bot =
        |more: &str| format!("[channel.bot]\nkind = \"telegram\"\ntoken = {{ env = \"T\" }}\n{more}\n[person.bo]");
    check("[person.bo]", &bot("group = -1001234567890"), &[]);
    for id in ["1001234567890", "0", "\"-100\"", "0x10"] {
        check("[person.bo]", &bot(&format!("group = {id}")), &[("bad-telegram-group", id)]);
    }
}

#[test]
fn a_runbook_is_an_address_of_the_web() {
    let on = "on = [\"price_velocity\"]";
    for (address, code) in [
        ("https://wiki.example/halt", None),
        ("http://wiki/halt#first", None),
        ("ftp://wiki.example/halt", Some("bad-url")),
        ("javascript:alert(1)", Some("bad-url")),
        ("wiki.example/halt", Some("bad-url")),
        ("https://me:secret@wiki.example/", Some("plain-secret")),
    ] {
        let underlined = format!("\"{address}\"");
        let expected: Vec<(&str, &str)> = code.into_iter().map(|code| (code, underlined.as_str())).collect();
        check(on, &format!("{on}\nrunbook = {underlined}"), &expected);
    }
}

#[test]
fn who_is_paged_must_be_reachable() {
    let step = "page = [\"ana\"], by = [\"desk\", \"sms\"]";
    check(step, "page = [\"bo\"], by = [\"sms\", \"mail\"]", &[("nobody-reachable", "trader")]);
    check(step, "page = [\"bo\"], by = [\"desk\", \"sms\"]", &[("lacks-contact", "\"sms\"")]);
    check(step, "page = [\"ana\", \"bo\"], by = [\"sms\"]", &[("lacks-contact", "\"sms\"")]);
    check("people = [\"ana\"]", "people = [\"ana\", \"bo\"]", &[]);
    check(
        "page = [\"ana\"]\nby = [\"desk\"]",
        "page = [\"bo\"]\nby = [\"room\"]",
        &[("nobody-reachable", "catch-all")],
    );
}

#[test]
fn lacking_a_contact_is_an_error_only_where_it_is_the_only_channel() {
    let severity = |by: &str| {
        let text =
            BASE.replace("page = [\"ana\"], by = [\"desk\", \"sms\"]", &format!("page = [\"ana\", \"bo\"], by = {by}"));
        parse(&[file("m.toml", &text)]).diagnostics[0].severity
    };
    assert_eq!(severity("[\"desk\", \"sms\"]"), Severity::Warning);
    assert_eq!(severity("[\"sms\"]"), Severity::Error);
}

#[test]
fn ladders_that_are_too_slow_are_warned_about() {
    check("wait = \"45s\"", "wait = \"75s\"", &[("ladder-longer-than-target", "{ within = \"60s\", percent = 90 }")]);
    check(
        "wait = \"45s\"",
        "wait = \"31s\", repeat = 1",
        &[("ladder-longer-than-target", "{ within = \"60s\", percent = 90 }")],
    );
    check("by = [\"desk\", \"sms\"]", "by = [\"mail\"]", &[("mail-alone", "\"mail\"")]);
}

#[test]
fn a_chain_of_next_may_not_run_in_a_circle() {
    check("wait = \"60s\" }]", "wait = \"60s\" }]\nnext = \"trader\"", &[("circle", "\"head\"")]);
    check("next = \"head\"", "next = \"trader\"", &[("circle", "\"trader\""), ("unused-role", "head")]);
}

#[test]
fn what_never_comes_into_play_is_warned_about() {
    check("next = \"head\"", "", &[("unused-role", "head")]);
    faults_of(&BASE[..BASE.find("[catch-all]").expect("there")], &[("no-catch-all", "")]);
    let without = BASE.replace("[trigger.crash]\non = [\"price_velocity\"]\nwhen = 'alert.values.drop_pct >= 5.0'\nroles = [\"trader\"]\nroom = \"room\"", "");
    faults_of(&without, &[("no-trigger", "")]);
}

#[test]
fn an_empty_matrix_is_refused() {
    for files in [vec![], vec![file("m.toml", "")], vec![file("m.toml", "# nothing yet\n")]] {
        let parsed = parse(&files);
        assert_eq!(parsed.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["empty-matrix"]);
        assert!(render(&parsed.diagnostics, &files, false).contains("the matrix is empty"));
    }
}
