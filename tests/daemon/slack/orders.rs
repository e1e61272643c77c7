//! The slash command, by both ways.

use super::{
    house::{eventually, verdict},
    rig::{ANA, BO, DORA, Rig, STRANGER, WAYS, Way, ZOE, bare, now, press, signed, typed},
    wire::{Call, form},
};
use serde_json::{Value, json};

/// What somebody reads who has taken INC-1 by a command.
const TAKEN: &str = "INC-1: you have it. To hand it back: /stentor answer INC-1 unable.";

#[test]
fn each_order_is_obeyed_by_both_ways_and_answered_in_words_that_mention_nobody() {
    for way in WAYS {
        let rig = Rig::start();
        assert_eq!(rig.type_in(way, ZOE, "list"), "No incident is open.", "{way:?}");
        assert_eq!(rig.type_in(way, ZOE, "status"), "No incident is open.", "{way:?}");
        let help = rig.type_in(way, ZOE, "");
        assert!(help.contains("/stentor page ROLE") && help.contains("/stentor resolve INC-42"), "{help}");

        let said = rig.type_in(way, ZOE, "page trader <!channel> feed & <@U1> is down");
        assert_eq!(said, "LIVE INC-1 is open: trader is being called.", "{way:?}");
        let held = rig.button("INC-1", ANA);
        assert!(held.starts_with("INC-1."), "{held}");
        let incident = rig.daemon.incident("INC-1");
        assert_eq!(incident["summary"], "Zoe Karam calls trader: <!channel> feed & <@U1> is down");
        assert_eq!((&incident["drill"], &incident["trigger"]), (&json!(false), &json!("by-hand")));
        for post in &rig.slack.world().posts {
            let text = post.to_string();
            assert!(!text.contains("<!channel>") && !text.contains("<@U1>"), "{way:?}: {text}");
        }

        assert_eq!(verdict(&rig.type_in(way, ANA, "answer INC-1 wilco")), TAKEN, "{way:?}");
        assert_eq!(rig.role("INC-1", "trader")["holder"], "Ana <Ruiz> & Co");
        let late = rig.type_in(way, BO, "answer INC-1 wilco trader");
        assert_eq!(verdict(&late), "INC-1: too late: Ana &lt;Ruiz&gt; &amp; Co has it.", "{way:?}");
        let list = rig.type_in(way, BO, "list");
        assert!(list.contains("LIVE INC-1 Zoe Karam calls trader: &lt;!channel&gt; feed &amp;"), "{list}");
        assert!(list.contains("trader: Ana &lt;Ruiz&gt; &amp; Co has it") && !list.contains('<'), "{list}");
        assert_eq!(rig.type_in(way, BO, "status"), "Open incidents: 1. Roles that nobody has yet: 0.");

        assert_eq!(rig.type_in(way, ZOE, "resolve INC-1 a false <alarm>"), "INC-1 is resolved.", "{way:?}");
        assert_eq!(rig.journaled("INC-1", "a false <alarm>"), 1, "{way:?}");
        assert_eq!(rig.daemon.incident("INC-1")["resolved_by"], "zoe");
        rig.slack.until("those who were asked hear why", |world| {
            let told = |post: &&Value| post["text"].as_str().unwrap().contains("(a false &lt;alarm&gt;)");
            (2 <= world.posts.iter().filter(told).count()).then_some(())
        });
        assert_eq!(rig.type_in(way, ZOE, "resolve INC-1"), "INC-1 was resolved before.", "{way:?}");
        let late = rig.type_in(way, ANA, "answer INC-1 wilco");
        assert_eq!(verdict(&late), "INC-1: the incident is over.", "{way:?}");
    }
}

#[test]
fn a_drill_by_hand_is_one_and_no_text_makes_one() {
    for way in WAYS {
        let rig = Rig::start();
        assert_eq!(rig.type_in(way, ZOE, "drill trader feed down"), "DRILL INC-1 is open: trader is being called.");
        // Before the live one, which takes back what of the drill is not sent yet.
        rig.button("INC-1", ANA);
        assert_eq!(
            rig.type_in(way, ZOE, "page trader drill: feed down"),
            "LIVE INC-2 is open: trader is being called."
        );
        assert_eq!(rig.daemon.incident("INC-1")["drill"], true);
        assert_eq!(rig.daemon.incident("INC-2")["drill"], false);
        rig.button("INC-2", ANA);
        let posts = rig.slack.world().posts.clone();
        let begins = |word: &str| posts.iter().filter(|post| post["text"].as_str().unwrap().starts_with(word)).count();
        assert!(0 < begins("DRILL") && 0 < begins("LIVE"), "{posts:?}");
        assert_eq!(begins("DRILL") + begins("LIVE"), posts.len(), "{posts:?}");
    }
}

