//! SMS by a gateway.

use super::{ana, double::fault::Fault, double::gateway::Gateway, kannel_at, page_for, told};
use secrecy::SecretString;
use stentor::channel::{
    Channel, Message,
    kannel::send::{KannelChannel, KannelSettings},
};

#[tokio::test]
async fn the_number_keeps_its_plus_and_the_text_its_characters() {
    let gateway = Gateway::start().await;
    let channel = kannel_at(gateway.url());
    for (text, coding) in
        [("LIVE INC-12: 5% & more? Reply 48213 + 2 = €", None), ("LIVE INC-12 – “flash crash” 🚨", Some("2"))]
    {
        let mut message = page_for(ana());
        message.text.body = text.to_owned();
        assert_eq!(channel.send(&message).await.unwrap().id, "0: Accepted for delivery");
        let sms = gateway.accepted().pop().unwrap();
        assert!(sms.raw.contains("to=%2B447700900001"), "{}", sms.raw);
        let field = |name: &str| sms.fields.get(name).map(String::as_str);
        assert_eq!((field("text"), field("coding")), (Some(text), coding));
        assert_eq!((field("charset"), field("from")), (Some("UTF-8"), Some("Stentor")));
    }
}

#[tokio::test]
async fn the_gateway_is_told_where_to_report_with_its_own_placeholder_in_place() {
    let gateway = Gateway::start().await;
    let report = SecretString::from("https://desk.example/hooks/kannel/sms/report?page=INC-12.3&token=t");
    kannel_at(gateway.url()).send(&Message { report: Some(report), ..page_for(ana()) }).await.unwrap();
    let fields = &gateway.accepted()[0].fields;
    assert_eq!(fields["dlr-mask"], "31");
    assert_eq!(fields["dlr-url"], "https://desk.example/hooks/kannel/sms/report?page=INC-12.3&token=t&status=%d");
}

#[tokio::test]
async fn a_drill_says_so_even_when_its_template_forgot() {
    let gateway = Gateway::start().await;
    let mut message = page_for(ana());
    message.drill = true;
    message.text.body = "flash crash".to_owned();
    kannel_at(gateway.url()).send(&message).await.unwrap();
    assert_eq!(gateway.accepted()[0].fields["text"], "DRILL flash crash");
}

#[tokio::test]
async fn a_gateway_without_a_carrier_reaches_nobody_whatever_it_queues() {
    let gateway = Gateway::start().await;
    gateway.set_fault(Some(Fault::Status(202, vec![], "3: Queued for later delivery")));
    let result = kannel_at(gateway.url()).send(&page_for(ana())).await;
    assert_eq!(told(&result), "unreachable");
    assert!(result.unwrap_err().to_string().contains("no carrier link"));
}

#[tokio::test]
async fn a_page_that_repeats_our_password_does_not_reach_the_error() {
    let gateway = Gateway::start().await;
    for status in [200, 202, 400, 403, 404, 500, 503] {
        gateway.set_fault(Some(Fault::Status(status, vec![], "GET /?password=gateway-secret-4711 failed")));
        let error = kannel_at(gateway.url()).send(&page_for(ana())).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("gateway-secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (gateway, elsewhere) = (Gateway::start().await, Gateway::start().await);
    let to: &'static str = Box::leak(elsewhere.url().into_boxed_str());
    gateway.set_fault(Some(Fault::Status(302, vec![("location", to)], "")));
    assert_eq!(told(&kannel_at(gateway.url()).send(&page_for(ana())).await), "retry");
    assert!(elsewhere.accepted().is_empty());
}

#[test]
fn a_url_that_is_none_is_refused_with_the_keys_name() {
    super::double::install_tls();
    for url in ["", "13013", "ftp://gateway/", "smpp:gateway"] {
        let password = SecretString::from("x");
        let settings = KannelSettings { url: url.to_owned(), username: "u".to_owned(), password, from: None };
        let error = KannelChannel::new(settings).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("url: "), "{url:?}: {error:?}");
    }
}
