//! Mails that come back to the real daemon: answers, out-of-office replies, bounces, and what only looks like one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use crate::common;
use crate::double;

use crate::wire::Call;
use common::{Daemon, Setup};
use double::smtp::{self, MailServer};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

const ANA: &str = "ana@example.com";
const BO: &str = "bo@example.com";

const BOT: &str = "a-token-of-a-program-that-asks-people-0123456789";

/// How long the daemon may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Site {
    daemon: Daemon,
    mail: MailServer,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let site = Self::quiet("");
        assert!(site.daemon.cli(&["fire", "crash"]).status.success());
        site
    }

    /// Where nothing has happened yet; `more` stands in its matrix, too.
    fn quiet(more: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mail = runtime.block_on(MailServer::start());
        let setup = Setup::new(&(matrix(&mail.url()) + more)).env("MAIL_PASSWORD", smtp::PASSWORD);
        let daemon = setup.env("BOT_TOKEN", BOT).start();
        Self { daemon, mail, runtime }
    }

    /// What a program asks, and what its first mail was called.
    fn ask(&self, ask: &Value) -> (Value, String) {
        let body = json!({ "kind": "order_kill", "labels": { "desk": "EQ-2" }, "ask": ask });
        let reply = Call::post("/v1/requests").bearer(BOT).json(&body).send(self.daemon.address);
        assert_eq!(reply.status, 202, "{reply:?}");
        (reply.json(), self.brief_to(ANA))
    }

    /// The message id of the brief that went to this mailbox.
    fn brief_to(&self, mailbox: &str) -> String {
        let found = |mail: &smtp::Mail| mail.to == [mailbox] && mail.data.contains("X-Priority: 1");
        let data = self.until("a brief", || self.mail.mails().into_iter().find(found)).data;
        let line = data.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    }

    /// How often Ana has passed it on.
    fn passed(&self, request: &Value) -> usize {
        let shown = self.daemon.cli(&["show", request["incident"].as_str().unwrap()]).stdout;
        String::from_utf8_lossy(&shown).matches("Ana Ruiz answered \"I can't, pass on\"").count()
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited for {what}:\n{}", self.daemon.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn trader(&self) -> Value {
        let incident = self.daemon.json(&["show", "INC-1"])["incident"].take();
        incident["roles"].as_array().unwrap().iter().find(|role| role["role"] == "trader").unwrap().clone()
    }

    fn hand_in(&self, mail: &str) -> Output {
        self.hand_in_bytes(mail.as_bytes())
    }

    fn hand_in_bytes(&self, mail: &[u8]) -> Output {
        let mut child = common::binary(self.daemon.dir.path())
            .arg("mail-in")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(mail).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn matrix(url: &str) -> String {
    format!(
        r#"
[channel.mail]
kind = "smtp"
url = "{url}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from = "stentor@example.com"
mail_in = "nobody"

[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"
email = "{ANA}"

[person.bo]
name = "Bo Lind"
email = "{BO}"

[role.trader]
step = [{{ page = ["ana"], by = ["mail"], wait = "10m" }}, {{ page = ["bo"], by = ["mail"], wait = "10m" }}]

[trigger.crash]
on = ["crash"]
roles = ["trader"]
"#,
        smtp::USERNAME
    )
}

const UTF_8: &str = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";

fn reply(from: &str, id: &str, head: &str, body: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: stentor@example.com\r\nSubject: Re: crash\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n{head}\r\n{body}\r\n"
    )
}

#[test]
fn a_reply_by_mail_engages_and_only_its_reader_can_write_it() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let forged = {
        let mut parts: Vec<String> = id.split('.').map(str::to_owned).collect();
        parts[2] = "0123456789abcdef".into();
        parts.join(".")
    };
    let changes_nothing = [
        ("a token that was guessed", reply(ANA, &forged, "", "wilco")),
        ("somebody else's mailbox, as when a page is forwarded", reply(BO, &id, "", "wilco")),
        ("a list", reply(ANA, &id, "Precedence: list\r\n", "wilco")),
        ("a machine", reply(ANA, &id, "Auto-Submitted: auto-notified\r\n", "wilco")),
        ("a mail about nothing", reply(ANA, "<hello@example.com>", "", "wilco")),
        ("no mail at all", "\0\u{1}".to_owned()),
    ];
    for (what, mail) in changes_nothing {
        let output = site.hand_in(&mail);
        assert!(output.status.success() && output.stdout.is_empty(), "{what}: the mail server must not bounce it");
        assert_eq!(site.trader()["state"], "paging", "{what}");
    }
    // A number may be anything, a code another page's, and "ok" may go on in the next line.
    for unclear in ["I am looking at it", "48213", "99999 wilco", "Ok,\r\nbut I am on a plane", "Yes"] {
        let output = site.hand_in(&reply(ANA, &id, "", unclear));
        assert_eq!(output.status.code(), Some(65), "{unclear:?}: the server returns it to its writer");
        assert!(String::from_utf8_lossy(&output.stdout).contains("wilco (I have it)"));
        assert_eq!(site.trader()["state"], "paging", "{unclear:?}");
    }
    for (unclear, what) in [
        ("wilco?", "\"wilco?\""),
        ("Wilco ❌", "\"❌\""),
        ("2 👎", "\"👎\""),
        ("wilco\r\nbut not today", "\"but not today\""),
        ("2 4", "2 (I have it) or 4 (I can't, pass on)"),
        ("wilco\r\nafter lunch", "\"after lunch\""),
        ("wilco\r\naber erst morgen, bin im Zug", "\"aber erst morgen, bin im Zug\""),
        ("Wilco.\r\n\r\nScratch that, I am at the hospital", "\"Scratch that, I am at the hospital\""),
        ("Take it please", "\"Take it\""),
    ] {
        let output = site.hand_in(&reply(ANA, &id, UTF_8, unclear));
        assert_eq!(output.status.code(), Some(65), "{unclear:?}");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains(&format!("Not understood: {what}")) && told.contains("wilco (I have it)"), "{told}");
        assert_eq!(site.trader()["state"], "paging", "{unclear:?}");
    }
    let nothing = "On Sun, Nov 29, 2026 at 7:33 PM Stentor <\r\nstentor@example.com> wrote:\r\n\r\n> LIVE INC-1";
    let output = site.hand_in(&reply(ANA, &id, "", nothing));
    assert!(String::from_utf8_lossy(&output.stdout).contains("says nothing above the mail"), "{output:?}");
    for exercise in ["I have the exercise", "Exercise received.\r\n\r\nAna"] {
        let output = site.hand_in(&reply(ANA, &id, "", exercise));
        assert_eq!(output.status.code(), Some(65), "{exercise:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("this is LIVE, no exercise"), "{output:?}");
        assert_eq!(site.trader()["state"], "paging", "{exercise:?}");
    }
    // The name that the matrix has for this mailbox is hers.
    let taken = site.hand_in(&reply(ANA, &id, "", "Hi,\r\n\r\nWilco.\r\n\r\nRuiz\r\n\r\n> LIVE INC-1"));
    assert!(taken.status.success() && taken.stdout.is_empty());
    let trader = site.trader();
    assert_eq!((trader["state"].as_str(), trader["holder"].as_str()), (Some("engaged"), Some("Ana Ruiz")));
    let journal = site.daemon.cli(&["show", "INC-1", "--json"]).stdout;
    let token = id.split('.').nth(2).unwrap();
    assert!(!String::from_utf8_lossy(&journal).contains(token), "what proves a mail is kept nowhere");
    assert!(!site.daemon.log().contains(token));
}

