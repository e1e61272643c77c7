//! Direct messages in Slack.

use super::{ana, double::slack::FakeSlack, page_for, slack_at, told, two_options};
use serde_json::{Value, json};
use stentor::channel::{Channel, Message, SendError, slack::send::SlackSettings};

async fn posted(message: &Message) -> Value {
    let slack = FakeSlack::start(&["UANA"]).await;
    let result = slack_at(slack.api_url()).send(message).await;
    assert_eq!(told(&result), "accepted", "{result:?}, {:?}", slack.calls("chat.postMessage"));
    let post = slack.posts().pop().unwrap();
    assert_eq!(result.unwrap().id, post.ts);
    post.body
}

fn blocks_of<'a>(body: &'a Value, kind: &str) -> Vec<&'a Value> {
    body["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == kind).collect()
}

#[tokio::test]
async fn a_direct_message_has_a_push_text_and_the_four_answers() {
    let message = page_for(ana());
    let body = posted(&message).await;
    assert_eq!(body["channel"], "UANA");
    assert_eq!(body["text"], message.text.headline);
    let actions = blocks_of(&body, "actions");
    assert!(actions[0]["block_id"].as_str().unwrap().contains("INC-12.3"));
    let buttons: Vec<Value> = actions[0]["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|button| json!([button["action_id"], button["text"]["text"], button["style"], button["value"]]))
        .collect();
    assert_eq!(
        buttons,
        [
            json!(["answer:wilco", "I have it", "primary", "INC-12.3:48213"]),
            json!(["answer:roger", "Received", null, "INC-12.3:48213"]),
            json!(["answer:standby", "2 more minutes", null, "INC-12.3:48213"]),
            json!(["answer:unable", "I can't, pass on", "danger", "INC-12.3:48213"]),
        ]
    );
}

/// Where Slack does not show the form, its link does.
#[tokio::test]
async fn a_form_has_a_button_that_opens_it_one_with_its_link_and_one_to_pass_it_on() {
    let mut message = page_for(ana());
    message.ask.as_mut().unwrap().fills_in = true;
    let body = posted(&message).await;
    let actions = blocks_of(&body, "actions");
    let elements = actions[0]["elements"].as_array().unwrap();
    assert_eq!(elements.len(), 3, "{elements:?}");
    assert_eq!((&elements[0]["action_id"], &elements[0]["value"]), (&json!("answer:form"), &json!("INC-12.3:48213")));
    assert_eq!(elements[1]["url"], "https://desk.example/a/link-secret");
    assert_eq!((&elements[1]["action_id"], &elements[1]["value"]), (&json!("open-form"), &Value::Null));
    assert_eq!(elements[2]["action_id"], "answer:unable");
}

#[tokio::test]
async fn where_something_must_be_repeated_no_button_is_an_option() {
    for (repeats, buttons) in [(None, "answer:A answer:B answer:unable"), (Some("EQ-2 (desk)"), "answer:unable")] {
        let mut message = page_for(ana());
        let ask = message.ask.as_mut().unwrap();
        (ask.options, ask.repeats) = (two_options(), repeats.map(str::to_owned));
        let body = posted(&message).await;
        let actions = blocks_of(&body, "actions")[0]["elements"].as_array().unwrap();
        let ids: Vec<&str> = actions.iter().map(|button| button["action_id"].as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), buttons);
    }
}

/// None of them stands out, and the one that opens what can be changed decides nothing by itself.
#[tokio::test]
async fn an_action_that_can_be_changed_has_a_button_for_that_beside_its_options() {
    for (repeats, buttons) in [
        (None, "answer:A answer:B answer:form open-form answer:unable"),
        (Some("EQ-2 (desk)"), "answer:form open-form answer:unable"),
    ] {
        let mut message = page_for(ana());
        let ask = message.ask.as_mut().unwrap();
        (ask.options, ask.repeats, ask.edits) = (two_options(), repeats.map(str::to_owned), true);
        let body = posted(&message).await;
        let actions = blocks_of(&body, "actions")[0]["elements"].as_array().unwrap();
        let ids: Vec<&str> = actions.iter().map(|button| button["action_id"].as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), buttons);
        let change = actions.iter().find(|button| button["action_id"] == "answer:form").unwrap();
        assert_eq!((&change["text"]["text"], &change["style"]), (&json!("Approve with changes"), &Value::Null));
        let link = actions.iter().find(|button| button["action_id"] == "open-form").unwrap();
        assert_eq!(link["url"], "https://desk.example/a/link-secret");
    }
}

#[tokio::test]
async fn a_message_that_asks_nothing_has_no_buttons() {
    let body = posted(&Message { ask: None, ..page_for(ana()) }).await;
    assert!(blocks_of(&body, "actions").is_empty());
}

