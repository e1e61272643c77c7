//! A document as one HTML file: its Markdown with the pictures in place. It has no scripts and loads nothing, and can
//! be read on a phone, on paper, and in light and dark mode.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use std::{collections::BTreeMap, fmt::Write};

const FRAME: &str = include_str!("sheet.html");

/// A section with more lines (rows of tables, items of lists, lines of texts) is folded: a reader can open it.
const FOLDED_FROM: usize = 16;

/// A document with fewer headings needs no contents.
const CONTENTS_FROM: usize = 4;

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
    let body = sectioned(safe).replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>");
    // One pass each, the text last: a placeholder inside the text is never filled.
    let (head, tail) = FRAME.split_once("{body}").unwrap_or((FRAME, ""));
    let kind = if title.starts_with("DRILL") { "drill" } else { "live" };
    format!("{}{body}{tail}", head.replace("{kind}", kind).replace("{title}", &escape(title)))
}

/// One heading of the second or third level and what stands below it. What stands before the first has none.
#[derive(Default)]
struct SheetSection<'a> {
    level: Option<HeadingLevel>,
    heading: Vec<Event<'a>>,
    body: Vec<Event<'a>>,
}

/// The document with its contents after the title, and with its long sections folded.
fn sectioned<'a>(events: impl Iterator<Item = Event<'a>>) -> String {
    let sections = divided(events);
    let mut html = String::new();
    for (n, section) in sections.iter().enumerate() {
        html.push_str(&section.html(n));
        if n == 0 && CONTENTS_FROM < sections.len() {
            html.push_str(&contents(&sections));
        }
    }
    html
}

fn divided<'a>(events: impl Iterator<Item = Event<'a>>) -> Vec<SheetSection<'a>> {
    let mut sections = vec![SheetSection::default()];
    let mut in_heading = false;
    for event in events {
        let Some(section) = sections.last_mut() else { break };
        match event {
            Event::Start(Tag::Heading { level: level @ (HeadingLevel::H2 | HeadingLevel::H3), .. }) => {
                in_heading = true;
                sections.push(SheetSection { level: Some(level), ..SheetSection::default() });
            }
            Event::End(TagEnd::Heading(HeadingLevel::H2 | HeadingLevel::H3)) => in_heading = false,
            other if in_heading => section.heading.push(other),
            other => section.body.push(other),
        }
    }
    sections
}

fn contents(sections: &[SheetSection<'_>]) -> String {
    let mut list = String::from("<nav aria-label=\"Contents\"><ul>\n");
    for (n, section) in sections.iter().enumerate() {
        let Some(level) = section.level else { continue };
        let class = if level == HeadingLevel::H3 { " class=\"inner\"" } else { "" };
        let _ = writeln!(list, "<li{class}><a href=\"#s{n}\">{}</a></li>", pushed(&section.heading));
    }
    list + "</ul></nav>\n"
}

impl SheetSection<'_> {
    /// The `n`th of its document.
    fn html(&self, n: usize) -> String {
        let body = pushed(&self.body);
        let Some(level) = self.level else { return body };
        let heading = format!("<{level} id=\"s{n}\">{}</{level}>", pushed(&self.heading));
        let lines = self.lines();
        let has_picture =
            self.body.iter().any(|event| matches!(event, Event::Html(html) if html.starts_with("<figure")));
        if lines < FOLDED_FROM || has_picture {
            return format!("{heading}\n{body}");
        }
        format!("<details>\n<summary>{heading} <span>{lines} lines</span></summary>\n{body}</details>\n")
    }

    fn lines(&self) -> usize {
        let (mut lines, mut in_code) = (0, false);
        for event in &self.body {
            match event {
                Event::Start(Tag::TableRow | Tag::Item) => lines += 1,
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(text) if in_code => lines += text.lines().count(),
                _ => {}
            }
        }
        lines
    }
}

fn pushed(events: &[Event<'_>]) -> String {
    let mut html = String::new();
    push_html(&mut html, events.iter().cloned());
    html
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_document_begins_with_its_contents_and_folds_what_is_long() {
        let rows: String = (0..40).map(|n| format!("| {n} | a |\n")).collect();
        let pages: String = (0..3).map(|n| format!("| {n} | a |\n")).collect();
        let text = format!(
            "# Title\n\nFirst.\n\n## What <happened>\n\nIt fell.\n\n### Timeline\n\n| a | b |\n|---|---|\n{rows}\n\n\
             ### Pages\n\n| a | b |\n|---|---|\n{pages}\n\n## Texts\n\n```text\n{}```\n\n## Figures\n\n<!-- picture: p -->\n\n{}",
            "line\n".repeat(30),
            "- item\n".repeat(30),
        );
        let mut pictures = DocumentPictures::default();
        pictures.add("p".into(), "<svg/>".into());
        let page = html("LIVE", &text, &pictures);
        assert_eq!(page.matches("<details>").count(), 2, "the timeline and the texts: {page}");
        assert!(
            page.contains("<details>\n<summary><h3 id=\"s2\">Timeline</h3> <span>40 lines</span></summary>"),
            "{page}"
        );
        let (before, after) = page.split_once("<nav").expect("contents");
        assert!(before.contains("First.") && !before.contains("It fell."), "{page}");
        for n in 1..=5 {
            assert!(
                after.contains(&format!("href=\"#s{n}\"")) && after.contains(&format!("id=\"s{n}\"")),
                "{n}: {page}"
            );
        }
        assert!(after.contains(">What &lt;happened&gt;</a>"), "{page}");
        let short = html("LIVE", "# Title\n\n## One\n\nText.", &pictures);
        assert!(!short.contains("<nav") && !short.contains("<details"), "{short}");
    }
}
