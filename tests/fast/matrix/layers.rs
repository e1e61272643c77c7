//! The layers of a trigger: what is read, what is refused, and what `explain` says of them.

use super::{file, parse};
use stentor::matrix::Severity;

fn with(keys: &str) -> String {
    format!(
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"A\"\n\
         [role.trader]\nengaged_by = \"wilco\"\nstep = [{{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [trigger.t]\non = [\"x\"]\nroles = [\"trader\"]\n{keys}\n[catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n"
    )
}

fn codes(keys: &str) -> Vec<(Severity, &'static str)> {
    parse(&[file("m.toml", &with(keys))]).diagnostics.iter().map(|d| (d.severity, d.code)).collect()
}

#[test]
fn what_can_not_be_is_refused_at_its_place() {
    use Severity::{Error, Warning};
    let change = |by: &str| format!("change = {{ of = 'alert.values.p', by = \"{by}\", within = \"1m\" }}");
    let table: &[(&str, &[(Severity, &str)])] = &[
        ("corroborate = { count = 2, within = \"30s\", by = 'alert.labels.v' }", &[]),
        ("corroborate = { count = 1, within = \"30s\" }", &[(Error, "count-out-of-range")]),
        ("corroborate = { count = 101, within = \"30s\" }", &[(Error, "count-out-of-range")]),
        ("corroborate = { count = 2 }", &[(Error, "missing-key")]),
        ("corroborate = { count = 2, within = \"30s\", of = 'x' }", &[(Error, "unknown-key")]),
        ("corroborate = 2", &[(Error, "wrong-type")]),
        (
            "for = \"30s\"\ncooldown = \"5m\"\nflapping = { openings = 3, within = \"10m\" }\nresolved = \"resolve\"",
            &[],
        ),
        ("for = \"0s\"", &[(Error, "duration-out-of-range")]),
        ("for = \"32d\"", &[(Error, "duration-out-of-range")]),
        ("for = 30", &[(Error, "wrong-type")]),
        ("clear_when = 'alert.values.p <'", &[(Error, "bad-expression")]),
        ("flapping = { openings = 3, within = \"10m\" }", &[(Warning, "no-effect")]),
        ("absent = { every = \"100ms\" }", &[]),
        ("absent = { every = \"99ms\" }", &[(Error, "duration-out-of-range")]),
        ("absent = { every = \"10s\", grace = \"0s\" }", &[]),
        ("absent = { every = \"10s\" }\nfor = \"30s\"", &[(Error, "layers-exclude")]),
        ("absent = { every = \"10s\" }\nthreshold = { count = 2, within = \"10s\" }", &[(Error, "layers-exclude")]),
        ("for = \"30s\"\nask = { after = \"60s\" }", &[(Error, "layers-exclude")]),
        ("cooldown = \"30s\"\nhandoff = { after = \"60s\" }", &[(Error, "layers-exclude")]),
        (
            "corroborate = { count = 2, within = \"30s\" }\nthreshold = { count = 2, within = \"9s\" }\nask = { after = \"60s\" }",
            &[],
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(codes(keys), *expected, "{keys}");
    }
    for good in ["-5%", "+20", "3", "0.25", "-2.5 %"] {
        assert_eq!(codes(&change(good)), [], "{good}");
    }
    for bad in ["", "5 percent", "--5", "-0%", "0", "inf", "nan", "1e999", "%", "+", "−5%", "5%%", "+.5"] {
        assert_eq!(codes(&change(bad)).len(), 1, "{bad}");
    }
}

#[test]
fn each_layer_is_said_with_what_it_costs() {
    let keys = "change = { of = 'alert.values.p', by = \"-5%\", within = \"1m\" }\n\
        corroborate = { count = 2, within = \"30s\", by = 'alert.labels.venue' }\n\
        threshold = { count = 3, within = \"10s\", consecutive = true }\nfor = \"20s\"\ncooldown = \"5m\"\n\
        flapping = { openings = 3, within = \"10m\" }\nclear_when = 'alert.values.p > 1.0'\n\
        resolved = \"resolve\"\nsources = [\"m\"]\n[source.m]\ntoken = { env = \"X\" }";
    let parsed = parse(&[file("m.toml", &with(keys))]);
    let matrix = parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let words = matrix.triggers["t"].layer_words().into_iter();
    let told: Vec<_> = words.map(|layer| format!("{}: {}. It costs {}.", layer.key, layer.says, layer.costs)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    change: `alert.values.p` must fall by 5 % within 1m. It costs no time: the alert that shows it passes.
    corroborate: 2 different values of `alert.labels.venue` must say it within 30s. It costs the time until the last of them says so, at most 30s.
    threshold: it must hold 3 times in a row within 10s. It costs the time from the first to the last of them, at most 10s.
    for: it must go on for 20s. It costs 20s.
    cooldown: nothing opens for 5m after the end of the last incident. It costs nothing, unless one ended lately: then at most 5m.
    flapping: the opening that is number 3 within 10m stays open: an all-clear does not end it. It costs no time.
    clear_when: an alert with `alert.values.p > 1.0` is an all-clear. It costs no time.
    ");
}

#[test]
fn what_can_not_be_a_maintenance_window_is_refused() {
    let window = |change: (&str, &str)| {
        let good = "[maintenance.w]\nmatch = ['host=~\"db.*\"', 'kind!=beat']\nstarts = \"0 2 * * Sun\"\nlasts = \"2h\"\n\
            timezone = \"Europe/London\"\nowner = \"dba\"\nreason = \"the backup\"";
        assert!(good.contains(change.0));
        codes(&good.replace(change.0, change.1)).into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    for (from, to, code) in [
        ("lasts = \"2h\"", "lasts = \"2h\"", None),
        ("lasts = \"2h\"", "lasts = \"59s\"", Some("duration-out-of-range")),
        ("lasts = \"2h\"", "lasts = \"32d\"", Some("duration-out-of-range")),
        ("lasts = \"2h\"", "", Some("missing-key")),
        ("0 2 * * Sun", "0 2 * * 7", Some("bad-cron")),
        ("0 2 * * Sun", "0 2 30 2 *", Some("bad-cron")),
        ("0 2 * * Sun", "*/30 * * * *", Some("endless")),
        ("lasts = \"2h\"", "lasts = \"7d\"", Some("endless")),
        ("kind!=beat", "kind", Some("bad-matcher")),
        ("host=~\"db.*\"", "host=~\"(\"", Some("bad-matcher")),
        ("host=~\"db.*\"", "host=~\".*\"", Some("bad-matcher")),
        ("Europe/London", "Europe/Lundon", Some("bad-time-zone")),
        ("reason = \"the backup\"", "", Some("missing-key")),
        ("owner = \"dba\"", "", Some("missing-key")),
        ("owner = \"dba\"", "owner = \"dba\"\nuntil = \"x\"", Some("unknown-key")),
    ] {
        assert_eq!(window((from, to)), code.into_iter().collect::<Vec<_>>(), "{from} {to}");
    }
}
