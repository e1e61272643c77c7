//! What is written but has no effect is warned of.

use super::faults::{BASE, check_added, faults_of};

const SCRAPER: &str = "[source.scraper]\ntoken = { env = \"S\" }\nscopes = [\"metrics\"]\n";

#[test]
fn a_trigger_that_no_source_can_fire_is_warned_of() {
    let trigger =
        |sources: &str| format!("{SCRAPER}[trigger.t]\non = [\"t\"]\nroles = [\"trader\"]\nsources = [{sources}]");
    check_added(&trigger("\"scraper\""), &[("never-fires", "\"scraper\"")]);
    check_added(&trigger("\"scraper\", \"monitor\""), &[]);
}

#[test]
fn keys_about_alerts_are_warned_of_where_a_source_sends_none() {
    let keys = "drills = true\nopenings_per_minute = 5";
    check_added(&format!("{SCRAPER}{keys}"), &[("no-effect", "true"), ("no-effect", "5")]);
    check_added(&format!("{SCRAPER}{keys}").replace("metrics", "alerts"), &[]);
}

#[test]
fn two_roles_with_the_same_name_are_warned_of() {
    let named = |head: &str| {
        let text = BASE.replace("[role.head]\n", &format!("[role.head]\nname = \"{head}\"\n"));
        text.replace("[role.trader]\n", "[role.trader]\nname = \"Trader\"\n")
    };
    faults_of(&named("Trader"), &[("same-name", "trader")]);
    faults_of(&named("Head"), &[]);
}
