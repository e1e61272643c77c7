//! Mail.

use super::{
    ana,
    double::smtp::{Mail, MailServer, Trouble},
    page_for, smtp_at, told,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, path::PathBuf};
use stentor::{
    channel::{
        Channel, Message, Recipient, SendError,
        contact::EMAIL,
        smtp::send::{SmtpChannel, SmtpSettings},
    },
    core::{PagePurpose, PersonName, Timestamp},
    matrix::{KnownNames, Matrix, SourceText},
};
use tokio::runtime::Runtime;

async fn arrived(message: &Message) -> Mail {
    let server = MailServer::start().await;
    smtp_at(server.url()).send(message).await.unwrap();
    server.mails().pop().unwrap()
}

fn header<'a>(mail: &'a Mail, name: &str) -> Option<&'a str> {
    let (head, _) = mail.data.split_once("\r\n\r\n")?;
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The double's certificate is its own root.
fn our_root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/double/tls/localhost.pem"))
}

fn settings(url: &str) -> SmtpSettings {
    let from = "Stentor <stentor@desk.example>".to_owned();
    SmtpSettings { url: url.to_owned(), username: None, password: None, from, ca: None, site: None }
}

#[tokio::test]
async fn a_mail_threads_presses_and_wants_no_auto_reply() {
    let mail = arrived(&page_for(ana())).await;
    assert_eq!((mail.hello.as_str(), mail.from.as_str()), ("desk.example", "stentor@desk.example"));
    assert_eq!(mail.to, ["ana@example.com"]);
    for (name, value) in [
        ("Message-ID", "<INC-12.3.mail-proof-secret@desk.example>"),
        ("In-Reply-To", "<INC-12@desk.example>"),
        ("References", "<INC-12@desk.example>"),
        ("Subject", "[INC-12] LIVE flash crash ACME"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN"),
        ("Importance", "high"),
        ("X-Priority", "1"),
        ("Priority", "urgent"),
    ] {
        assert_eq!(header(&mail, name), Some(value), "{name}");
    }
    assert!(mail.data.contains("text/plain") && mail.data.contains("text/html"));
    assert!(mail.data.contains("Reply 48213.") && mail.data.contains("<p>LIVE INC-12</p>"), "{}", mail.data);
}

#[tokio::test]
async fn what_only_tells_does_not_press() {
    let purpose = PagePurpose::Taken { by: PersonName::from("bo"), covering_as: None };
    let mail = arrived(&Message { purpose, ..page_for(ana()) }).await;
    assert_eq!((header(&mail, "Importance"), header(&mail, "Auto-Submitted")), (None, Some("auto-generated")));
}

#[tokio::test]
async fn the_message_id_is_the_same_at_every_attempt_and_tells_sites_apart() {
    let server = MailServer::start().await;
    let channel = smtp_at(server.url());
    server.set_fault(Trouble::DropAfterDot);
    assert_eq!(told(&channel.send(&page_for(ana())).await), "unknown");
    server.set_fault(Trouble::None);
    let receipt = channel.send(&page_for(ana())).await.unwrap();
    let mails = server.mails();
    let id = header(&mails[0], "Message-ID").unwrap();
    assert_eq!(header(&mails[1], "Message-ID"), Some(id));
    assert_eq!(id.replace(".mail-proof-secret", ""), receipt.id, "the proof is in the mail alone");
}

#[tokio::test]
async fn a_subject_can_not_smuggle_in_a_header() {
    let mut message = page_for(ana());
    message.text.subject = "flash\r\nBcc: all@example.com\r\n\r\ncrash".to_owned();
    let mail = arrived(&message).await;
    assert_eq!(header(&mail, "Bcc"), None);
    assert_eq!(header(&mail, "Subject"), Some("flash  Bcc: all@example.com    crash"));
    assert_eq!(mail.to.len(), 1);
}

#[tokio::test]
async fn a_drill_says_so_in_subject_text_and_html_even_when_its_template_forgot() {
    let mut message = Message { drill: true, ..page_for(ana()) };
    message.text.subject = "flash crash".to_owned();
    message.text.body = "flash crash".to_owned();
    message.text.html = Some("<p>flash crash</p>".to_owned());
    let mail = arrived(&message).await;
    assert_eq!(header(&mail, "Subject"), Some("DRILL flash crash"));
    assert!(
        mail.data.contains("\r\nDRILL flash crash") && mail.data.contains("<strong>DRILL</strong>"),
        "{}",
        mail.data
    );
}

#[tokio::test]
async fn accents_and_lines_with_a_dot_arrive() {
    let mut message = page_for(ana());
    message.text.body = "LIVE Žižka takes over from the desk in London\r\n.\r\n..\r\nlast".to_owned();
    message.text.html = None;
    message.text.subject = "Žižka".to_owned();
    let mail = arrived(&message).await;
    assert!(mail.data.is_ascii(), "{}", mail.data);
    assert!(mail.data.contains("LIVE =C5=BDi=C5=BEka takes over"), "{}", mail.data);
    assert!(mail.data.contains("\r\n.\r\n..\r\nlast"), "{}", mail.data);
}

#[tokio::test]
async fn each_trouble_of_a_mail_server_has_one_meaning() {
    let server = MailServer::start().await;
    let channel = smtp_at(server.url());
    for (fault, expected) in [
        (Trouble::Greylist, "retry"),
        (Trouble::RefusesLogin, "broken"),
        (Trouble::RefusesAll, "broken"),
        (Trouble::CutMidReply, "retry"),
        (Trouble::DropAfterDot, "unknown"),
        // The mail is taken: a goodbye that never comes must not make it unknown.
        (Trouble::NoGoodbye, "accepted"),
    ] {
        server.set_fault(fault.clone());
        assert_eq!(told(&channel.send(&page_for(ana())).await), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_when_tls_is_demanded() {
    let server = MailServer::start().await;
    let channel = SmtpChannel::new(SmtpSettings { ca: Some(our_root()), ..settings(&server.url()) }).unwrap();
    let error = channel.send(&page_for(ana())).await.unwrap_err();
    assert!(error.to_string().contains("offers no STARTTLS"), "{error}");
    assert!(server.mails().is_empty());
}

#[test]
fn settings_that_can_not_work_are_refused_with_the_keys_name() {
    let local = "smtp://127.0.0.1:1";
    let with_user = |password: Option<&str>| SmtpSettings {
        username: Some("u".to_owned()),
        password: password.map(Into::into),
        ..settings(local)
    };
    let ca = |path: &str| SmtpSettings { ca: Some(PathBuf::from(path)), ..settings(local) };
    for (settings, expected) in [
        (settings("mail.example"), "url: "),
        (settings("http://mail.example"), "url: "),
        (settings("smtp://user:pass@mail.example"), "url: "),
        (SmtpSettings { from: "Stentor".to_owned(), ..settings(local) }, "from: "),
        (with_user(None), "password: "),
        (ca("/nonexistent"), "ca: "),
        (ca("Cargo.toml"), "ca: "),
        (with_user(Some("p")), ""),
        (settings("smtps://mail.example"), ""),
    ] {
        let error = SmtpChannel::new(settings).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(if expected.is_empty() { error.is_empty() } else { error.starts_with(expected) }, "{error:?}");
        assert!(!error.contains("pass@"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_breaks_the_channel_and_a_trusted_one_does_not() {
    for (host, ca, expected) in [
        ("127.0.0.1", None, "broken"),
        ("127.0.0.1", Some(our_root()), "retry in 1s"),
        // The certificate does not name this address.
        ("127.0.0.2", Some(our_root()), "broken"),
    ] {
        let port = super::double::tls::greet_busy(host);
        let channel = SmtpChannel::new(SmtpSettings { ca, ..settings(&format!("smtps://{host}:{port}")) }).unwrap();
        let result = channel.send(&page_for(ana())).await;
        assert_eq!(told(&result), expected, "{host}: {result:?}");
        let why = result.unwrap_err().to_string();
        assert_eq!(why.contains("certificate"), expected == "broken", "{why}");
        assert_eq!(why.contains("421"), expected == "retry in 1s", "{why}");
    }
}

/// What `check` says of a person with this name and mailbox.
fn passes(name: &str, mailbox: &str) -> bool {
    // JSON's strings are TOML's, but for what neither writes plainly.
    let text = |text: &str| serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007F");
    let matrix = format!("[person.ana]\nname = {}\nemail = {}\n", text(name), text(mailbox));
    let files = [SourceText { path: "m.toml".into(), text: matrix }];
    let parsed = Matrix::parse(&files, &KnownNames { templates: &BTreeMap::new() }, Timestamp::default());
    assert!(parsed.diagnostics.iter().all(|found| found.code != "toml-syntax"), "{name:?} {mailbox:?}");
    parsed.matrix.is_some()
}

/// What becomes of a mail to them: nobody listens there, so that one that could be composed finds no server.
async fn sent(name: &str, mailbox: &str) -> Result<(), SendError> {
    let mut message = page_for(ana());
    if let Recipient::Person(contact) = &mut message.to {
        contact.name = name.to_owned();
        contact.contacts.insert(EMAIL, mailbox.to_owned());
    }
    SmtpChannel::new(settings("smtp://127.0.0.1:1")).unwrap().send(&message).await.map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_check_passes_can_be_composed(
        name in "\\PC{1,40}|[ -~]{1,200}|.{1,40}|[\u{0}-\u{ff}]{1,20}",
        mailbox in "[a-z.+'-]{1,12}@[a-z.-]{1,20}|[!-~]{1,12}@[!-~]{1,20}|[a-zé]{1,9}@([a-zü]{1,9}\\.){1,3}[a-z]{2}|\\PC{1,9}@\\PC{1,9}",
    ) {
        if passes(&name, &mailbox) {
            let sent = Runtime::new().unwrap().block_on(sent(&name, &mailbox));
            prop_assert!(matches!(sent, Err(SendError::Retry { unknown: false, .. })), "{name:?} {mailbox:?}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn whatever_a_person_is_called_their_mail_arrives() {
    let server = MailServer::start().await;
    for name in
        ["Ruiz, Ana", "Ana \"Boss\" Ruiz", "Ana \\ Ruiz", "<ana@x.example>", "(Ana)", "Анна", "\u{1f692}", " a ", ";"]
    {
        let mut message = page_for(ana());
        if let Recipient::Person(contact) = &mut message.to {
            contact.name = name.to_owned();
        }
        assert!(passes(name, "ana@example.com"), "{name:?}");
        smtp_at(server.url()).send(&message).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let mail = server.mails().pop().unwrap();
        assert_eq!(mail.to, ["ana@example.com"], "{name:?}");
        assert!(header(&mail, "To").unwrap().contains("ana@example.com"), "{name:?}: {}", mail.data);
    }
    // One that was let through before: its line breaks begin no header of their own, and nothing panics.
    for name in ["Ana\nHead of desk", "Ana\r\nBcc: eve@example.com", "Ana\0"] {
        let mut message = page_for(ana());
        if let Recipient::Person(contact) = &mut message.to {
            contact.name = name.to_owned();
        }
        assert!(!passes(name, "ana@example.com"), "{name:?}");
        smtp_at(server.url()).send(&message).await.unwrap();
        let mail = server.mails().pop().unwrap();
        assert_eq!((mail.to.len(), header(&mail, "Bcc")), (1, None), "{name:?}");
    }
}
