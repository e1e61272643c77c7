//! The keys of a trigger that say how much of it there may be, and how urgent it is, and a channel's wait for reports.

use super::{file, parse};
use std::time::Duration;
use stentor::{
    core::{ChannelName, Priority, overflow::OPENINGS_PER_MINUTE},
    matrix::Matrix,
};

fn text(channel: &str, trigger: &str) -> String {
    format!(
        "[channel.desk]\nkind = \"screen\"\n[channel.sms]\nkind = \"kannel\"\nurl = \"http://127.0.0.1:13013/cgi-bin/sendsms\"\n\
         username = \"x\"\npassword = {{ env = \"X\" }}\n{channel}\n[person.ana]\nname = \"A\"\nphone = \"+447700900001\"\n\
         [role.trader]\nstep = [{{ page = [\"ana\"], by = [\"sms\", \"desk\"], wait = \"45s\" }}]\n\
         [trigger.crash]\non = [\"x\"]\nroles = [\"trader\"]\n{trigger}\n[catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n"
    )
}

#[track_caller]
fn read(channel: &str, trigger: &str) -> Matrix {
    let parsed = parse(&[file("m.toml", &text(channel, trigger))]);
    parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

#[track_caller]
fn codes(channel: &str, trigger: &str) -> Vec<&'static str> {
    parse(&[file("m.toml", &text(channel, trigger))]).diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn a_trigger_says_how_many_incidents_it_opens_and_how_urgent_they_are() {
    let of = |more: &str| {
        let matrix = read("", more);
        let trigger = &matrix.triggers["crash"];
        (trigger.openings_per_minute, matrix.plan(&"crash".into()).expect("a plan").priority)
    };
    assert_eq!(of(""), (OPENINGS_PER_MINUTE, Priority::default()));
    assert_eq!(of("openings_per_minute = 5\npriority = 1"), (5, Priority::from(1)));
    for (bad, code) in [
        ("openings_per_minute = 0", "count-out-of-range"),
        ("openings_per_minute = 1001", "count-out-of-range"),
        ("priority = 0", "priority-out-of-range"),
        ("priority = 6", "priority-out-of-range"),
        ("priority = \"high\"", "wrong-type"),
    ] {
        assert_eq!(codes("", bad), [code], "{bad}");
    }
}

#[test]
fn a_channel_whose_provider_reports_may_say_how_long_a_report_is_waited_for() {
    let timeout = |matrix: &Matrix| {
        let plan = matrix.plan(&"crash".into()).expect("a plan");
        plan.report_timeout.get(&ChannelName::from("sms")).map(|timeout| timeout.0)
    };
    // Each text by Kannel asks for a report: one that does not come is noticed, unless the matrix says that none come.
    assert_eq!(timeout(&read("", "")), Some(Duration::from_secs(30)));
    assert_eq!(timeout(&read("report_timeout = \"never\"", "")), None);
    assert_eq!(timeout(&read("report_timeout = \"20s\"", "")), Some(Duration::from_secs(20)));
    let mail = "[channel.mail]\nkind = \"smtp\"\nurl = \"smtps://h\"\nfrom = \"a@b.example\"\nreport_timeout = \"20s\"";
    assert_eq!(codes(mail, ""), ["no-reports"]);
}
