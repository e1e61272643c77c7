//! Secrets, texts and channels whose way is data: what is refused in them, and all faults in one go.

use super::faults::*;
use super::*;

#[test]
fn a_token_belongs_to_one_source() {
    check_added("[source.other]\ntoken = { env = \"MONITOR_TOKEN\" }", &[("same-token", "other")]);
    let scopes = "[source.other]\ntoken = { env = \"OTHER\" }\nscopes = [\"alerts\", \"all\"]";
    check_added(scopes, &[("unknown-word", "\"all\"")]);
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
fn a_role_is_called_by_a_short_line() {
    let called =
        |name: &str, faults: &[(&str, &str)]| check("[role.head]", &format!("[role.head]\nname = {name}"), faults);
    called("\"Head of desk\"", &[]);
    let long = format!("{:?}", "x".repeat(33));
    for (name, code) in [("\" \"", "empty-text"), (long.as_str(), "text-too-long"), ("\"a\\nb\"", "control-character")]
    {
        called(name, &[(code, name)]);
    }
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
    channel("ntfy", &format!("{URL}personal = true\nbearer = {{ env = \"T\" }}"), &[]);
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
    faults_of(&with("room = \"room\"", "webhooks = \"hook\""), &[]);
    faults_of(&with("room = \"room\"", "room = [\"room\"]\nwebhooks = [\"hook\"]"), &[]);
    faults_of(&with("room = \"room\"", "room = \"hook\""), &[("not-a-room", "\"hook\"")]);
    faults_of(&with("room = \"room\"", "webhooks = \"sms\""), &[("not-a-webhook", "\"sms\"")]);
    faults_of(&with("room = \"room\"", "webhooks = \"hok\""), &[("unknown-channel", "\"hok\"")]);
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
    // What nobody sees: zero width, tags, fillers, selectors and joiners where nothing is joined.
    for unseen in [
        "200B", "2060", "FEFF", "00AD", "034F", "180E", "3164", "200D", "200C", "FE0F", "E0041", "E0100", "2800",
        "1D159", "115F",
    ] {
        let name = format!("\"Bo\\U{unseen:0>8}Lind\"");
        check("name = \"Bo\"", &format!("name = {name}"), &[("control-character", &name)]);
    }
    // And a name of nothing but what is drawn as nothing by itself.
    for blank in ["2800", "FFA0", "0301", "E000"] {
        let name = format!("\"\\U{blank:0>8}\"");
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
    // In another script it is as good, and makes an SMS that names them shorter.
    let shortens: &[(&str, &str)] = &[("short-sms", "bo")];
    for (name, told) in [
        ("José Ñuñez-O'Neill, Dr. (night)", &[][..]),
        ("Анна Каренина", shortens),
        ("محمد", shortens),
        ("\u{200f}אנה\u{200e} Ruiz", shortens),
        ("李小龍", shortens),
        ("علی\u{200c}رضا", shortens),
        ("葛\u{e0100}城 誠", shortens),
        ("\u{1f469}\u{200d}\u{1f692} Ana", shortens),
        ("\u{2705} Ana", &[]),
        ("Ana \\\"Boss\\\" \\\\ Ruiz", &[]),
    ] {
        check("name = \"Bo\"", &format!("name = \"{name}\""), told);
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

/// What the faults of the base with this `[daemon]` are shown as.
fn shown_of(text: &str) -> String {
    let files = [file("m.toml", text)];
    render(&parse(&files).diagnostics, &files, false)
}

#[test]
fn a_text_in_place_of_the_receivers_of_anchors_is_told_how_it_is_written() {
    let with = |anchors: &str| BASE.replacen("[daemon]", &format!("[daemon]\nanchors = {anchors}"), 1);
    let told = shown_of(&with("\"/var/log/a.jsonl\""));
    assert!(told.contains("write anchors = { file = \"/var/log/a.jsonl\" }"), "{told}");
    let told = shown_of(&with("{ webhook = \"https://audit.example\" }"));
    assert!(told.contains("write webhook = { url = \"https://audit.example\", keys = ["), "{told}");
}

#[test]
fn errors_are_shown_before_warnings() {
    let desk = "[channel.desk]\nkind = \"screen\"";
    let text =
        BASE.replacen(desk, &format!("{desk}\npatience = \"9s\""), 1).replacen("next = \"head\"", "nxet = \"head\"", 1);
    let told = shown_of(&text);
    let place = |word: &str| told.find(word).unwrap_or_else(|| panic!("no {word} in {told}"));
    assert!(place("nxet") < place("patience"), "{told}");
}