#[tokio::test]
async fn a_drill_says_so_first_and_looks_different_even_when_its_template_forgot() {
    for (drill, given, first) in [
        (false, "LIVE flash crash", "LIVE :red_circle: flash crash"),
        (false, "flash crash", "LIVE :red_circle: flash crash"),
        (true, "DRILL flash crash", "DRILL :large_blue_circle: flash crash"),
        (true, "flash crash", "DRILL :large_blue_circle: flash crash"),
        (true, "LIVE flash crash", "DRILL :large_blue_circle: LIVE flash crash"),
        (false, "DRILL flash crash", "LIVE :red_circle: DRILL flash crash"),
    ] {
        let mut message = Message { drill, ..page_for(ana()) };
        message.text.headline = given.to_owned();
        message.text.body = given.to_owned();
        let body = posted(&message).await;
        assert_eq!(body["blocks"][0]["text"]["text"], first);
        assert!(body["text"].as_str().unwrap().starts_with(first.split(' ').next().unwrap()), "{body}");
    }
}

#[tokio::test]
async fn nobodys_text_can_mention_a_channel() {
    let mut message = page_for(ana());
    message.text.headline = "LIVE <!channel> & <@UBOSS>".to_owned();
    message.text.body = "LIVE <!channel> & <@UBOSS>".to_owned();
    let body = posted(&message).await;
    assert_eq!(body["text"], "LIVE &lt;!channel&gt; &amp; &lt;@UBOSS&gt;");
    assert_eq!(body["blocks"][0]["text"]["text"], "LIVE :red_circle: &lt;!channel&gt; &amp; &lt;@UBOSS&gt;");
}

#[tokio::test]
async fn the_longest_text_stays_within_the_limits_and_keeps_its_buttons() {
    for filler in ["<&> ", "a line of text\n", "🚨"] {
        let mut message = page_for(ana());
        message.text.headline = filler.repeat(5000);
        message.text.body = filler.repeat(20_000);
        let body = posted(&message).await;
        assert_eq!(blocks_of(&body, "actions").len(), 1);
        assert!(2 < blocks_of(&body, "section").len());
    }
}

#[tokio::test]
async fn when_the_form_is_refused_a_plain_line_goes_at_once_and_can_still_be_answered() {
    let slack = FakeSlack::start(&["UANA"]).await;
    for error in ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"] {
        slack.set_error("chat.postMessage", Some(error));
        assert_eq!(told(&slack_at(slack.api_url()).send(&page_for(ana())).await), "retry");
        let plain = slack.calls("chat.postMessage").pop().unwrap().body;
        assert!(plain.get("blocks").is_none(), "{plain}");
        let text = plain["text"].as_str().unwrap();
        assert!(text.starts_with("LIVE INC-12") && text.ends_with("https://desk.example/a/link-secret"), "{text}");
    }
    assert_eq!(slack.calls("chat.postMessage").len(), 8);
}

#[tokio::test]
async fn a_wrong_token_breaks_the_channel_and_is_not_shown() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let settings = SlackSettings { token: "xoxb-wrong-8899".into(), api_url: Some(slack.api_url()) };
    super::double::install_tls();
    let channel = stentor::channel::slack::send::SlackChannel::new(settings.clone()).unwrap();
    let Err(SendError::Broken { why }) = channel.send(&page_for(ana())).await else { panic!("not broken") };
    assert_eq!(why, "Slack: invalid_auth: check the app's token and scopes");
    assert!(!format!("{settings:?}").contains("xoxb-wrong"));
}

#[tokio::test]
async fn slacks_errors_in_a_200_are_classed() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    for (error, expected) in [
        ("ratelimited", "retry in 2s"),
        ("rate_limited", "retry"),
        ("user_disabled", "unreachable"),
        ("messages_tab_disabled", "unreachable"),
        ("missing_scope", "broken"),
        ("token_revoked", "broken"),
        ("internal_error", "unknown"),
        ("something_new", "retry"),
    ] {
        slack.set_error("chat.postMessage", Some(error));
        assert_eq!(told(&channel.send(&page_for(ana())).await), expected, "{error}");
    }
}

#[test]
fn the_token_is_not_sent_over_plain_http() {
    super::double::install_tls();
    for (url, good) in [
        ("https://slack.com/api", true),
        ("http://127.0.0.1:1/api/", true),
        ("http://slack.example/api", false),
        ("ftp://slack.example", false),
        ("slack", false),
    ] {
        let settings = SlackSettings { token: "t".into(), api_url: Some(url.to_owned()) };
        assert_eq!(stentor::channel::slack::send::SlackChannel::new(settings).is_ok(), good, "{url}");
    }
}
