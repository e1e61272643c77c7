//! A scenario on the live daemon: its score names what it hung on, and its faults touch nothing but itself.

use super::{
    ground::{ANA, BO, Ground, interrupt, patched, scenario},
    house::eventually,
};
use serde_json::Value;
use std::time::Duration;

const SLACK_DOWN: &str = "[[fault]]\nchannel = \"chat\"\nkind = \"down\"\n";

/// How people and channels are in virtual time: as these doubles are.
const MODEL: &str = r#"
[everyone]
answers = { times = ["1s"] }
unable  = 0.0
ignores = 0.0

[channels.sms]
accepts  = { times = ["100ms"] }
delivers = { times = ["100ms"] }
lost     = 0.0
"#;

fn with_fault(fault: &str) -> String {
    format!("{}\n{fault}\n{MODEL}", scenario(""))
}

fn finding(run: &Value) -> &Value {
    &run["score"]["findings"][0]
}

#[test]
fn an_injected_outage_is_the_bottleneck_and_another_channel_makes_the_next_run_hold() {
    let ground = Ground::new("\"chat\"");
    let (status, run, said) = ground.drill(&with_fault(SLACK_DOWN), &[]);
    assert_eq!(status, Some(1), "{run:#}\n{said}");
    assert_eq!(run["state"], "not-held");
    let cause = &finding(&run)["bottleneck"]["cause"];
    assert_eq!((&cause["stage"], &cause["channel"]), (&"channel".into(), &"chat".into()), "{run:#}");
    let said = finding(&run)["bottleneck"]["said"].as_str().unwrap_or_default();
    assert!(said.starts_with("injected: chat is down"), "{run:#}");
    assert!(ground.slack.posts().is_empty(), "nothing was sent by a channel that is down on purpose");
    assert!(ground.texts_to(BO).iter().any(|text| text.starts_with("DRILL") && text.contains("is over")));
    assert!(ground.all_texts().iter().all(|text| !text.contains("LIVE")), "{:?}", ground.all_texts());

    // The fault is the drill's alone: the channel is not broken, nobody was told that it is.
    let incidents = ground.daemon.json(&["incidents", "--all"]);
    assert_eq!(incidents.as_array().unwrap().len(), 1, "{incidents:#}");

    // The review says the same, records which ways were tried, and proposes what helps.
    let report = ground.daemon.cli(&["drill", "report", "DR-1"]);
    let told = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.status.success(), "{report:?}");
    let named = "not tested: injected: chat is down in this drill";
    for part in ["injected: chat is down", "Ana Ruiz", "Bo Lind", named, "chat was down"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let html = ground.daemon.dir.path().join("review.html");
    let report = ground.daemon.cli(&["drill", "report", "DR-1", "--html", "-o", html.to_str().unwrap()]);
    assert!(report.status.success(), "{report:?}");
    assert!(std::fs::read_to_string(&html).unwrap().contains("<svg"));
    let proposed = ground.daemon.cli(&["drill", "report", "DR-1", "--diff"]);
    let diff = String::from_utf8_lossy(&proposed.stdout).into_owned();
    assert!(proposed.status.success() && diff.contains("\n+"), "{diff}{told}");
    println!("{diff}");
    let file = ground.daemon.dir.path().join("matrix/matrix.toml");
    std::fs::write(&file, patched(&std::fs::read_to_string(&file).unwrap(), &diff)).unwrap();
    ground.daemon.signal("HUP");
    eventually("the reload", || ground.daemon.log().contains("was reloaded").then_some(()));
    let (status, run, said) = ground.drill(&with_fault(SLACK_DOWN), &[]);
    assert_eq!((status, &run["state"]), (Some(0), &"held".into()), "{run:#}\n{said}");
    let history = ground.daemon.json(&["drill", "history"]);
    let states: Vec<&Value> = history.as_array().unwrap().iter().map(|run| &run["state"]).collect();
    assert_eq!(states, ["held", "not-held"]);
}

