//! A document as one HTML file: its Markdown with the pictures in place. It has no scripts and loads nothing, and can
//! be read on a phone, on paper, and in light and dark mode.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::BTreeMap;

const FRAME: &str = include_str!("sheet.html");

/// The pictures of a document, by the name in its placeholders: `<!-- picture: waterfall INC-1 -->`.
#[derive(Debug, Default)]
pub struct DocumentPictures(BTreeMap<String, String>);

impl DocumentPictures {
    /// Adds one; `svg` is inserted into the page without changes.
    pub fn add(&mut self, name: String, svg: String) {
        self.0.insert(name, svg);
    }
}

/// The whole file; a title that begins with DRILL gives it the colour of drills. HTML in the text is shown as text,
/// never interpreted.
pub fn html(title: &str, markdown: &str, pictures: &DocumentPictures) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let safe = parser.map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => match pictured(&text, pictures) {
            Some(picture) => Event::Html(picture.into()),
            None => Event::Text(text),
        },
        // A link's target is shown as text; it cannot be followed.
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Link | TagEnd::Image) => Event::End(TagEnd::Emphasis),
        // A table that is wider than a phone scrolls on its own.
        other => other,
    });
    let mut body = String::with_capacity(markdown.len() * 2);
    push_html(&mut body, safe);
    let body = body.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>");
    // One pass each, the text last: a placeholder inside the text is never filled.
    let (head, tail) = FRAME.split_once("{body}").unwrap_or((FRAME, ""));
    let kind = if title.starts_with("DRILL") { "drill" } else { "live" };
    format!("{}{body}{tail}", head.replace("{kind}", kind).replace("{title}", &escape(title)))
}

fn pictured(comment: &str, pictures: &DocumentPictures) -> Option<String> {
    let inside = comment.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let name = inside.strip_prefix("picture:")?.trim();
    Some(pictures.0.get(name).map_or_else(String::new, |svg| format!("<figure class=\"wide\">{svg}</figure>\n")))
}

/// Escapes text for XML, inside or outside of attributes. Characters that XML does not allow are dropped.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
