//! People as Slack knows them, and what a probe of Slack finds.

use super::{ana_with, double::slack::FakeSlack, page_for, slack_at, told};
use stentor::channel::{
    Channel, CheckOutcome, ContactData, ProbeCheck,
    contact::EMAIL,
    slack::{
        contact::{BY_EMAIL, MEMBER},
        send::SlackSettings,
    },
};

fn by_mail(email: &str) -> ContactData {
    let known = [(MEMBER, BY_EMAIL.to_owned()), (EMAIL, email.to_owned())];
    ContactData { person: email.to_owned(), ..ana_with(known) }
}

fn with_id(id: &str) -> ContactData {
    ContactData { person: id.to_owned(), ..ana_with([(MEMBER, id.to_owned())]) }
}

async fn workspace() -> FakeSlack {
    let slack = FakeSlack::start(&["UANA", "UBO"]).await;
    let mut world = slack.world.lock().unwrap();
    world.deactivated.extend(["UGONE".to_owned(), "ULEFT".to_owned()]);
    let mails = [("bo@example.com", "UBO"), ("left@example.com", "ULEFT")];
    world.emails.extend(mails.map(|(mail, id)| (mail.to_owned(), id.to_owned())));
    drop(world);
    slack
}

#[tokio::test]
async fn each_person_is_looked_up_and_who_can_not_be_reached_is_named_with_the_reason() {
    let slack = workspace().await;
    let people =
        [with_id("UANA"), with_id("UNONE"), with_id("UGONE"), by_mail("bo@example.com"), by_mail("left@example.com")];
    let checks = slack_at(slack.api_url()).check_people(&people).await;
    let found: Vec<(&str, Option<&str>, Option<&str>)> =
        checks.iter().map(|check| (check.person.as_str(), check.id.as_deref(), check.problem.as_deref())).collect();
    assert_eq!(
        found,
        [
            ("UANA", Some("UANA"), None),
            ("UNONE", None, Some("Slack knows nobody with id UNONE (user_not_found)")),
            ("UGONE", Some("UGONE"), Some("their Slack account is deactivated")),
            ("bo@example.com", Some("UBO"), None),
            ("left@example.com", None, Some("Slack knows nobody with their e-mail address (users_not_found)")),
        ]
    );
}

#[tokio::test]
async fn nothing_is_said_of_people_while_slack_can_not_be_asked() {
    let slack = workspace().await;
    for error in ["ratelimited", "missing_scope", "fatal_error"] {
        slack.set_error("users.info", Some(error));
        assert!(slack_at(slack.api_url()).check_people(&[with_id("UANA")]).await.is_empty(), "{error}");
    }
    let nobody = format!("http://{}/api", super::double::nobody().await);
    assert!(slack_at(nobody).check_people(&[with_id("UANA")]).await.is_empty());
}

#[tokio::test]
async fn who_is_known_by_mailbox_is_written_to_and_looked_up_once() {
    let slack = workspace().await;
    let channel = slack_at(slack.api_url());
    for _ in 0..2 {
        assert_eq!(told(&channel.send(&page_for(by_mail("bo@example.com"))).await), "accepted");
    }
    assert_eq!(slack.posts().pop().unwrap().channel, "DBO");
    assert_eq!(slack.calls("users.lookupByEmail").len(), 1);
    assert_eq!(told(&channel.send(&page_for(by_mail("left@example.com"))).await), "unreachable");
    let mut unasked = by_mail("bo@example.com");
    unasked.contacts.remove(&MEMBER);
    assert_eq!(told(&channel.send(&page_for(unasked)).await), "unreachable");
}

fn outcome(checks: &[ProbeCheck], what: &str) -> (CheckOutcome, String) {
    let check = checks.iter().find(|check| check.what == what).unwrap_or_else(|| panic!("no {what} in {checks:?}"));
    (check.outcome, check.detail.clone())
}

#[tokio::test]
async fn a_probe_says_what_the_token_may_not_and_pages_nobody() {
    let slack = workspace().await;
    let channel = slack_at(slack.api_url());
    let checks = channel.probe().await;
    assert_eq!(outcome(&checks, "login"), (CheckOutcome::Fine, "stentor in Desk".to_owned()));
    assert_eq!(outcome(&checks, "scopes"), (CheckOutcome::Fine, "all that are needed".to_owned()));
    assert_eq!(outcome(&checks, "clock").0, CheckOutcome::Fine);
    for (lacking, expected) in [("pins:write", CheckOutcome::Doubtful), ("chat:write", CheckOutcome::Failed)] {
        slack.world.lock().unwrap().scopes.remove(lacking);
        let (found, detail) = outcome(&channel.probe().await, "scopes");
        assert_eq!(found, expected);
        assert!(detail.contains(&format!("without {lacking} ")), "{detail}");
    }
    slack.world.lock().unwrap().date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    let (found, detail) = outcome(&channel.probe().await, "clock");
    assert!(found == CheckOutcome::Failed && detail.contains("ahead of theirs"), "{detail}");
    assert!(slack.posts().is_empty());
}

#[tokio::test]
async fn a_probe_with_a_wrong_token_or_without_slack_fails_and_shows_no_token() {
    let slack = workspace().await;
    super::double::install_tls();
    let wrong = SlackSettings { token: "xoxb-wrong-8899".into(), api_url: Some(slack.api_url()) };
    let nobody = format!("http://{}/api", super::double::nobody().await);
    for channel in [stentor::channel::slack::send::SlackChannel::new(wrong).unwrap(), slack_at(nobody)] {
        let checks = channel.probe().await;
        let (found, detail) = outcome(&checks, "login");
        assert_eq!((checks.len(), found), (1, CheckOutcome::Failed), "{detail}");
        assert!(!detail.contains("xoxb"), "{detail}");
    }
}