/// By mail nobody decides; who tries is told where.
#[test]
fn a_mail_to_a_page_that_asks_decides_nothing_and_is_told_to_open_the_link() {
    const ASKS: &str = "\n[source.bot]\ntoken = { env = \"BOT_TOKEN\" }\n\n[trigger.kill]\non = [\"order_kill\"]\n\
                        roles = [\"trader\"]\nask = { after = \"1h\" }\n";
    let site = Site::quiet(ASKS);
    let state = |request: &Value| {
        let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
        Call::get(&path).bearer(BOT).send(site.daemon.address).json()
    };
    let (request, id) = site.ask(&json!({ "type": "approval", "question": "Cancel all orders?" }));
    for said in [
        "A",
        "A = Approve",
        "Approve",
        "yes",
        "ok",
        "no",
        "No.\r\n\r\nAna",
        "can't",
        "wilco",
        "roger",
        "?",
        "48213 A",
        "",
    ] {
        let output = site.hand_in(&reply(ANA, &id, UTF_8, said));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(65), "{said:?}: {output:?}");
        assert!(
            told.contains("Open the link in the mail that you answer, and choose A (Approve) or B (Deny)."),
            "{said:?}: {told}"
        );
        let now = state(&request);
        assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{said:?}");
        assert_eq!(site.passed(&request), 0, "{said:?}");
    }
    // A machine is told nothing, and who is away still passes it on.
    let notified = site.hand_in(&reply(ANA, &id, "Auto-Submitted: auto-notified\r\n", "A"));
    assert!(notified.status.success() && notified.stdout.is_empty(), "{notified:?}");
    let away = site.hand_in(&reply(ANA, &id, "Auto-Submitted: auto-replied\r\n", "I am on the beach"));
    assert!(away.status.success() && away.stdout.is_empty(), "{away:?}");
    assert_eq!(site.passed(&request), 1);
    let form = json!({ "type": "object", "required": ["limit"], "properties": { "limit": { "type": "integer", "minimum": 0, "maximum": 9 } } });
    let site = Site::quiet(ASKS);
    let (request, id) = site.ask(&json!({ "type": "form", "question": "Which limit?", "form": form }));
    let output = site.hand_in(&reply(ANA, &id, "", "5"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("and fill in the form."), "{output:?}");
    // What it says of passing it on is so.
    let output = site.hand_in(&reply(ANA, &id, "", "unable"));
    assert!(output.status.success() && output.stdout.is_empty() && site.passed(&request) == 1, "{output:?}");
}

