//! Puts a text together: the first line and the notes from Stentor, then the template's text or the raw facts.

use crate::template::{
    PageTemplates,
    action::action_of,
    ask,
    brief::TextForm,
    broken::BrokenTemplate,
    context, facts, fit, headline, html,
    load::{ALL_CLEAR, FILES},
    notice, sms, voice,
    words::BriefWords,
};

/// One text in all its formats.
pub(super) struct AssembledText {
    pub(super) headline: String,
    pub(super) body: String,
    pub(super) html: Option<String>,
}

/// A brief, and why the raw facts replaced the template, if they did.
pub(super) fn brief(
    templates: &PageTemplates,
    name: &str,
    words: &BriefWords<'_>,
    form: TextForm,
) -> (AssembledText, Option<String>) {
    let text = match form {
        TextForm::Sms => sms_brief(templates, name, words),
        TextForm::Voice => voice_brief(templates, name, words),
        TextForm::Screen | TextForm::Slack | TextForm::Board => long_brief(templates, name, words, form),
        TextForm::Mail => mail_brief(templates, name, words),
    };
    match text {
        Ok(text) => (text, None),
        Err(broken) => (raw_brief(words, form), Some(broken.to_string())),
    }
}

/// How the incident or role ended. If the template fails, only the text that needs no template is used.
pub(super) fn all_clear(
    templates: &PageTemplates,
    words: &BriefWords<'_>,
    form: TextForm,
) -> (AssembledText, Option<String>) {
    let file = match form {
        TextForm::Screen | TextForm::Slack | TextForm::Board => FILES[0],
        TextForm::Sms => FILES[1],
        TextForm::Mail => FILES[2],
        TextForm::Voice => templates.voice_file(ALL_CLEAR),
    };
    let run = |file| templates.run(ALL_CLEAR, file, context::of(words, form));
    let text = run(file).and_then(|inside| {
        let text = notice(words, form, &fit::guard(&inside, words.is_drill()));
        let plain = if form == TextForm::Mail { fit::guard(&run(FILES[0])?, words.is_drill()) } else { String::new() };
        let body = format!("{}\n{plain}", text.body).trim_end().to_owned();
        let fits = form == TextForm::Sms || fit::fits(&body, form);
        let html = text.html.as_ref().is_none_or(|html| html.len() <= fit::HTML_MAX);
        let why = || BrokenTemplate { file: format!("{ALL_CLEAR}/{file}"), line: None, why: "too long".to_owned() };
        if fits && html { Ok(AssembledText { body, ..text }) } else { Err(why()) }
    });
    match text {
        Ok(text) => (text, None),
        Err(broken) => (notice(words, form, ""), Some(broken.to_string())),
    }
}

/// A text that asks for nothing, with `inside` after Stentor's own lines.
pub(super) fn notice(words: &BriefWords<'_>, form: TextForm, inside: &str) -> AssembledText {
    let line = |line: &String| fit::guard(&fit::clean(line, fit::HEADLINE_MAX), words.is_drill());
    let mut lines: Vec<String> = notice::lines(words).iter().map(line).collect();
    let headline = lines.first().cloned().unwrap_or_default();
    let hand_back = notice::how_to_hand_back(words, form);
    if form == TextForm::Sms {
        let text = format!("{} {inside}", lines.join(" "));
        let body = sms::notice(words, text.trim_end(), hand_back.as_deref());
        return AssembledText { headline: sms::notice(words, &headline, None), body, html: None };
    }
    if form == TextForm::Voice {
        let body = voice::notice(words, &format!("{}\n{inside}", lines.join("\n")));
        let headline = voice::notice(words, &headline);
        return AssembledText {
            headline: if body.starts_with(&headline) { headline } else { body.clone() },
            body,
            html: None,
        };
    }
    let rest = lines.get(1..).unwrap_or_default().to_vec();
    let button = hand_back.as_ref().map(|_| html::Button::HandBack);
    lines.extend(hand_back);
    if form == TextForm::Mail {
        let html = Some(html::frame(words, html::first_line(&headline), &rest, inside, button));
        return AssembledText { headline, body: lines.join("\n"), html };
    }
    let kept: Vec<&str> = lines.iter().map(String::as_str).chain(inside.lines()).take(fit::LINES_MAX).collect();
    AssembledText { headline, body: kept.join("\n"), html: None }
}

