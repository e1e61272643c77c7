//! A document as one HTML file: its Markdown with the pictures in their places, no scripts, nothing from elsewhere,
//! readable on a phone, on paper, by day and by night.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::BTreeMap;

const FRAME: &str = include_str!("sheet.html");

/// The pictures of a document by the name that its text places them with: `<!-- picture: waterfall INC-1 -->`.
#[derive(Debug, Default)]
pub struct DocumentPictures(BTreeMap<String, String>);

impl DocumentPictures {
    /// Adds one; `svg` goes into the page as it is.
    pub fn add(&mut self, name: String, svg: String) {
        self.0.insert(name, svg);
    }
}

/// The whole file; a title that begins with DRILL gives it the colour of drills. Markup in the text that is not Markdown is shown, never obeyed.
pub fn html(title: &str, markdown: &str, pictures: &DocumentPictures) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let safe = parser.map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => match pictured(&text, pictures) {
            Some(picture) => Event::Html(picture.into()),
            None => Event::Text(text),
        },
        // Where a link leads is for its reader to see, not to follow.
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Link | TagEnd::Image) => Event::End(TagEnd::Emphasis),
        // A table that is wider than a phone scrolls by itself.
        other => other,
    });
    let mut body = String::with_capacity(markdown.len() * 2);
    push_html(&mut body, safe);
    let body = body.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>");
    // One pass each, the text last: what a text says is never taken for a place.
    let (head, tail) = FRAME.split_once("{body}").unwrap_or((FRAME, ""));
    let kind = if title.starts_with("DRILL") { "drill" } else { "live" };
    format!("{}{body}{tail}", head.replace("{kind}", kind).replace("{title}", &escape(title)))
}

fn pictured(comment: &str, pictures: &DocumentPictures) -> Option<String> {
    let inside = comment.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let name = inside.strip_prefix("picture:")?.trim();
    Some(pictures.0.get(name).map_or_else(String::new, |svg| format!("<figure class=\"wide\">{svg}</figure>\n")))
}

/// Text for XML, inside or outside of attributes. What XML has no letter for is left out.
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