#[test]
fn a_reply_is_read_in_its_charset_and_in_any_scripts_digits() {
    let plain = |kind: &str, body: &[u8]| {
        let head = format!("MIME-Version: 1.0\r\nContent-Type: {kind}\r\n");
        (head, body.to_vec())
    };
    let base64 =
        |kind: &str, body: &str| plain(&format!("{kind}\r\nContent-Transfer-Encoding: base64"), body.as_bytes());
    for (what, (head, body), state) in [
        ("an Arabic two", plain("text/plain; charset=utf-8", "٢".as_bytes()), "engaged"),
        ("a full-width two in Shift_JIS", plain("text/plain; charset=shift_jis", b"\x82\x51"), "engaged"),
        ("the same in ISO-2022-JP", plain("text/plain; charset=iso-2022-jp", b"\x1b$B#2\x1b(B"), "engaged"),
        ("the same in GB18030", plain("text/plain; charset=gb18030", b"\xa3\xb2"), "engaged"),
        ("UTF-16 with a mark", base64("text/plain; charset=utf-16", "//53AGkAbABjAG8A"), "engaged"),
        ("UTF-16BE", base64("text/plain; charset=utf-16be", "AHcAaQBsAGMAbw=="), "engaged"),
        ("Latin-1 with a no-break space", plain("text/plain; charset=iso-8859-1", b"I have\xa0it"), "engaged"),
        ("a page of HTML", plain("text/html; charset=utf-8", b"<div>I&#8217;ll take&nbsp;it</div>"), "engaged"),
        ("a page with a line through", plain("text/html; charset=utf-8", b"<p><s>wilco</s></p>"), "paging"),
        (
            "a second text",
            plain(
                "multipart/mixed; boundary=b",
                b"--b\r\nContent-Type: text/plain\r\n\r\nwilco\r\n--b\r\nContent-Type: text/plain\r\n\r\ncall Bo\r\n--b--",
            ),
            "paging",
        ),
        ("no UTF-8", plain("text/plain; charset=utf-8", b"wilco\xff"), "paging"),
        ("a no in windows-1252", plain("text/plain; charset=windows-1252", b"can\x92t"), "paging"),
    ] {
        let site = Site::new();
        let mail =
            [reply(ANA, &site.brief_to(ANA), &head, "").trim_end().as_bytes(), b"\r\n\r\n", &body, b"\r\n"].concat();
        site.hand_in_bytes(&mail);
        assert_eq!(site.trader()["state"], state, "{what}");
    }
}

