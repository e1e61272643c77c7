//! A look at a channel: what is wrong with it is found, and nobody is paged.

use super::{
    double::{
        self,
        fault::Fault,
        gateway::{self, Gateway},
        smtp::{MailServer, Trouble},
    },
    kannel_at, smtp_at,
};
use secrecy::SecretString;
use stentor::{
    channel::{
        Channel,
        CheckOutcome::{self, Doubtful, Failed, Fine},
        ProbeCheck,
        desk_hub::DeskHub,
        kannel::send::{KannelChannel, KannelSettings},
        smtp::send::{SmtpChannel, SmtpSettings},
    },
    core::PersonName,
};

/// The worst of what was found, and all of it in words.
fn found(checks: &[ProbeCheck]) -> (CheckOutcome, String) {
    let words: Vec<String> = checks.iter().map(|check| format!("{}: {}", check.what, check.detail)).collect();
    (checks.iter().map(|check| check.outcome).max().unwrap(), words.join("; "))
}

#[tokio::test]
async fn an_sms_gateway_tells_whether_it_lets_us_in_without_a_message_being_sent() {
    let gateway = Gateway::start().await;
    let channel = kannel_at(gateway.url());
    let (outcome, words) = found(&channel.probe().await);
    assert_eq!(outcome, Fine, "{words}");
    assert!(words.contains("accepts our login") && words.contains("clock: "), "{words}");
    for (fault, outcome, words) in [
        (Fault::Status(403, vec![], "Authorization failed for sendsms"), Failed, "refuses our credentials"),
        (Fault::Status(401, vec![], ""), Failed, "refuses our credentials"),
        (Fault::Status(404, vec![], "Unknown request."), Failed, "check the url"),
        (Fault::Status(503, vec![], "Temporal failure, try again later."), Doubtful, "temporary failure"),
        (Fault::Status(202, vec![], "0: Accepted for delivery"), Doubtful, "it checks nothing"),
        (Fault::Status(400, vec![("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "Missing receiver"), Failed, "clock"),
        (Fault::Html, Doubtful, "not Kannel's"),
    ] {
        gateway.set_fault(Some(fault.clone()));
        let (is, said) = found(&channel.probe().await);
        assert!(is == outcome && said.contains(words), "{fault:?}: {is:?} {said}");
    }
    gateway.set_fault(None);
    let password = SecretString::from("wrong-password-77");
    let settings = KannelSettings { url: gateway.url(), username: gateway::USERNAME.to_owned(), password, from: None };
    let (outcome, words) = found(&KannelChannel::new(settings).unwrap().probe().await);
    assert!(outcome == Failed && !words.contains("wrong-password"), "{words}");
    let nobody = kannel_at(format!("http://{}/", double::nobody().await));
    let (outcome, words) = found(&nobody.probe().await);
    assert!(outcome == Failed && words.contains("no connection") && !words.contains(gateway::PASSWORD), "{words}");
    assert!(gateway.accepted().is_empty());
}

#[tokio::test]
async fn a_mail_server_is_signed_in_to_and_left_without_a_mail() {
    let server = MailServer::start().await;
    let channel = smtp_at(server.url());
    let (outcome, words) = found(&channel.probe().await);
    assert!(outcome == Fine && words.contains("accepts our login (plain text on this machine)"), "{words}");
    for (fault, outcome, words) in [
        (Trouble::RefusesLogin, Failed, "login: the mail server says 535"),
        (Trouble::RefusesAll, Failed, "login: the mail server says 554"),
        (Trouble::CutMidReply, Failed, "connection: "),
        (Trouble::NoGoodbye, Fine, "accepts our login"),
        // What only goes wrong with a mail is not seen without one.
        (Trouble::Greylist, Fine, "accepts our login"),
    ] {
        server.set_fault(fault.clone());
        let (is, said) = found(&channel.probe().await);
        assert!(is == outcome && said.contains(words), "{fault:?}: {is:?} {said}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_found() {
    double::install_tls();
    let from = "stentor@desk.example".to_owned();
    let url = format!("smtps://localhost:{}", double::tls::greet_busy("127.0.0.1"));
    let settings = SmtpSettings { url, username: None, password: None, from, ca: None, site: None };
    let (outcome, words) = found(&SmtpChannel::new(settings).unwrap().probe().await);
    assert!(outcome == Failed && words.contains("certificate"), "{words}");
}

#[tokio::test]
async fn a_screen_counts_the_people_before_it() {
    let hub = DeskHub::new();
    assert_eq!(found(&hub.probe().await).0, Doubtful);
    let _desks = [hub.connect(PersonName::from("ana")), hub.connect(PersonName::from("bo"))];
    let (outcome, words) = found(&hub.probe().await);
    assert!(outcome == Fine && words.contains("2 people"), "{words}");
}
