use super::*;
use stentor::matrix::Severity;

/// Without fault; each row below changes one thing.
const BASE: &str = r#"
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
phone = "+34600000001"
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
fn check(from: &str, to: &str, expected: &[(&str, &str)]) {
    assert!(BASE.contains(from), "the base has {from:?}");
    faults_of(&BASE.replacen(from, to, 1), expected);
}

#[track_caller]
fn check_added(text: &str, expected: &[(&str, &str)]) {
    faults_of(&format!("{BASE}{text}\n"), expected);
}

#[track_caller]
fn faults_of(text: &str, expected: &[(&str, &str)]) {
    let files = [file("m.toml", text)];
    let parsed = parse(&files);
    let found: Vec<(&str, &str)> = parsed.diagnostics.iter().map(|d| (d.code, &text[d.span.clone()])).collect();
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

#[test]
fn a_key_of_a_later_version_is_refused_in_those_words() {
    for key in ["impact", "likelihood", "separate", "decision", "layers", "heartbeat"] {
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
    check("kind = \"screen\"", "kind = \"screen\"\npatience = \"0s\"", &[("duration-out-of-range", "\"0s\"")]);
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
        let hold = format!("hold = {{ count = {count}, within = \"10s\" }}");
        check("room = \"room\"", &hold, &[("count-out-of-range", count)]);
    }
    check("wait = \"60s\"", "wait = \"60s\", repeat = 101", &[("too-many-steps", "101")]);
    check("wait = \"60s\"", "wait = \"60s\", repeat = -1", &[("wrong-type", "-1")]);
    check("next = \"head\"", "next = \"head\"\nengaged_by = \"wilko\"", &[("unknown-answer", "\"wilko\"")]);
    check("room = \"room\"", "resolved = \"close\"", &[("unknown-word", "\"close\"")]);
}

#[test]
fn contact_data_must_be_of_its_form() {
    for phone in ["0034600000001", "+34 600 000 001", "+34", "+04600000001"] {
        let underlined = format!("\"{phone}\"");
        let text = BASE.replacen("\"+34600000001\"", &underlined, 1);
        let parsed = parse(&[file("m.toml", &text)]);
        let codes: Vec<_> = parsed.diagnostics.iter().map(|d| (d.code, &text[d.span.clone()])).collect();
        assert!(codes.contains(&("bad-phone", &*underlined)), "{codes:?}");
    }
    check("name = \"Bo\"", "name = \"Bo\"\nemail = \"bo.example\"", &[("bad-email", "\"bo.example\"")]);
    check("name = \"Bo\"", "name = \"Bo\"\nslack = \"@bo\"", &[("bad-slack-id", "\"@bo\"")]);
    check("name = \"Bo\"", "name = \"Bo\"\nphone = \"+34600000001\"", &[("same-contact", "\"+34600000001\"")]);
    let two = "slack = \"U1\"\nunix = \"a\"\nname = \"Bo\"\n[person.cy]\nname = \"Cy\"\nslack = \"U1\"\nunix = \"a\"";
    check("name = \"Bo\"", two, &[("same-contact", "\"U1\""), ("same-contact", "\"a\"")]);
}

#[test]
fn people_can_be_found_in_slack_by_their_mailbox_where_they_have_one() {
    check("name = \"Bo\"", "name = \"Bo\"\nslack = \"by-email\"", &[("missing-key", "\"by-email\"")]);
    check("name = \"Bo\"", "name = \"Bo\"\nemail = \"bo@mail.example\"\nslack = \"by-email\"", &[]);
}

#[test]
fn the_name_of_rooms_is_checked_when_the_matrix_is_read() {
    let token = "token = { env = \"SLACK\" }";
    for (pattern, good) in [
        ("{drill}inc-{id}-{trigger}-{date}", true),
        ("{id}", true),
        ("war_room-{id}", true),
        ("inc-{trigger}", false),
        ("Inc-{id}", false),
        ("inc {id}", false),
        ("inc.{id}", false),
        ("größe-{id}", false),
        ("inc-{id}-{drill}", false),
        ("inc-{id}-{dat}", false),
        ("inc-{id", false),
        ("{}-{id}", false),
        ("a-name-that-is-much-longer-than-forty-characters-{id}", false),
    ] {
        let underlined = format!("\"{pattern}\"");
        let text = format!("{token}\nname = {underlined}");
        let expected = [("bad-room-name", underlined.as_str())];
        check(token, &text, if good { &[] } else { &expected });
    }
    check(token, &format!("{token}\narchive_after = \"24h\""), &[]);
    check(token, &format!("{token}\narchive_after = \"soon\""), &[("bad-duration", "\"soon\"")]);
    let sms = "kind = \"kannel\"";
    check(sms, &format!("{sms}\narchive_after = \"24h\""), &[("key-without-effect", "archive_after")]);
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

#[test]
fn a_token_belongs_to_one_source() {
    check_added("[source.other]\ntoken = { env = \"MONITOR_TOKEN\" }", &[("same-token", "other")]);
    check(
        "{ env = \"MONITOR_TOKEN\" }",
        "[{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]",
        &[("too-many-tokens", "[{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]")],
    );
    check(
        "{ env = \"MONITOR_TOKEN\" }",
        "{ env = \"A\", file = \"b\" }",
        &[("bad-secret", "{ env = \"A\", file = \"b\" }")],
    );
}

#[test]
fn slack_signs_with_one_secret_or_with_two_while_it_is_changed() {
    let slack = "token = { env = \"SLACK\" }";
    let with = |keys: &str| format!("{slack}\n{keys}");
    check(slack, &with("signing_secret = { env = \"A\" }\napp_token = { file = \"b\" }"), &[]);
    check(slack, &with("signing_secret = [{ env = \"A\" }, { env = \"B\" }]"), &[]);
    let three = "[{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]";
    check(slack, &with(&format!("signing_secret = {three}")), &[("too-many-tokens", three)]);
    check(slack, &with("apptoken = { env = \"A\" }"), &[("unknown-key", "apptoken")]);
    check(
        "kind = \"screen\"",
        "kind = \"screen\"\napp_token = { env = \"A\" }",
        &[("key-without-effect", "app_token")],
    );
}

#[test]
fn a_secret_in_the_clear_is_refused_and_never_shown() {
    let rows = [
        ("token = { env = \"MONITOR_TOKEN\" }", "token = \"hunter2\"", "plain-secret"),
        ("token = { env = \"MONITOR_TOKEN\" }", "token = [\"hunter2\"]", "plain-secret"),
        ("token = { env = \"MONITOR_TOKEN\" }", "token = \"hunter2", "toml-syntax"),
        ("token = { env = \"SLACK\" }", "token = { env = \"SLACK\" }\nsigning_secret = 'hunter2'", "plain-secret"),
        ("token = { env = \"SLACK\" }", "token = { env = \"SLACK\" }\napp_token = 'hunter2'", "plain-secret"),
        ("token = { env = \"SLACK\" }", "token = { env = \"SLACK\" }\nsigning_secret = ['hunter2']", "plain-secret"),
        ("url = \"smtps://mail.example:465\"", "url = \"smtps://me:hunter2@mail.example:465\"", "plain-secret"),
        ("/cgi-bin/sendsms\"", "/cgi-bin/sendsms?username=a&password=hunter2\"", "plain-secret"),
        ("kind = \"screen\"", "kind = \"screen\"\npassword = \"hunter2\"", "key-without-effect"),
        (
            "[source.monitor]\ntoken = { env = \"MONITOR_TOKEN\" }",
            "[source]\nmonitor = { token = \"hunter2\", x = 1 }",
            "plain-secret",
        ),
    ];
    for (from, to, code) in rows {
        let files = [file("m.toml", &BASE.replacen(from, to, 1))];
        let parsed = parse(&files);
        assert!(parsed.diagnostics.iter().any(|d| d.code == code), "{to}: {:?}", parsed.diagnostics);
        let json = serde_json::to_string(&parsed.diagnostics).expect("JSON");
        for colour in [true, false] {
            let shown = render(&parsed.diagnostics, &files, colour);
            assert!(!shown.contains("hunter2") && !json.contains("hunter2"), "{to}: {shown}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let files = [file("m.toml", &BASE.replace("when =", "wen ="))];
    let parsed = parse(&files);
    assert!(!render(&parsed.diagnostics, &files, false).contains('\u{1b}'));
    assert!(render(&parsed.diagnostics, &files, true).contains('\u{1b}'));
}

#[test]
fn forty_faults_are_told_in_one_go() {
    let text = include_str!("forty-faults.toml");
    let files = [file("forty-faults.toml", text)];
    let parsed = parse(&files);
    let mut codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(40 <= parsed.diagnostics.len(), "{}", parsed.diagnostics.len());
    assert!(40 <= codes.len(), "{} kinds of fault: {codes:?}", codes.len());
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("forty-faults", render(&parsed.diagnostics, &files, false));
    });
}

/// A channel of this kind with these keys, and the faults that it has.
#[track_caller]
fn channel(kind: &str, keys: &str, expected: &[(&str, &str)]) {
    check_added(&format!("[channel.x]\nkind = \"{kind}\"\n{keys}"), expected);
}

#[test]
fn channels_whose_way_is_data_have_no_fault_where_there_is_none() {
    const URL: &str = "url = { env = \"X\" }\n";
    channel("teams", URL, &[]);
    channel("mattermost", &format!("{URL}personal = true"), &[]);
    channel("http", &format!("{URL}body = '{{ \"t\": {{{{ text }}}} }}'"), &[]);
    channel(
        "http",
        "url = \"https://x\"\nquery = { m = \"{{ headline }}\", key = { env = \"K\" } }\nmethod = \"GET\"",
        &[],
    );
    channel("webhook", &format!("{URL}keys = [{{ env = \"A\" }}, {{ env = \"B\" }}]\nallow = [\"10.0.0.0/8\"]"), &[]);
    channel("webhook", &format!("{URL}keys = {{ env = \"A\" }}\nallow = []"), &[]);
    channel("exec", "program = \"/bin/true\"\narguments = [\"--loud\", \"{stamp}\"]", &[]);
}

#[test]
fn a_template_that_fails_or_says_nothing_is_found_before_a_crisis() {
    let body = |body: &str, expected: &[(&str, &str)]| {
        channel("http", &format!("url = \"https://x\"\nbody = '{body}'"), expected);
    };
    let quoted = "'{ \"t\": \"{{ text }}\" }'";
    body(quoted.trim_matches('\''), &[("bad-body", quoted)]);
    body("{ {{ text }} }", &[("bad-body", "'{ {{ text }} }'")]);
    body("{{ txet }}", &[("bad-body", "'{{ txet }}'")]);
    body("{{ text | safe }}", &[("bad-body", "'{{ text | safe }}'")]);
    body(
        "{% for x in range(1000000) %}{{ text }}{% endfor %}",
        &[("bad-body", "'{% for x in range(1000000) %}{{ text }}{% endfor %}'")],
    );
    body("{ \"t\": {{ incident }} }", &[("says-nothing", "x")]);
    let phone = "url = \"https://x\"\nneeds = \"phone\"\n";
    channel("http", &format!("{phone}form = {{ m = \"{{{{ text }}}}\" }}"), &[("says-nobody", "x")]);
    channel(
        "http",
        &format!("{phone}form = {{ m = \"{{{{ text }}}}\", to = \"{{{{ t }}}}\" }}"),
        &[("bad-template", "x")],
    );
    channel("http", "url = \"https://x\"", &[("says-nothing", "x")]);
}

#[test]
fn a_key_of_a_channel_whose_way_is_data_is_read_or_refused() {
    let key = |key: &str, expected: &[(&str, &str)]| {
        channel("http", &format!("url = \"https://x\"\nbody = '[{{{{ text }}}}]'\n{key}"), expected);
    };
    key("needs = \"pager\"", &[("unknown-word", "\"pager\"")]);
    key("number = \"national\"", &[("unknown-word", "\"national\"")]);
    key("method = \"DELETE\"", &[("unknown-word", "\"DELETE\"")]);
    key("id = \"id\"", &[("bad-pointer", "\"id\"")]);
    key("accepted = { at = \"/status\" }", &[("missing-key", "{ at = \"/status\" }")]);
    key("accepted = { is = [\"ok\"] }", &[("missing-key", "{ is = [\"ok\"] }")]);
    key("report = { status = \"/s\" }", &[("missing-key", "{ status = \"/s\" }")]);
    key("replies = { from = \"/s\" }", &[("missing-key", "{ from = \"/s\" }")]);
    key("allow = [\"example.com\"]", &[("bad-network", "\"example.com\"")]);
    key("form = { m = \"{{ text }}\" }", &[("body-and-form", "body")]);
    key("bearer = \"secret\"", &[("plain-secret", "\"secret\"")]);
    key("keys = []", &[("key-without-effect", "keys")]);
    key("probe = \"gopher://x\"", &[("bad-url", "\"gopher://x\"")]);
    let theirs =
        "url = \"https://x\"\nneeds = \"email\"\nform = { to = \"{{ to }}\", m = \"{{ text }}\" }\npersonal = true";
    channel("http", theirs, &[("key-without-effect", "personal")]);
    channel("teams", "url = \"https://x/?sig=y&token=z\"", &[("plain-secret", "\"https://x/?sig=y&token=z\"")]);
    channel("webhook", "url = \"https://x\"", &[("missing-key", "x")]);
    channel(
        "webhook",
        "url = \"https://x\"\nkeys = [{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]",
        &[("too-many-tokens", "[{ env = \"A\" }, { env = \"B\" }, { env = \"C\" }]")],
    );
    channel("exec", "program = \"siren\"", &[("bad-program", "\"siren\"")]);
    channel("exec", "program = \"/siren\"\narguments = [\"{code}\"]", &[("bad-argument", "\"{code}\"")]);
    channel("exec", "program = \"/siren\"\narguments = [\"--to={phone}\"]", &[("bad-argument", "\"--to={phone}\"")]);
}

#[test]
fn a_webhook_tells_systems_and_no_people() {
    let hook = "[channel.hook]\nkind = \"webhook\"\nurl = { env = \"U\" }\nkeys = { env = \"K\" }\n";
    let with = |from: &str, to: &str| BASE.replacen(from, to, 1) + hook;
    faults_of(&with("room = \"room\"", "tell = \"hook\""), &[]);
    faults_of(&with("room = \"room\"", "room = [\"room\"]\ntell = [\"hook\"]"), &[]);
    faults_of(&with("room = \"room\"", "room = \"hook\""), &[("not-a-room", "\"hook\"")]);
    faults_of(&with("room = \"room\"", "tell = \"sms\""), &[("not-a-webhook", "\"sms\"")]);
    faults_of(&with("room = \"room\"", "tell = \"hok\""), &[("unknown-channel", "\"hok\"")]);
    faults_of(&with("by = [\"desk\", \"sms\"]", "by = [\"desk\", \"hook\"]"), &[("reaches-nobody", "\"hook\"")]);
}

#[test]
fn what_would_not_be_seen_or_breaks_a_line_is_refused_in_every_text() {
    for hidden in ["\\n", "\\r\\n", "\\t", "\\u0000", "\\u0007", "\\u001B", "\\u007F", "\\u0085", "\\u2028", "\\u2029"]
    {
        let name = format!("\"Bo{hidden}Lind\"");
        check("name = \"Bo\"", &format!("name = {name}"), &[("control-character", &name)]);
    }
    // What turns the direction of the text after it, and what opens such a part.
    for turned in ["202A", "202B", "202C", "202D", "202E", "2066", "2067", "2068", "2069"] {
        let name = format!("\"Bo\\u{turned}dniL\"");
        check("name = \"Bo\"", &format!("name = {name}"), &[("control-character", &name)]);
    }
    for (from, to, text) in [
        ("[daemon]", "[daemon]\nstate = \"/var/lib\\tx\"", "\"/var/lib\\tx\""),
        ("kind = \"kannel\"", "kind = \"kannel\"\nfrom = \"Des\\tk\"", "\"Des\\tk\""),
        ("from = \"stentor@mail.example\"", "from = \"Desk\\n <a@b.example>\"", "\"Desk\\n <a@b.example>\""),
        ("name = \"Bo\"", "name = \"Bo\"\nunix = \"bo\\u0000\"", "\"bo\\u0000\""),
        ("on = [\"price_velocity\"]", "on = [\"price\\nvelocity\"]", "\"price\\nvelocity\""),
    ] {
        check(from, to, &[("control-character", text)]);
    }
}

#[test]
fn what_people_are_really_called_is_good() {
    for name in [
        "José Ñuñez-O'Neill, Dr. (night)",
        "Анна Каренина",
        "محمد",
        "\u{200f}אנה\u{200e} Ruiz",
        "李小龍",
        "\u{1f469}\u{200d}\u{1f692} Ana",
        "Ana \\\"Boss\\\" \\\\ Ruiz",
    ] {
        check("name = \"Bo\"", &format!("name = \"{name}\""), &[]);
    }
    // What is read by programs may have several lines.
    let several = "when = \'\'\'\nalert.values.drop_pct\n\t>= 5.0\n\'\'\'";
    check("when = \'alert.values.drop_pct >= 5.0\'", several, &[]);
    check("when = \'alert.values.drop_pct >= 5.0\'", "when = \"alert.values.drop_pct\\r\\n >= 5.0\"", &[]);
    let hidden = "\"alert.values.drop_pct >= 5.0\\u202E\"";
    check("when = \'alert.values.drop_pct >= 5.0\'", &format!("when = {hidden}"), &[("control-character", hidden)]);
}

#[test]
fn a_mailbox_that_no_mail_can_be_sent_to_is_refused() {
    let long = format!("{}@mail.example", "a".repeat(65));
    for bad in [
        "ana@[192.0.2.1]",
        "ana@[IPv6:2001:db8::1]",
        "ana@192.0.2.1",
        "ana@2001:db8::1",
        "ana@mail..example",
        "ana@-mail.example",
        "ana@mail.example.",
        ".ana@mail.example",
        "ana.@mail.example",
        "a..na@mail.example",
        "ana(desk)@mail.example",
        "ana@",
        "@mail.example",
        "ana",
        "Ana <ana@mail.example>",
        long.as_str(),
    ] {
        let text = format!("\"{bad}\"");
        check("email = \"ana@mail.example\"", &format!("email = {text}"), &[("bad-email", &text)]);
        if !bad.contains('<') {
            check("from = \"stentor@mail.example\"", &format!("from = {text}"), &[("bad-email", &text)]);
        }
    }
    for good in ["ana@mail.example", "ana.ruiz+desk@mail.example", "o'neill@mail.example", "a@b.co", "ana@localhost"] {
        check("email = \"ana@mail.example\"", &format!("email = \"{good}\""), &[]);
    }
    for bad in ["Desk <desk@[192.0.2.1]>", "Desk <desk>", "Desk <a@b.example> x", "<>"] {
        let text = format!("\"{bad}\"");
        check("from = \"stentor@mail.example\"", &format!("from = {text}"), &[("bad-email", &text)]);
    }
    check("from = \"stentor@mail.example\"", "from = \"\\\"Ana, Desk\\\" <desk@mail.example>\"", &[]);
}

#[test]
fn a_proxy_is_an_address_or_a_network() {
    check("[daemon]", "[daemon]\nproxies = [\"10.0.0.0/8\", \"2001:db8::1\"]", &[]);
    check("[daemon]", "[daemon]\nproxies = [\"proxy.example\"]", &[("bad-network", "\"proxy.example\"")]);
}