#[test]
fn one_who_is_away_passes_the_page_on_at_once_and_is_never_engaged() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    for _ in 0..2 {
        let away = reply(ANA, &id, "Auto-Submitted: auto-replied\r\n", "wilco, I am on the beach");
        assert!(site.hand_in(&away).status.success());
    }
    // The second step waits ten minutes in vain: it is entered because nobody of the first can answer.
    site.brief_to(BO);
    assert_eq!(site.trader()["state"], "paging");
}

#[test]
fn an_absence_note_without_any_mark_but_its_subject_passes_the_page_on_and_is_not_answered() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let away = format!(
        "From: Ana Ruiz <{ANA}>\r\nSubject: Automatische Antwort: LIVE INC-1\r\nReferences: {id}\r\nIn-Reply-To: {id}\r\n\
         {UTF_8}\r\nIch bin bis 7. Dezember nicht im Hause.\r\n"
    );
    let output = site.hand_in(&away);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    site.brief_to(BO);
}

/// `vacation` marks its notes as bulk only, and others theirs as generated: nobody waits a step out for them.
#[test]
fn what_a_program_answers_for_the_one_who_was_paged_passes_the_page_on() {
    for head in ["Precedence: bulk\r\n", "Auto-Submitted: auto-generated\r\n"] {
        let site = Site::new();
        let id = site.brief_to(ANA);
        let output = site.hand_in(&reply(ANA, &id, head, "I am reading my mail again on Monday."));
        assert!(output.status.success() && output.stdout.is_empty(), "{head}: {output:?}");
        site.brief_to(BO);
    }
}

#[test]
fn an_answer_below_a_banner_and_behind_a_large_attachment_is_found() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let picture = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==\r\n".repeat(30_000);
    let mail = format!(
        "From: <{ANA}>\r\nSubject: Re: crash\r\nIn-Reply-To: {id}\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n*** EXTERNAL: be careful ***\r\n\r\nwilco\r\n--b--\r\n"
    );
    let output = site.hand_in(&mail);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(site.trader()["holder"], "Ana Ruiz");
}

#[test]
fn a_bounce_in_a_servers_own_words_is_one() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let page = || site.daemon.json(&["show", "INC-1"])["incident"]["pages"][0].clone();
    site.until("the page's acceptance", || (page()["state"] == "accepted").then_some(()));
    let bounce = format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\nNot delivered.\r\n<{ANA}>:\r\n\
         no such mailbox (#5.1.1)\r\n\r\n--- the mail:\r\n\r\nMessage-ID: {id}\r\nSubject: x\r\n"
    );
    assert!(site.hand_in(&bounce).status.success());
    assert_eq!(
        (page()["state"].clone(), page()["last_error"].clone()),
        ("unreachable".into(), "the mail came back (5.1.1)".into())
    );
}

#[test]
fn a_bounce_says_that_nobody_was_reached_and_the_page_goes_by_another_way() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let report = |action: &str| {
        format!(
            "Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@example.com>\r\nSubject: Undelivered\r\n\
             Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; {ANA}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\nSubject: x\r\n\r\n--b--\r\n"
        )
    };
    let page = || site.daemon.json(&["show", "INC-1"])["incident"]["pages"][0].clone();
    site.until("the page's acceptance", || (page()["state"] == "accepted").then_some(()));
    assert!(site.hand_in(&report("delayed")).status.success());
    assert_eq!(page()["state"], "accepted");
    for _ in 0..2 {
        assert!(site.hand_in(&report("failed")).status.success());
    }
    assert_eq!(page()["state"], "unreachable");
    assert_eq!(page()["last_error"], "the mail came back (5.1.1)");
    let pages = site.daemon.json(&["show", "INC-1"])["incident"]["pages"].take();
    let round: Vec<&Value> = pages.as_array().unwrap().iter().filter(|page| page["instead_of"] == 1).collect();
    assert_eq!(round.len(), 1, "once, however often it is reported");
    assert_eq!(round[0]["channel"], "desk");
}

