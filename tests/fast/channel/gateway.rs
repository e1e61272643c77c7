//! Channels whose way is data: what each does beyond the contract.

use super::{
    ana,
    double::{
        fault::Fault,
        nobody,
        service::{Manners, Service},
    },
    page_for, post_for_room, told,
    wired::{self, KEY, KEY_NEXT, Program},
};
use secrecy::SecretString;
use serde_json::json;
use std::time::{Duration, Instant};
use stentor::{
    channel::{
        CheckOutcome, Message, Recipient,
        http::body::WORDS,
        webhook::sign::{SigningKey, verify},
    },
    core::{PagePurpose, page::SystemNotice},
};

const OK: Manners = Manners { yes: (200, "ok"), no: (400, ""), unwanted: "" };

fn room(card: Option<&str>, purpose: PagePurpose) -> Message {
    let mut message = post_for_room(Some("room"), purpose);
    if let Recipient::Room { card: at, .. } = &mut message.to {
        *at = card.map(str::to_owned);
    }
    message
}

fn notice(about: SystemNotice) -> Message {
    Message { role: Some("trader".into()), ..room(None, PagePurpose::Notice { about }) }
}

#[tokio::test]
async fn every_word_of_the_documentation_is_given_and_what_breaks_json_by_hand_does_not() {
    let service = Service::start(OK).await;
    let words: Vec<String> = WORDS.iter().map(|(name, _)| format!("\"{name}\": {{{{ {name} }}}}")).collect();
    let channel =
        wired::with("http", &service.url(), &format!("body = '''{{ {} }}'''\npersonal = true", words.join(", ")));
    let mut message = page_for(ana());
    message.text.body = "LIVE \"INC-12\" \\ {{ code }} \u{1}\n</script>'; é 🚨".to_owned();
    message.report = Some(SecretString::from("https://desk.example/hooks/http/sms/report?page=INC-12.3&token=t"));
    assert_eq!(told(&channel.send(&message).await), "accepted");
    let sent = service.accepted()[0].json();
    assert_eq!(sent.as_object().unwrap().len(), WORDS.len());
    assert_eq!(sent["text"], message.text.body.as_str());
    assert_eq!((&sent["code"], &sent["link"]), (&json!("48213"), &json!("https://desk.example/a/link-secret")));
    assert_eq!((&sent["purpose"], &sent["asks"], &sent["drill"]), (&json!("brief"), &json!(true), &json!(false)));
    assert_eq!(
        (&sent["incident"], &sent["page"], &sent["level"]),
        (&json!("INC-12"), &json!("INC-12.3"), &json!("wilco"))
    );
}

#[tokio::test]
async fn a_form_and_a_query_carry_templates_and_secrets() {
    let service = Service::start(Manners { yes: (200, "OK: 17"), ..OK }).await;
    let keys = r#"
needs    = "phone"
number   = "00"
form     = { to = "{{ to }}", message = "{{ text }}", key = { file = "BEARER" } }
query    = { ref = "{{ page }}" }
headers  = { X-Sender = "stentor" }
username = "desk"
password = { file = "KEY" }
accepted = { begins = "ok" }
"#;
    let channel = wired::with("http", &service.url(), keys);
    let mut message = page_for(ana());
    message.text.body = "LIVE a&b=c +1 é".to_owned();
    assert_eq!(told(&channel.send(&message).await), "accepted");
    let received = &service.accepted()[0];
    assert_eq!(received.body, "key=bearer-secret-5c1d90&message=LIVE+a%26b%3Dc+%2B1+%C3%A9&to=00447700900001");
    assert!(received.path.ends_with("&ref=INC-12.3"), "{}", received.path);
    assert_eq!(received.header("x-sender"), "stentor");
    assert!(received.header("authorization").starts_with("Basic "));
}

#[tokio::test]
async fn a_drill_says_so_whatever_its_template_says() {
    let service = Service::start(OK).await;
    for kind in ["teams", "mattermost", "http"] {
        let channel = if kind == "http" {
            wired::with(
                kind,
                &service.url(),
                "body = '{ \"t\": {{ lines[0] if lines else headline }}, \"u\": {{ text }} }'",
            )
        } else {
            wired::at(kind, &service.url())
        };
        let mut message = page_for(ana());
        message.drill = true;
        message.text.headline = "flash crash".into();
        message.text.body = "flash crash\nsell".into();
        assert_eq!(told(&channel.send(&message).await), "accepted", "{kind}");
        let body = service.accepted().pop().unwrap().body;
        assert!(body.contains("DRILL flash crash") && !body.contains("LIVE"), "{kind}: {body}");
        assert!(!body.contains("urgent") && !body.contains("attention"), "{kind}: {body}");
    }
}