#[test]
fn what_is_late_on_purpose_is_late_in_the_drill_alone_and_said_so() {
    let ground = Ground::new("\"sms\"");
    let late = "[[fault]]\nchannel = \"sms\"\ndelay = \"1500ms\"\n";
    let (status, run, said) = ground.drill(&with_fault(late), &[]);
    assert_eq!(status, Some(0), "{run:#}\n{said}");
    let incident = run["incidents"][0].as_str().unwrap();
    let lines = ground.daemon.json(&["show", incident]).to_string();
    assert!(
        lines.contains("injected: sms is 1s 500ms late in this drill") || {
            let journal = ground.daemon.cli(&["journal", "export"]);
            String::from_utf8_lossy(&journal.stdout).contains(r#"\"event\":\"injected\""#)
        }
    );
    // The real thing by the same channel is not.
    let live = ground.fire("NQ");
    ground.text_to(ANA, |text| text.starts_with("LIVE") && text.contains(&live));
}

#[test]
fn a_person_who_is_absent_on_purpose_gets_nothing_and_the_ladder_waits_for_them() {
    let ground = Ground::new("\"sms\"");
    let (status, run, said) = ground.drill(&with_fault("[[fault]]\nabsent = \"ana\"\n"), &[]);
    assert_eq!(status, Some(1), "{run:#}\n{said}");
    assert_eq!(ground.texts_to(ANA), Vec::<String>::new());
    let cause = &finding(&run)["bottleneck"]["cause"];
    assert_eq!((&cause["stage"], &cause["person"]), (&"silence".into(), &"ana".into()), "{run:#}");
    assert_eq!(cause["stand_in"], "drill", "she was absent on purpose: {run:#}");
    let report = String::from_utf8(ground.daemon.cli(&["drill", "report", "DR-1"]).stdout).unwrap();
    assert!(report.contains("not tested: injected: ana is absent from this drill"), "{report}");
    assert!(!report.contains("Why did Ana Ruiz not answer") && !report.contains("Ana Ruiz did not answer"), "{report}");
}

#[test]
fn an_announced_drill_says_so_before_it_asks() {
    let ground = Ground::new("\"sms\"");
    let (status, run, said) = ground.drill(&scenario("").replace("announced = false", "announced = true"), &[]);
    assert_eq!(status, Some(0), "{run:#}\n{said}");
    // The announcement asks nobody for anything: it is no incident to measure, and nothing is said of its roles.
    let tte = ground.daemon.json(&["report", "tte", "--drills"]);
    assert_eq!((&tte["incidents"], run["incidents"].as_array().map(Vec::len)), (&1.into(), Some(2)), "{tte:#}");
    let report = String::from_utf8(ground.daemon.cli(&["drill", "report", "DR-1"]).stdout).unwrap();
    assert!(report.contains("the announcement; no role was required."), "{report}");
    let texts = ground.texts_to(ANA);
    assert!(texts[0].starts_with("DRILL") && texts[0].contains("an exercise begins"), "{texts:?}");
    assert!(texts.iter().all(|text| text.starts_with("DRILL")), "{texts:?}");
    assert!(texts.last().unwrap().contains("DRILL is over"), "{texts:?}");
}

#[test]
fn a_drill_is_broken_off_by_a_command_and_by_ctrl_c_and_everybody_hears_that_it_is_over() {
    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    let child = ground.begin(&scenario(""));
    ground.text_to(ANA, |text| text.starts_with("DRILL"));
    let aborted = ground.daemon.cli(&["drill", "abort", "DR-1"]);
    assert!(aborted.status.success(), "{aborted:?}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("not judged trader") && said.contains("DR-1 aborted"), "{said}");
    ground.text_to(ANA, |text| text.contains("DRILL is over"));
    // No report judges anything of it.
    let run = ground.run_of("aborted");
    assert_eq!(finding(&run)["verdict"], "not-judged", "{run:#}");
    let history = String::from_utf8(ground.daemon.cli(&["drill", "history"]).stdout).unwrap();
    assert!(history.contains("not judged") && !history.contains("0 of 1"), "{history}");
    let report = String::from_utf8(ground.daemon.cli(&["drill", "report", "DR-1"]).stdout).unwrap();
    let (first, id) = (report.lines().nth(2).unwrap(), run["incidents"][0].as_str().unwrap());
    assert!(first.starts_with("**ABORTED after ") && first.ends_with("nothing of it is judged."), "{report}");
    for wrong in ["hypotheses held", "**never**", "every required role", "Why did nobody answer", "1 late"] {
        assert!(!report.contains(wrong), "{wrong}: {report}");
    }
    let shown = String::from_utf8(ground.daemon.cli(&["postmortem", id]).stdout).unwrap();
    assert!(
        shown.contains("the drill was broken off") && shown.contains("None was tried: the drill was broken off"),
        "{shown}"
    );

    let child = ground.begin(&scenario(""));
    let before = ground.texts_to(ANA).len();
    eventually("the second brief", || (before < ground.texts_to(ANA).len()).then_some(()));
    let output = interrupt(child);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("being aborted"), "{output:?}");
    let over = |ground: &Ground| ground.texts_to(ANA).iter().filter(|text| text.contains("DRILL is over")).count();
    assert_eq!(over(&ground), 2, "{:?}", ground.texts_to(ANA));
    assert_eq!(ground.daemon.cli(&["drill", "abort", "DR-2"]).status.code(), Some(2), "it does not go on");
}

#[test]
fn a_drill_that_is_broken_off_while_its_announcement_is_waited_for_is_over_when_the_command_says_so() {
    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    // Slack takes nothing: the announcement by it is owed for as long as it is waited for.
    ground.slack.set_error("chat.postMessage", Some("internal_error"));
    ground.slack.set_error("conversations.open", Some("internal_error"));
    let child = ground.begin(&scenario("").replace("announced = false", "announced = true"));
    ground.text_to(ANA, |text| text.contains("an exercise begins"));
    let asked = std::time::Instant::now();
    let aborted = ground.daemon.cli(&["drill", "abort", "DR-1"]);
    assert!(aborted.status.success() && asked.elapsed() < Duration::from_secs(5), "{:?}: {aborted:?}", asked.elapsed());
    let open = ground.daemon.json(&["incidents"]);
    assert_eq!(open.as_array().unwrap().len(), 0, "{open:#}");
    let report = String::from_utf8(ground.daemon.cli(&["drill", "report", "DR-1"]).stdout).unwrap();
    assert!(!report.contains("It goes on") && report.contains("aborted it"), "{report}");
    // It can be broken off once: what is over does not go on.
    let again = ground.daemon.cli(&["drill", "abort", "DR-1"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    ground.text_to(ANA, |text| text.contains("DRILL is over"));
    ground.slack.set_error("chat.postMessage", None);
    ground.slack.set_error("conversations.open", None);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(
        ground.texts_to(ANA).iter().all(|text| !text.contains("reply")),
        "no alert was sent: {:?}",
        ground.texts_to(ANA)
    );
}

#[test]
fn after_a_crash_in_mid_drill_no_page_of_it_goes_out_late_and_the_end_is_told() {
    let mut ground = Ground::new("\"sms\", \"chat\"");
    ground.silence();
    // Slack takes nothing, so that a page of the drill is owed when the daemon dies.
    ground.slack.set_error("chat.postMessage", Some("internal_error"));
    ground.slack.set_error("conversations.open", Some("internal_error"));
    let mut child = ground.begin(&scenario(""));
    ground.text_to(ANA, |text| text.starts_with("DRILL"));
    ground.daemon.kill();
    let _ = child.wait();
    ground.slack.set_error("chat.postMessage", None);
    ground.slack.set_error("conversations.open", None);
    let before = ground.texts_to(ANA).len();
    ground.daemon.restart();
    let run = ground.run_of("interrupted");
    assert_eq!(run["id"], "DR-1");
    ground.text_to(ANA, |text| text.contains("DRILL is over"));
    std::thread::sleep(Duration::from_millis(200));
    let late: Vec<String> = ground.texts_to(ANA).split_off(before);
    assert!(late.iter().all(|text| text.contains("DRILL is over")), "{late:?}");
    let posts: Vec<String> = ground.slack.posts().iter().map(|post| post.body.to_string()).collect();
    assert!(posts.iter().all(|post| post.contains("DRILL is over")), "{posts:?}");
    // The next one can start.
    ground.people_answer();
    let (status, run, said) = ground.drill(&scenario(""), &[]);
    assert_eq!((status, &run["id"]), (Some(0), &"DR-2".into()), "{run:#}\n{said}");
}

#[test]
fn a_compressed_drill_divides_what_waits() {
    let ground = Ground::new("\"chat\"");
    let (status, run, said) = ground.drill(&with_fault(SLACK_DOWN), &["--compress", "4"]);
    // Nobody is reached by Slack; after a second instead of four the head takes over.
    assert_eq!(status, Some(1), "{run:#}\n{said}");
    let incident = ground.daemon.json(&["show", run["incidents"][0].as_str().unwrap()]);
    let text = incident.to_string();
    assert!(text.contains("\"head\""), "{text}");
    assert_eq!(run["compress"], 4);
    // It failed in this run; of a percentage one run says next to nothing.
    assert_eq!(finding(&run)["shown"]["verdict"], "too-few");
    let review = ground.daemon.cli(&["drill", "report", "DR-1"]);
    let review = String::from_utf8_lossy(&review.stdout).into_owned();
    assert!(review.contains("0 of 1 hypotheses held in this run"), "{review}");
    assert!(review.contains("too few to say of 90 %, 36 in time and none late would"), "{review}");
    // Its times are in no figure of drills that waited as the matrix says.
    let report = ground.daemon.json(&["report", "tte", "--drills"]);
    assert_eq!((&report["incidents"], report["groups"].as_array().unwrap().len()), (&0.into(), 0), "{report:#}");
    let apart = &report["compressed"][0];
    assert_eq!((&apart["compress"], &apart["incidents"]), (&4.into(), &1.into()), "{report:#}");
    assert_eq!(apart["groups"][1]["ended"]["covered"], 1, "{report:#}");
    let table = ground.daemon.cli(&["report", "tte", "--drills"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("1 DRILL(S) WITH WAITS DIVIDED BY 4") && table.contains("0 incident(s)"), "{table}");
}