#[test]
fn a_mail_that_reaches_another_daemon_than_the_one_that_sent_its_page_is_kept_and_one_about_a_page_that_is_gone_returned()
 {
    let mut site = Site::new();
    let (id, bo) = (site.brief_to(ANA), "INC-7.3.0123456789abcdef.5a5a5a5a@example.com");
    // What another one wrote, with whatever it proves to that one.
    for (what, head, expected) in [
        ("a human's word", "", Some(75)),
        ("one who is away", "Auto-Submitted: auto-replied\r\n", Some(75)),
        ("a machine's word", "Auto-Submitted: auto-notified\r\n", Some(0)),
    ] {
        let output = site.hand_in(&reply(ANA, &format!("<{bo}>"), head, "wilco"));
        assert_eq!(output.status.code(), expected, "{what}: {output:?}");
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(words.contains("another Stentor"), expected == Some(75), "{what}: {words}");
    }
    assert_eq!(site.trader()["state"], "paging");
    // The same daemon that has lost its books, though not its key.
    site.daemon.kill();
    let database = site.daemon.state().join("stentor.db");
    let forgotten = site.runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
        let words = "DELETE FROM page; DELETE FROM incident; DELETE FROM journal";
        let done = sqlx::raw_sql(words).execute(&mut conn).await;
        sqlx::Connection::close(conn).await.unwrap();
        done.is_ok()
    });
    assert!(forgotten);
    site.daemon.restart();
    let output = site.hand_in(&reply(ANA, &id, "", "wilco"));
    assert_eq!(output.status.code(), Some(65), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("not kept any more"));
}

#[test]
fn a_mail_is_kept_by_its_server_while_no_daemon_answers() {
    let mut site = Site::new();
    let id = site.brief_to(ANA);
    let state = site.daemon.state().join("stentor.sock");
    assert!(site.daemon.stop());
    let _ = std::fs::remove_file(state);
    let output = site.hand_in(&reply(ANA, &id, "", "wilco"));
    assert_eq!(output.status.code(), Some(75), "EX_TEMPFAIL");
    site.daemon.restart();
    assert!(site.hand_in(&reply(ANA, &id, "", "wilco")).status.success());
    assert_eq!(site.trader()["state"], "engaged", "the message id outlives a restart");
    drop(site.runtime);
}

#[test]
fn whoever_has_it_hands_it_back_by_a_reply_and_no_machine_does_it_for_them() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    assert!(site.hand_in(&reply(ANA, &id, "", "wilco")).status.success());
    assert_eq!(site.trader()["holder"], "Ana Ruiz");
    let found = |mail: &smtp::Mail| mail.to == [ANA] && mail.data.contains("You have it");
    let word = site.until("the word that she has it", || site.mail.mails().into_iter().find(found)).data;
    let line = word.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap();
    let word_id = line.split_once(':').unwrap().1.trim().to_owned();
    // Her mailbox answers the brief and the word by itself while she is at work on it.
    for id in [&id, &word_id] {
        let away = reply(ANA, id, "Auto-Submitted: auto-replied\r\n", "I am on the beach");
        assert!(site.hand_in(&away).status.success());
        assert_eq!(site.trader()["holder"], "Ana Ruiz", "{id}");
    }
    // Nor does anybody else.
    assert!(site.hand_in(&reply(BO, &word_id, "", "unable")).status.success());
    assert_eq!(site.trader()["holder"], "Ana Ruiz");

    assert!(site.hand_in(&reply(ANA, &word_id, "", "unable")).status.success());
    assert_eq!((&site.trader()["state"], &site.trader()["holder"]), (&"paging".into(), &Value::Null));
    // Nobody else is on the first step: the second is asked at once.
    let brief = |mail: &smtp::Mail| mail.to == [BO] && mail.data.contains("X-Priority: 1");
    let brief = site.until("Bo's brief", || site.mail.mails().into_iter().find(brief)).data.replace("=\r\n", "");
    assert!(brief.contains("Ana Ruiz took it at "), "{brief}");
}