#[tokio::test]
async fn what_others_read_too_links_to_the_desk_and_carries_nobodys_code() {
    let service = Service::start(OK).await;
    for kind in ["teams", "mattermost"] {
        let channel = wired::at(kind, &service.url());
        // As the engine composes it for a channel that is shared.
        let shared = Message { ask: None, ..page_for(ana()) };
        channel.send(&shared).await.unwrap();
        let body = service.accepted().pop().unwrap().body;
        assert!(body.contains("https://desk.example/desk") && !body.contains("link-secret"), "{kind}: {body}");
        // And for one that the paged person alone reads.
        channel.send(&page_for(ana())).await.unwrap();
        let body = service.accepted().pop().unwrap().body;
        assert!(body.contains("https://desk.example/a/link-secret") && !body.contains("/desk\""), "{kind}: {body}");
        // What asks for nothing has no button.
        channel.send(&room(None, PagePurpose::RoomLine { line: "x".into() })).await.unwrap();
        let body = service.accepted().pop().unwrap().body;
        assert!(!body.contains("desk.example"), "{kind}: {body}");
    }
}

#[tokio::test]
async fn a_room_that_can_not_be_edited_has_one_card_and_a_message_for_each_change() {
    let service = Service::start(OK).await;
    for (n, kind) in ["teams", "mattermost"].into_iter().enumerate() {
        let channel = wired::at(kind, &service.url());
        let card = channel.send(&room(None, PagePurpose::RoomCard)).await.unwrap();
        assert_eq!(card.room.as_deref(), Some("127.0.0.1"), "{kind}: its lines may follow");
        let again = channel.send(&room(Some(&card.id), PagePurpose::RoomCard)).await.unwrap();
        assert_eq!(again.id, card.id);
        channel.send(&room(Some(&card.id), PagePurpose::RoomLine { line: "trader: Ana has it".into() })).await.unwrap();
        assert_eq!(service.accepted().len(), 2 * (n + 1), "{kind}");
    }
}

#[tokio::test]
async fn what_comes_from_an_alert_makes_no_link_and_calls_nobody_in_a_chat() {
    let service = Service::start(OK).await;
    let mut message = page_for(ana());
    let hostile = "LIVE @all [click](http://evil.example) `x` *b* #town";
    message.text.headline = hostile.into();
    message.text.body = format!("{hostile}\n{hostile}");
    wired::at("mattermost", &service.url()).send(&message).await.unwrap();
    let sent = service.accepted().pop().unwrap().json();
    for text in [&sent["text"], &sent["attachments"][0]["text"]] {
        let text = text.as_str().unwrap();
        assert!(
            !text.contains("@all") && text.contains("\\[click\\](http") && text.contains("\\`x\\` \\*b\\* \\#town"),
            "{text}"
        );
    }
    wired::at("teams", &service.url()).send(&message).await.unwrap();
    let card = service.accepted().pop().unwrap().json()["attachments"][0]["content"].clone();
    let runs =
        |value: &serde_json::Value| value["inlines"][0]["type"] == "TextRun" && value["inlines"][0]["text"] == hostile;
    assert!(runs(&card["body"][0]["items"][0]) && runs(&card["body"][1]), "text runs know no Markdown: {card}");
}

#[tokio::test]
async fn a_text_that_is_too_long_goes_out_as_its_first_line() {
    let service = Service::start(OK).await;
    let mut message = page_for(ana());
    message.text.body = format!("{}\n{}", message.text.headline, "é".repeat(15_000));
    wired::at("teams", &service.url()).send(&message).await.unwrap();
    let body = service.accepted().pop().unwrap().body;
    assert!(body.len() < 20_000 && body.contains("LIVE INC-12 flash crash ACME"), "{}", body.len());
}