fn sms_brief(templates: &PageTemplates, name: &str, words: &BriefWords<'_>) -> Result<AssembledText, BrokenTemplate> {
    let middle = templates.run(name, FILES[1], context::of(words, TextForm::Sms))?;
    let (headline, body) = sms::brief(words, &middle);
    Ok(AssembledText { headline, body, html: None })
}

fn voice_brief(templates: &PageTemplates, name: &str, words: &BriefWords<'_>) -> Result<AssembledText, BrokenTemplate> {
    let middle = templates.run(name, templates.voice_file(name), context::of(words, TextForm::Voice))?;
    let (headline, body) = voice::brief(words, &middle);
    Ok(AssembledText { headline, body, html: None })
}

fn long_brief(
    templates: &PageTemplates,
    name: &str,
    words: &BriefWords<'_>,
    form: TextForm,
) -> Result<AssembledText, BrokenTemplate> {
    let inside = templates.run(name, FILES[0], context::of(words, form))?;
    let headline = headline::first_line(words, form);
    let body = below(&headline, words, &fit::guard(&inside, words.is_drill()), form);
    if fit::fits(&body, form) {
        return Ok(AssembledText { headline, body, html: None });
    }
    let (lines, length) = (body.lines().count(), body.chars().count());
    let why = format!("too long: {lines} lines of {}, {length} characters of {}", fit::LINES_MAX, fit::room(form));
    Err(BrokenTemplate { file: format!("{name}/{}", FILES[0]), line: None, why })
}

fn mail_brief(templates: &PageTemplates, name: &str, words: &BriefWords<'_>) -> Result<AssembledText, BrokenTemplate> {
    let text = long_brief(templates, name, words, TextForm::Mail)?;
    let inside = templates.run(name, FILES[2], context::of(words, TextForm::Mail))?;
    let inside = fit::guard(&inside, words.is_drill());
    let html = html::frame(
        words,
        question(words, &text.headline),
        &headline::notes(words),
        &inside,
        Some(html::Button::Answer),
    );
    if html.len() <= fit::HTML_MAX {
        return Ok(AssembledText { html: Some(html), ..text });
    }
    let why = format!("too long: {} bytes of {}", html.len(), fit::HTML_MAX);
    Err(BrokenTemplate { file: format!("{name}/{}", FILES[2]), line: None, why })
}

/// The question of a mail; its headline once nothing is asked any more.
fn question(words: &BriefWords<'_>, headline: &str) -> String {
    let alarm = ask::open_parts(words, TextForm::Mail);
    let action = action_of(words.incident()).map(|action| html::action(&action.line)).unwrap_or_default();
    alarm.map_or_else(|| html::first_line(headline) + &action, |alarm| html::question(&alarm))
}

/// Needs no template and always fits.
fn raw_brief(words: &BriefWords<'_>, form: TextForm) -> AssembledText {
    if form == TextForm::Sms {
        let (headline, body) = sms::brief(words, &facts::short(words));
        return AssembledText { headline, body, html: None };
    }
    if form == TextForm::Voice {
        let (headline, body) = voice::brief(words, &facts::short(words));
        return AssembledText { headline, body, html: None };
    }
    let headline = headline::first_line(words, form);
    let mut room = fit::room(form).saturating_sub(below(&headline, words, "", form).chars().count());
    let mut body = below(&headline, words, &facts::raw(words, room), form);
    // Escaping makes text longer: text that does not fit gets less room until it does.
    while !fit::fits(&body, form) && 0 < room {
        room /= 2;
        body = below(&headline, words, &facts::raw(words, room), form);
    }
    let inside = html::preformatted(&facts::raw(words, fit::BODY_MAX));
    let framed =
        || html::frame(words, question(words, &headline), &headline::notes(words), &inside, Some(html::Button::Answer));
    let html = (form == TextForm::Mail).then(framed);
    AssembledText { headline, body, html }
}

fn below(headline: &str, words: &BriefWords<'_>, inside: &str, form: TextForm) -> String {
    let mut lines = vec![headline.to_owned()];
    lines.extend(action_of(words.incident()).map(|action| action.line));
    lines.extend(headline::notes(words));
    if form == TextForm::Mail {
        lines.push(format!("Answer here: {}", crate::template::brief::LINK));
    }
    lines.push(String::new());
    lines.extend(inside.lines().map(str::to_owned));
    lines.join("\n").trim_end().to_owned()
}
