//! A drill in the sandbox: it runs, people answer from the outbox, and whatever tells of it says that nothing was sent.

use super::{
    common::{Daemon, Setup},
    ground::{ANA, matrix, scenario},
    house::eventually,
    wire::{Call, form},
};
use std::{process::Stdio, thread};

const REPLY_TOKEN: &str = "reply-secret-4711";

fn daemon() -> Daemon {
    let matrix =
        matrix("\"sms\"").replace("SLACK_URL", "http://127.0.0.1:9").replace("SMS_URL", "http://127.0.0.1:9/s");
    let desk = "\n[channel.desk]\nkind = \"screen\"\n";
    Setup::new(&(matrix + desk))
        .env("MONITOR_TOKEN", "monitor-secret-4711")
        .env("SLACK_TOKEN", "xoxb-1")
        .env("KANNEL_REPLY_TOKEN", REPLY_TOKEN)
        .arg("--sandbox")
        .start()
}

impl Daemon {
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// Ana answers the newest brief that the outbox has for her.
    fn ana_answers(&self) {
        let code = eventually("a page for Ana in the outbox", || {
            let mine = |entry: &serde_json::Value| entry["person"] == "ana" && entry["code"].is_string();
            let entry = self.outbox().into_iter().rev().find(mine)?;
            Some(entry["code"].as_str().unwrap().to_owned())
        });
        let fields = [("token", REPLY_TOKEN), ("from", ANA), ("text", &format!("{code} 2"))];
        let reply = Call::get(&format!("/hooks/kannel/sms?{}", form(&fields))).send(self.address);
        assert!(reply.body.contains("you have it"), "{reply:?}");
    }
}

#[test]
fn a_drill_in_the_sandbox_is_evidence_of_nothing_that_was_sent() {
    let mut daemon = daemon();
    let folder = daemon.dir.path().join("matrix/drills");
    std::fs::create_dir_all(&folder).unwrap();
    let text = scenario("")
        .replace("[hypothesis.trader]", "[all_clear]\npercent = 90\nwithin = \"20s\"\n\n[hypothesis.trader]");
    std::fs::write(folder.join("crash.toml"), text).unwrap();
    let mut command = super::common::binary(daemon.dir.path());
    let run =
        command.args(["drill", "run", "crash", "--yes", "--verbose"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run.spawn().unwrap();
    thread::scope(|scope| scope.spawn(|| daemon.ana_answers()).join().unwrap());
    let output = run.wait_with_output().unwrap();
    let followed = String::from_utf8(output.stdout).unwrap();
    // The role had its answer; of the all-clear there is nothing to see: nobody was told.
    assert_eq!(output.status.code(), Some(3), "{followed}");
    for words in [
        "SANDBOX: kept on this machine, sent to nobody",
        "held     trader",
        "too few  all-clear",
        "DR-1 too few in the SANDBOX",
    ] {
        assert!(followed.contains(words), "{words} is missing:\n{followed}");
    }
    for (arguments, says) in [
        (
            vec!["show", "INC-1"],
            vec![
                "  SANDBOX: 3 of 3 messages kept on this machine, sent to nobody (sms)",
                "0 of 1 people were told that it is over; for 1 of them SANDBOX",
            ],
        ),
        (vec!["show", "INC-1", "--pages"], vec!["sandbox"]),
        (vec!["incidents", "--all"], vec!["SANDBOX"]),
        (vec!["drill", "history"], vec!["SANDBOX"]),
        (vec!["people"], vec!["SANDBOX: reaches nobody"]),
        (
            vec!["drill", "report", "DR-1"],
            vec!["(SANDBOX)", "held in the SANDBOX", "None was tried: pages of this drill were kept in the sandbox"],
        ),
        (vec!["postmortem", "INC-1"], vec!["(DRILL) (SANDBOX)", "not shown to anybody"]),
        (vec!["report", "tte", "--drills"], vec!["SANDBOX: 1 incident(s) left out", "no incident to measure"]),
        (
            vec!["report", "tte", "--drills", "--sandbox"],
            vec!["SANDBOX: 1 of these incidents had pages that were sent to nobody"],
        ),
    ] {
        let text = daemon.told(&arguments);
        for words in says {
            assert!(text.contains(words), "{arguments:?}: {words} is missing:\n{text}");
        }
        let accepted =
            text.contains("was accepted") || text.contains("accepted +") || text.contains("were told that it is over,");
        assert!(!accepted, "{arguments:?} says what did not happen:\n{text}");
    }
    let shown = daemon.json(&["show", "INC-1"]);
    let incident = &shown["incident"];
    assert_eq!(incident["sandbox"], serde_json::json!({ "kept": 3, "of": 3, "channels": ["sms"] }));
    assert!(
        incident["pages"]
            .as_array()
            .unwrap()
            .iter()
            .all(|page| page["state"] == "sandbox" && page["accepted"].is_null())
    );
    assert_eq!((&incident["all_clear"]["told"], &incident["all_clear"]["sandbox"]), (&0.into(), &1.into()));
    assert_eq!(incident["roles"][0]["stages"]["provider_accepted"], serde_json::Value::Null);
    let metrics = daemon.control(&Call::get("/metrics")).body;
    for line in [
        "stentor_pages_total{channel=\"sms\",outcome=\"sandbox\",drill=\"true\"} 3",
        "stentor_sandbox_engagements_total{role=\"trader\",outcome=\"engaged\",drill=\"true\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    for never in ["outcome=\"accepted\"", "stentor_send_seconds_count", "stentor_time_to_engagement_seconds_count"] {
        let counted = metrics.lines().find(|line| line.contains(never) && !line.ends_with(" 0"));
        assert_eq!(counted, None, "{never}");
    }
    // It is in every form of the record.
    assert!(daemon.stop());
    let offline = daemon.told(&["postmortem", "INC-1"]);
    assert!(offline.contains("SANDBOX: 3 of 3 messages kept on this machine, sent to nobody (sms)"), "{offline}");
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}