#[tokio::test]
async fn no_redirect_is_followed_and_no_secret_repeated() {
    let (service, elsewhere) = (Service::start(OK).await, Service::start(OK).await);
    let to: &'static str = Box::leak(elsewhere.url().into_boxed_str());
    for kind in ["http", "teams", "mattermost", "webhook"] {
        service.set_fault(Some(Fault::Status(307, vec![("location", to)], "")));
        let channel = wired::at(kind, &service.url());
        let message = if kind == "webhook" { notice(SystemNotice::Opened) } else { page_for(ana()) };
        assert_eq!(told(&channel.send(&message).await), "retry", "{kind}");
        for status in [200, 400, 401, 404, 500] {
            let echo =
                r#"{"id":"path-secret-8812aa","error":{"code":"query-secret-77fe"},"bearer":"bearer-secret-5c1d90"}"#;
            service.set_fault(Some(Fault::Status(status, vec![], echo)));
            let result = format!("{:?}", channel.send(&message).await);
            assert!(!result.contains("-secret-"), "{kind} {status}: {result}");
        }
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_webhook_is_signed_afresh_by_both_keys_under_one_id_for_all_its_attempts() {
    let service = Service::start(Manners { yes: (204, ""), ..OK }).await;
    let channel = wired::at("webhook", &service.url());
    let message = notice(SystemNotice::RoleEngaged);
    for _ in 0..2 {
        assert_eq!(told(&channel.send(&message).await), "accepted");
    }
    channel.send(&Message { page: "INC-12.4".parse().unwrap(), ..notice(SystemNotice::Resolved) }).await.unwrap();
    let sent = service.accepted();
    assert_eq!(sent[0].header("webhook-id"), "5e4d3c2b-inc-12-3");
    assert_eq!(sent[1].header("webhook-id"), sent[0].header("webhook-id"));
    assert_ne!(sent[2].header("webhook-id"), sent[0].header("webhook-id"));
    for received in &sent {
        let (id, stamp) = (received.header("webhook-id"), received.header("webhook-timestamp"));
        assert!(!id.contains('.'));
        for key in [KEY, KEY_NEXT] {
            let key = [SigningKey::parse(key).unwrap()];
            let body = received.body.as_bytes();
            verify(&key, id, stamp, received.header("webhook-signature"), body, stamp.parse().unwrap()).unwrap();
        }
    }
    assert_eq!(
        sent[0].json(),
        json!({
            "type": "role.engaged",
            "timestamp": "2023-11-14T22:13:20.000000Z",
            "data": { "incident": "INC-12", "role": "trader", "drill": false }
        })
    );
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_when_the_connection_is_made() {
    let service = Service::start(OK).await;
    let port = service.url().split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    let keys = |allow: &str| format!("keys = [{{ file = \"KEY\" }}]\nallow = [{allow}]");
    for (host, allow, expected) in [
        ("localhost", "\"127.0.0.0/8\", \"::1\"", "accepted"),
        ("localhost", "", "broken"),
        ("localhost", "\"10.0.0.0/8\"", "broken"),
    ] {
        let url = format!("http://{host}:{port}/hook");
        let channel = wired::with("webhook", &url, &keys(allow));
        assert_eq!(told(&channel.send(&notice(SystemNotice::Opened)).await), expected, "{host} with leave for {allow}");
        let channel = wired::with("http", &url, &format!("body = '[{{{{ text }}}}]'\nallow = [{allow}]"));
        assert_eq!(told(&channel.send(&page_for(ana())).await), expected, "http: {host} with leave for {allow}");
    }
    assert_eq!(service.asked().len(), 2);
    // An address in the URL is refused before anything is sent, and is not shown.
    for host in ["127.0.0.1", "[::1]", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"] {
        let folder = tempfile::tempdir().unwrap();
        let (url, key) = (folder.path().join("url"), folder.path().join("key"));
        std::fs::write(&url, format!("http://{host}:{port}/path-secret")).unwrap();
        std::fs::write(&key, KEY).unwrap();
        let text = format!(
            "[channel.under-test]\nkind = \"webhook\"\nurl = {{ file = \"{}\" }}\nkeys = {{ file = \"{}\" }}",
            url.display(),
            key.display()
        );
        let why = wired::made(&text).err().unwrap_or_default();
        assert!(why.contains("not public") && !why.contains("path-secret"), "{host}: {why:?}");
    }
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn a_program_gets_the_page_on_its_standard_input_and_an_environment_of_its_own() {
    let program = Program::new();
    program.arrange(super::bench::Condition::AllIsWell);
    let receipt = program.channel(false).send(&page_for(ana())).await.unwrap();
    assert_eq!(receipt.id, "lamp-7");
    let page = &program.pages()[0];
    assert_eq!((&page["page"], &page["stamp"], &page["asks"]), (&json!("INC-12.3"), &json!("LIVE"), &json!(true)));
    assert_eq!(page["person"]["phone"], "+447700900001");
    assert!(page["text"].as_str().unwrap().starts_with("LIVE INC-12"));

    let out = program.path().join("environment");
    let script = format!("env > {0}.new; echo \"$#:$1:$2\" >> {0}.new; mv {0}.new {0}", out.display());
    std::fs::write(program.path().join("script"), script).unwrap();
    let text = format!(
        "[channel.under-test]\nkind = \"exec\"\nneeds = \"phone\"\nprogram = \"/bin/sh\"\narguments = [\"{}/script\", \"{{phone}}\", \"$(id) ; *\"]",
        program.path().display()
    );
    wired::made(&text).unwrap().send(&page_for(ana())).await.unwrap();
    let seen = std::fs::read_to_string(out).unwrap();
    assert!(seen.ends_with("2:+447700900001:$(id) ; *\n"), "no shell reads the arguments: {seen}");
    let known = ["PATH=", "LANG=", "PWD=", "SHLVL=", "_=", "OLDPWD="];
    let foreign: Vec<&str> =
        seen.lines().filter(|line| line.contains('=') && !known.iter().any(|k| line.starts_with(k))).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_is_ended_with_all_its_children() {
    let program = Program::new();
    program.arrange(super::bench::Condition::Hangs);
    let child = program.path().join("child");
    let script = format!(
        "sleep 300 &\necho $! > {0}.new; mv {0}.new {0}; touch {1}/started; wait",
        child.display(),
        program.path().display()
    );
    std::fs::write(program.path().join("script"), script).unwrap();
    let channel = program.channel(false);
    let message = page_for(ana());
    tokio::select! {
        result = channel.send(&message) => panic!("{result:?}"),
        () = program.started() => {}
    }
    let id = std::fs::read_to_string(child).unwrap().trim().to_owned();
    let gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // A child that nobody has collected yet is dead all the same.
        stat.is_empty() || stat.contains(") Z ")
    };
    let until = Instant::now() + Duration::from_secs(20);
    while !gone() {
        assert!(Instant::now() < until, "the child {id} lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_program_is_not_waited_for_through_what_it_left_behind_and_may_say_as_much_as_it_likes() {
    let program = Program::new();
    program.arrange(super::bench::Condition::AllIsWell);
    for script in [
        // A child in the background keeps the pipe open.
        "cat > /dev/null; sleep 20 & echo siren-1",
        "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo siren-1; head -c 3000000 /dev/zero",
        // It does not read at all.
        "echo siren-1",
    ] {
        std::fs::write(program.path().join("script"), script).unwrap();
        let before = Instant::now();
        let receipt = program.channel(false).send(&page_for(ana())).await.unwrap();
        assert_eq!(receipt.id, "siren-1", "{script}");
        assert!(before.elapsed() < Duration::from_secs(15), "{script}");
    }
}

#[tokio::test]
async fn what_a_program_says_of_its_trouble_is_kept_short_and_without_the_code() {
    let program = Program::new();
    program.arrange(super::bench::Condition::AllIsWell);
    let script = "echo >&2; echo \"can not write 48213 to https://desk.example/a/link-secret: no route\" >&2; exit 1";
    std::fs::write(program.path().join("script"), script).unwrap();
    let error = program.channel(false).send(&page_for(ana())).await.unwrap_err().to_string();
    assert!(error.starts_with("the program ended with 1: can not write …"), "{error}");
    assert!(!error.contains("48213") && !error.contains("link-secret"), "{error}");
}

#[tokio::test]
async fn probes_say_what_is_wrong_and_page_nobody() {
    let service = Service::start(OK).await;
    let of =
        |checks: Vec<stentor::channel::ProbeCheck>| checks.into_iter().map(|c| (c.what, c.outcome)).collect::<Vec<_>>();
    for kind in ["http", "teams", "mattermost"] {
        let channel = wired::at(kind, &service.url());
        assert_eq!(of(channel.probe().await), [("reach", CheckOutcome::Fine), ("clock", CheckOutcome::Fine)], "{kind}");
        let gone = wired::at(kind, &format!("http://{}/path-secret", nobody().await));
        assert_eq!(of(gone.probe().await), [("reach", CheckOutcome::Failed)], "{kind}");
    }
    let channel = wired::at("webhook", &service.url());
    let fine = [("signature", CheckOutcome::Fine), ("reach", CheckOutcome::Fine), ("clock", CheckOutcome::Fine)];
    assert_eq!(of(channel.probe().await), fine);
    service.set_fault(Some(Fault::Status(401, vec![("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "")));
    let doubtful = [("reach", CheckOutcome::Doubtful), ("clock", CheckOutcome::Failed)];
    assert_eq!(of(channel.probe().await)[1..], doubtful);
    assert!(service.accepted().is_empty() && service.asked().iter().all(|asked| asked.method == "OPTIONS"));
    assert_eq!(of(Program::new().channel(true).probe().await), [("program", CheckOutcome::Failed)]);
    assert_eq!(of(Program::new().channel(false).probe().await), [("program", CheckOutcome::Fine)]);
}