#[test]
fn what_a_user_gets_wrong_is_told_to_them_and_does_nothing() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    for way in WAYS {
        for (user, text, told) in [
            (STRANGER, "list", "knows nobody with your Slack account"),
            (STRANGER, "page trader now", "knows nobody with your Slack account"),
            (STRANGER, "resolve INC-1", "knows nobody with your Slack account"),
            (ANA, "lst", "/stentor help"),
            (ANA, "answer INC-1 <maybe>", "\"&lt;maybe&gt;\" is not an answer"),
            (ANA, "answer INC-1 wilco?", "\"wilco?\" is not an answer"),
            (ANA, "answer INC-1 wilco :thumbsdown:", "\"wilco :thumbsdown:\" is not an answer"),
            (ANA, "answer INC-1 2 👎", "\"2 👎\" is not an answer"),
            (ANA, "answer INC-1 roger unable", "\"roger unable\" is not an answer"),
            (ANA, "answer INC-1 wilco not", "\"wilco not\" is not an answer"),
            (ANA, "answer INC-99 wilco", "There is no incident INC-99."),
            (ANA, "answer INC-1 wilco nobody", "you were not asked for this"),
            (ANA, "answer INC-1 wilco compliance", "you were not asked for this"),
            (ZOE, "answer INC-1 wilco", "you were not asked for this"),
            (ANA, "page ghosts now", "There are: catch-all, compliance, it, trader"),
            (ANA, "page trader", "page ROLE text"),
            (ANA, "resolve INC-99", "There is no incident INC-99."),
            (ANA, "resolve", "resolve INC-42"),
        ] {
            let said = rig.type_in(way, user, text);
            assert!(said.contains(told), "{way:?} {text}: {said}");
        }
    }
    assert_eq!(rig.daemon.incidents().len(), 1);
    assert_eq!(rig.role(&incident, "trader")["state"], "paging");
    assert_eq!(rig.role(&incident, "compliance")["state"], "paging");
}

#[test]
fn the_same_command_handed_in_twice_calls_once_also_after_a_restart_and_an_end() {
    let mut rig = Rig::start();
    let fields = typed(ZOE, "page trader feed down");
    assert!(rig.type_as(Way::Http, &fields).contains("INC-1 is open"));
    for way in WAYS {
        assert_eq!(rig.type_as(way, &fields), "That was done before.", "{way:?}");
    }
    rig.daemon.kill();
    rig.daemon.restart();
    rig.slack.until_links(2);
    assert_eq!(rig.type_as(Way::Http, &fields), "That was done before.");
    rig.type_in(Way::Http, ZOE, "resolve INC-1");
    assert_eq!(rig.type_as(Way::Http, &fields), "That was done before.");
    assert_eq!(rig.daemon.incidents().len(), 1);
    // Somebody else who says the same is heard.
    assert!(rig.type_in(Way::Socket, BO, "page trader feed down").contains("INC-2 is open"));
}

#[test]
fn a_hand_that_slips_does_not_page_all_night() {
    let rig = Rig::start();
    let said: Vec<String> = (0..22).map(|n| rig.type_in(Way::Http, ZOE, &format!("page it thing {n}"))).collect();
    assert_eq!(said.iter().filter(|said| said.contains("is open")).count(), 20, "{said:?}");
    assert!(said[21].contains("more than 20 calls"), "{said:?}");
    assert!(rig.type_in(Way::Http, BO, "page it another").contains("INC-21 is open"), "others may still call");
}

#[test]
fn an_answer_with_its_role_is_taken_where_two_are_asked_of_one() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let word = rig.type_in(Way::Http, DORA, &format!("answer {incident} roger"));
    assert_eq!(verdict(&word), format!("{incident}: you have it. To hand it back: /stentor answer {incident} unable."));
    let standby = rig.type_in(Way::Socket, ANA, &format!("answer {incident} standby 3 trader"));
    assert!(standby.contains("you have until"), "{standby}");
    let second = rig.crash("NQ");
    let taken = rig.type_in(Way::Http, ANA, &format!("ａｎｓｗｅｒ {} I have it trader", second.replace('2', "２")));
    assert!(taken.starts_with(&format!("{second}: you have it")), "{taken}");
    let passed = rig.type_in(Way::Socket, BO, &format!("answer {incident} unable"));
    assert_eq!(verdict(&passed), format!("{incident}: passed on."));
}

#[test]
fn a_probe_of_the_address_is_answered_to_anybody_and_does_nothing() {
    let rig = Rig::start();
    let at = rig.daemon.address;
    assert_eq!(bare(b"ssl_check=1&token=legacy").send(at).status, 200);
    assert_eq!(signed("ssl_check=1&token=legacy", now()).send(at).status, 200);
    assert_eq!(Call::get("/hooks/slack/room?ssl_check=1").send(at).status, 200);
    // With anything else in it, it is no probe.
    let page = form(&[("ssl_check", "1"), ("command", "/stentor"), ("user_id", ANA), ("text", "page it now")]);
    assert_eq!(bare(page.as_bytes()).send(at).status, 401);
    let pressed = form(&[("ssl_check", "1"), ("payload", &press(ANA, "wilco", "INC-1:room", "").to_string())]);
    assert_eq!(bare(pressed.as_bytes()).send(at).status, 401);
    let long = format!("ssl_check=1&x={}", "y".repeat(2000));
    assert_eq!(bare(long.as_bytes()).send(at).status, 401);
    assert_eq!(rig.daemon.incidents(), Vec::<Value>::new());
}

#[test]
fn a_role_called_by_hand_climbs_its_ladder_and_ends_with_the_catch_all() {
    let rig = Rig::start();
    rig.type_in(Way::Http, ANA, "page it feed down");
    assert!(rig.type_in(Way::Http, ZOE, "answer INC-1 unable").contains("passed on"));
    // Nobody of the role is left: the catch-all takes over at once.
    let gita = |incident: &Value| incident["roles"].as_array().unwrap().iter().any(|role| role["role"] == "catch-all");
    eventually("the catch-all", || Some(rig.daemon.incident("INC-1")).filter(gita));
}
