//! SMS and calls by Twilio.

use super::{
    ana, ana_with,
    double::{
        fault::Fault,
        twilio::{ACCOUNT, FROM, FakeTwilio, NEXT_TOKEN, OPTED_OUT, SERVICE, TOKEN},
    },
    page_for, told, twilio_account, twilio_at, voice_at,
};
use secrecy::SecretString;
use std::time::Duration;
use stentor::{
    channel::{
        Channel, CheckOutcome, Message, ProbeCheck, Recipient,
        contact::PHONE,
        twilio::{
            code::{self, CodeClass},
            login::AccountSettings,
            send::{SmsSender, TwilioSms, VALIDITY},
        },
        voice::send::TwilioVoice,
    },
    core::{PagePurpose, Timestamp},
};

const REPORT: &str = "https://desk.example/hooks/twilio/sms/report?page=INC-12.3&token=t";

fn reporting() -> Message {
    Message { report: Some(SecretString::from(REPORT)), ..page_for(ana()) }
}

#[tokio::test]
async fn a_message_says_whom_what_how_long_and_where_to_report() {
    let twilio = FakeTwilio::start().await;
    let receipt = twilio_at(twilio.url()).send(&reporting()).await.unwrap();
    let made = &twilio.made()[0];
    assert_eq!((receipt.id.as_str(), made.is_call), (made.sid.as_str(), false));
    let text = page_for(ana()).text.body;
    for (name, value) in [
        ("To", "+447700900001"),
        ("From", FROM),
        ("Body", &text),
        ("ValidityPeriod", "600"),
        ("StatusCallback", REPORT),
    ] {
        assert_eq!(made.field(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_message_is_not_kept_longer_than_it_is_of_use() {
    let twilio = FakeTwilio::start().await;
    for (validity, life, asked) in [
        (VALIDITY, None, "600"),
        (VALIDITY, Some(120), "120"),
        (VALIDITY, Some(5), "60"),
        (VALIDITY, Some(7200), "600"),
        (Duration::from_secs(30), Some(120), "30"),
        (Duration::from_secs(36_000), None, "36000"),
    ] {
        let sms = TwilioSms::new(twilio_account(twilio.url()), SmsSender::Service(SERVICE.into()), validity).unwrap();
        let message = Message { life: life.map(Duration::from_secs), ..page_for(ana()) };
        sms.send(&message).await.unwrap();
        let made = twilio.made().pop().unwrap();
        assert_eq!(made.field("ValidityPeriod"), Some(asked), "{validity:?} {life:?}");
        assert_eq!((made.field("MessagingServiceSid"), made.field("From")), (Some(SERVICE), None));
    }
}

#[tokio::test]
async fn a_drill_says_so_even_when_its_template_forgot() {
    let twilio = FakeTwilio::start().await;
    let mut message = page_for(ana());
    message.drill = true;
    message.text.body = "flash crash".into();
    twilio_at(twilio.url()).send(&message).await.unwrap();
    assert_eq!(twilio.made()[0].field("Body"), Some("DRILL flash crash"));
    voice_at(twilio.url()).send(&message).await.unwrap();
    assert!(twilio.made()[1].field("Twiml").unwrap().contains("<Say>DRILL flash crash</Say>"));
}

#[tokio::test]
async fn each_code_has_its_one_meaning() {
    let twilio = FakeTwilio::start().await;
    let (sms, voice) = (twilio_at(twilio.url()), voice_at(twilio.url()));
    for (status, code, meaning) in [
        (401, 20003, "broken"),
        (403, 20005, "broken"),
        (404, 20404, "broken"),
        (400, 21211, "unreachable"),
        (400, 21217, "unreachable"),
        (400, 21614, "unreachable"),
        (400, 21635, "unreachable"),
        (400, 21610, "opted out"),
        (400, 21408, "unreachable"),
        (400, 21215, "unreachable"),
        (400, 21612, "unreachable"),
        (400, 21608, "unreachable"),
        (400, 21606, "broken"),
        (400, 21601, "broken"),
        (400, 21401, "broken"),
        (400, 21210, "broken"),
        (400, 21611, "broken"),
        (400, 21609, "broken"),
        (400, 21602, "unreachable"),
        (400, 21617, "unreachable"),
        (400, 14103, "unreachable"),
        (400, 21266, "unreachable"),
        (400, 77777, "unreachable"),
        (429, 20429, "retry"),
        (500, 20500, "unknown"),
        (503, 20503, "unknown"),
    ] {
        twilio.set_refusal(Some((status, code)));
        for channel in [&sms as &dyn Channel, &voice] {
            let result = channel.send(&page_for(ana())).await;
            assert_eq!(told(&result), meaning, "{status} {code}");
            let why = result.unwrap_err().to_string();
            assert!(why.contains(&code.to_string()) && !why.contains(TOKEN) && !why.contains(ACCOUNT), "{why}");
        }
    }
    assert_eq!(code::known(30003).map(|(class, _)| class), Some(CodeClass::Person));
    assert_eq!(code::known(30034).map(|(class, _)| class), Some(CodeClass::Everybody));
    assert_eq!(code::why(Some(12345)), "Twilio: it failed with code 12345");
}

#[tokio::test]
async fn a_person_who_has_opted_out_is_told_from_one_who_is_out_of_reach() {
    let twilio = FakeTwilio::start().await;
    let to = Recipient::Person(ana_with([(PHONE, OPTED_OUT.into())]));
    let result = twilio_at(twilio.url()).send(&Message { to, ..page_for(ana()) }).await;
    assert_eq!(told(&result), "opted out");
}

#[tokio::test]
async fn what_is_no_answer_of_twilios_is_no_acceptance() {
    let twilio = FakeTwilio::start().await;
    for (fault, meaning) in [
        (Fault::Status(201, vec![], "<html>welcome</html>"), "unknown"),
        (Fault::Status(200, vec![], "{\"sid\":\"SM1\"}"), "unknown"),
        (Fault::Status(202, vec![], ""), "unknown"),
        (Fault::Status(302, vec![("location", "http://127.0.0.1:9/")], ""), "retry"),
        (Fault::Status(400, vec![], "not json"), "unreachable"),
        (Fault::Status(429, vec![], ""), "retry"),
    ] {
        twilio.set_fault(Some(fault.clone()));
        for channel in [&twilio_at(twilio.url()) as &dyn Channel, &voice_at(twilio.url())] {
            assert_eq!(told(&channel.send(&page_for(ana())).await), meaning, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn while_tokens_are_changed_either_one_logs_in() {
    let twilio = FakeTwilio::start().await;
    let tokens = || vec![SecretString::from(TOKEN), SecretString::from(NEXT_TOKEN)];
    let sms = |tokens| {
        let account = AccountSettings { tokens, ..twilio_account(twilio.url()) };
        TwilioSms::new(account, SmsSender::From(FROM.into()), VALIDITY).unwrap()
    };
    twilio.revoke(TOKEN);
    assert_eq!(told(&sms(tokens()).send(&page_for(ana())).await), "accepted");
    assert_eq!(twilio.made().len(), 1);
    twilio.revoke(NEXT_TOKEN);
    assert_eq!(told(&sms(tokens()).send(&page_for(ana())).await), "broken");
}

#[tokio::test]
async fn a_call_fetches_its_words_from_our_door_and_reports_there() {
    let twilio = FakeTwilio::start().await;
    voice_at(twilio.url()).send(&reporting()).await.unwrap();
    let calls = TwilioVoice::new(twilio_account(twilio.url()), FROM.into(), true).unwrap();
    calls.send(&reporting()).await.unwrap();
    let [plain, listening] = &twilio.made()[..] else { panic!("two calls") };
    for made in [plain, listening] {
        let script = format!("{REPORT}&turn=0");
        assert!(made.is_call);
        for (name, value) in [
            ("To", "+447700900001"),
            ("From", FROM),
            ("Url", &script),
            ("FallbackUrl", &script),
            ("StatusCallback", REPORT),
            ("Timeout", "25"),
        ] {
            assert_eq!(made.field(name), Some(value), "{name}");
        }
        assert_eq!(made.all("StatusCallbackEvent"), ["answered", "completed"]);
        assert_eq!(made.field("Twiml"), None);
    }
    assert_eq!((plain.field("MachineDetection"), plain.field("AsyncAmd")), (None, None));
    assert_eq!((listening.field("MachineDetection"), listening.field("AsyncAmd")), (Some("Enable"), Some("true")));
    assert_eq!(listening.field("AsyncAmdStatusCallback"), Some(REPORT));
}

#[tokio::test]
async fn a_call_whose_words_can_not_be_fetched_carries_them_itself() {
    let twilio = FakeTwilio::start().await;
    let mut message = page_for(ana());
    message.text.body = format!("LIVE {}", "it's <bad> & worse, ".repeat(400));
    voice_at(twilio.url()).send(&message).await.unwrap();
    let made = twilio.made().pop().unwrap();
    let twiml = made.field("Twiml").unwrap();
    assert!(twiml.chars().count() <= 4000 && twiml.contains("<Say>LIVE it&apos;s &lt;bad&gt; &amp; worse"), "{twiml}");
    assert_eq!(twiml.matches("LIVE it").count(), 2, "said twice");
    assert!(twiml.contains("takes no answer") && !twiml.contains("Gather"), "{twiml}");
    assert_eq!((made.field("Url"), made.field("StatusCallback")), (None, None));
}

#[tokio::test]
async fn nobody_is_called_to_hear_that_they_have_it_themselves() {
    let twilio = FakeTwilio::start().await;
    let voice = voice_at(twilio.url());
    let taken = |by: &str| Message {
        purpose: PagePurpose::Taken { by: by.into(), covering_as: None },
        ask: None,
        ..page_for(ana())
    };
    assert_eq!(told(&voice.send(&taken("ana")).await), "not needed");
    assert!(twilio.made().is_empty());
    assert_eq!(told(&voice.send(&taken("bo")).await), "accepted");
    assert_eq!(twilio.made().len(), 1);
}

#[test]
fn a_url_that_would_show_the_token_to_others_is_refused() {
    for url in ["http://api.example.com", "ftp://127.0.0.1", "", "127.0.0.1"] {
        let result = TwilioSms::new(twilio_account(url.into()), SmsSender::From(FROM.into()), VALIDITY);
        let error = result.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("url: "), "{url:?}: {error:?}");
    }
    assert!(
        TwilioSms::new(twilio_account("https://api.example.com".into()), SmsSender::From(FROM.into()), VALIDITY)
            .is_ok()
    );
}

fn shown(checks: &[ProbeCheck]) -> Vec<(&'static str, CheckOutcome)> {
    checks.iter().map(|check| (check.what, check.outcome)).collect()
}

#[tokio::test]
async fn a_probe_looks_at_login_sender_and_clock_and_pages_nobody() {
    use CheckOutcome::{Doubtful, Failed, Fine};
    let twilio = FakeTwilio::start().await;
    let probe = async |from: SmsSender, wall: fn() -> Timestamp| {
        let account = AccountSettings { wall, ..twilio_account(twilio.url()) };
        shown(&TwilioSms::new(account, from, VALIDITY).unwrap().probe().await)
    };
    let now = || Timestamp::nearest(&chrono::Utc::now());
    let sane = [("login", Fine), ("sender", Fine), ("clock", Fine)];
    assert_eq!(probe(SmsSender::From(FROM.into()), now).await, sane);
    assert_eq!(probe(SmsSender::Service(SERVICE.into()), now).await, sane);
    let wrong = [("login", Fine), ("sender", Failed), ("clock", Doubtful)];
    assert_eq!(probe(SmsSender::From("+15005550007".into()), || Timestamp::from_micros(0)).await, wrong);
    assert_eq!(probe(SmsSender::From("Stentor".into()), now).await[1], ("sender", Doubtful));
    assert_eq!(shown(&voice_at(twilio.url()).probe().await)[..2], sane[..2]);
    assert_eq!((twilio.made().len(), twilio.asked()), (0, 0), "nobody was paged");
    twilio.revoke(TOKEN);
    assert_eq!(probe(SmsSender::From(FROM.into()), now).await, [("login", Failed)]);
}
