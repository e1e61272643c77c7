//! What must not run does not: a clear error, and nobody is paged.

use super::{
    ground::{Ground, scenario},
    house::eventually,
};

fn refused(ground: &Ground, text: &str, more: &[&str], because: &str) {
    let (status, run, said) = ground.drill(text, more);
    assert_eq!(status, Some(4), "{because}: {run:#}\n{said}");
    assert!(said.contains(because), "{because}: {said}");
}

#[test]
fn a_scenario_that_is_wrong_pages_nobody() {
    let ground = Ground::new("\"sms\"");
    let good = scenario("");
    refused(&ground, &good.replace("hypothesis.trader", "hypothesis.traider"), &[], "traider");
    refused(&ground, &good.replace("at     = \"0s\"", "at     = \"2m\""), &[], "the drill ends after 1m");
    refused(&ground, &good.replace("percent = 90", ""), &[], "percent");
    refused(&ground, &good.replace("percent = 90", "percent = 900"), &[], "percent");
    refused(&ground, &good, &["--compress", "0"], "compressed");
    refused(&ground, &good, &["--compress", "1000"], "compressed");
    refused(&ground, "name = ", &[], "error");
    let never = "hours = { from = \"00:00\", until = \"00:01\", days = [\"Mon\"], timezone = \"Pacific/Kiritimati\" }";
    refused(&ground, &scenario(never), &[], "hours");
    assert_eq!(ground.all_texts(), Vec::<String>::new());
    assert_eq!(ground.daemon.json(&["incidents", "--all"]).as_array().unwrap().len(), 0);
    assert_eq!(ground.daemon.json(&["drill", "history"]).as_array().unwrap().len(), 0);
}

#[test]
fn nobody_is_drilled_while_something_real_is_open() {
    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    let live = ground.fire("NQ");
    eventually("the live page", || (!ground.all_texts().is_empty()).then_some(()));
    refused(&ground, &scenario(""), &[], &format!("{live} is open, which is real"));
    // By no other way either.
    let fired =
        ground.daemon.cli(&["fire", "price_velocity", "--drill", "--value", "drop_pct=7", "--label", "symbol=X"]);
    let said = String::from_utf8_lossy(&fired.stdout).into_owned();
    assert!(said.contains("no drill can start while"), "{said}");
    assert!(ground.all_texts().iter().all(|text| !text.contains("DRILL")), "{:?}", ground.all_texts());
    let resolved = ground.daemon.cli(&["resolve", &live]);
    assert!(resolved.status.success());
    ground.people_answer();
    let (status, run, said) = ground.drill(&scenario(""), &[]);
    assert_eq!(status, Some(0), "{run:#}\n{said}");
}

#[test]
fn one_drill_at_a_time() {
    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    let child = ground.begin(&scenario(""));
    eventually("the first brief", || (!ground.all_texts().is_empty()).then_some(()));
    // By its file, and by the name that it says itself.
    let file = ground.daemon.dir.path().join("matrix/drills/tuesday.toml");
    std::fs::write(file, scenario("").replace("\"crash\"", "\"es-falls\"")).unwrap();
    for name in ["crash", "es-falls"] {
        let second = ground.daemon.cli(&["drill", "run", name, "--yes"]);
        assert_eq!(second.status.code(), Some(4));
        assert!(String::from_utf8_lossy(&second.stderr).contains("DR-1 is still running"), "{name}: {second:?}");
    }
    let asked = ground.daemon.cli(&["drill", "run", "crash"]);
    assert_eq!(asked.status.code(), Some(2), "where nobody can be asked, --yes is needed");
    assert!(ground.daemon.cli(&["drill", "abort", "DR-1"]).status.success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(4));
}
