//! The laws of every text, whatever is in the alert and in the template.

use stentor::{
    template::{BOARD_MAX, BODY_MAX, CODE, HTML_MAX, LINES_MAX, LINK, RenderedText, SLACK_MAX, SPOKEN_MAX, TextForm},
    text::gsm7,
};

/// The laws of every text.
pub fn judge(rendered: &RenderedText, form: TextForm, drill: bool, asks: bool) {
    let (word, other) = if drill { ("DRILL", "LIVE") } else { ("LIVE", "DRILL") };
    let RenderedText { body, headline, subject, html, .. } = rendered;
    assert_eq!(body.split(' ').next(), Some(word), "{body}");
    assert!(body.starts_with(headline.as_str()) && subject.starts_with(word), "{headline}\n{body}");
    assert!(!headline.contains('\n') && !subject.contains('\n'));
    let first =
        |line: &str| line.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).map(str::to_owned);
    assert!(body.lines().all(|line| first(line).as_deref() != Some(other)), "{body}");
    assert!(!drill || !body.to_lowercase().contains("not a drill"), "{body}");
    assert!(body.lines().count() <= LINES_MAX, "{body}");
    assert_eq!(body.matches(CODE).count(), if asks && form == TextForm::Sms { 2 } else { 0 }, "{body}");
    assert_eq!(body.matches(LINK).count(), usize::from(asks && form == TextForm::Mail), "{body}");
    if drill && asks {
        assert!(body.contains("xercise"), "{body}");
    }
    match form {
        TextForm::Sms => judge_sms(body, asks),
        TextForm::Slack => {
            assert!(body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").chars().count() <= SLACK_MAX);
        }
        TextForm::Screen | TextForm::Mail => assert!(body.chars().count() <= BODY_MAX),
        TextForm::Board => assert!(body.chars().count() <= BOARD_MAX),
        TextForm::Voice => judge_call(body),
    }
    assert_eq!(html.is_some(), form == TextForm::Mail);
    if let Some(html) = html {
        judge_html(html, asks);
    }
}

fn judge_sms(body: &str, asks: bool) {
    let sent = body.replace(CODE, "48213");
    assert!(gsm7::segments(&sent) <= 2, "{sent}");
    if asks {
        // The question stands in the first segment; of a drill and of a repeat, whose marks come first, in most of it.
        let start: String = sent.chars().take(160).collect();
        assert!(start.contains(": reply 48213 = I take it") || start.contains(": reply 48213 = I confirm"), "{sent}");
        let pass = sent.find("48213 4 = pass, ").or_else(|| sent.find("48213 4 = pass now"));
        assert!(pass.is_some_and(|at| sent[..at].chars().count() < 160), "{sent}");
    }
    for word in ["STOP", "END", "CANCEL", "QUIT", "YES"] {
        assert!(!body.contains(&format!("reply {word}")), "{body}");
    }
}

/// What is said: one paragraph, without signs that nobody can hear.
fn judge_call(body: &str) {
    assert!(body.chars().count() <= SPOKEN_MAX, "{}: {body}", body.chars().count());
    assert!(!body.contains(['\n', '<', '>', '"', '{', '}', '|', '*', '_', '#', '/', '\u{1f600}']), "{body}");
    assert!(!body.contains("INC-"), "{body}");
}

fn judge_html(html: &str, asks: bool) {
    assert!(html.len() <= HTML_MAX);
    assert!(!html.to_lowercase().contains("<script"), "{html}");
    assert_eq!(html.matches(LINK).count(), usize::from(asks));
    assert!(!html.contains("src=") && !html.contains("url("), "{html}");
    let text = html.split_once("<body").and_then(|(_, body)| body.split_once('>')).map(|(_, text)| text);
    let mut text = text.expect("a body").split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text.trim());
    let first = text.find(|text| !text.is_empty()).expect("some text");
    assert!(first.starts_with("LIVE INC-") || first.starts_with("DRILL INC-"), "{first}");
}
