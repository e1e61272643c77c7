//! Converts HTML to the text that its reader sees. What changes the meaning of words is kept: strikethrough becomes
//! `~`, a picture its alternative text, a quote `>`.

use super::style_sheet::{StruckSelectors, strikes};
use mail_parser::decoders::html::add_html_token;

/// Elements that begin a new line.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
];

/// Elements whose content nobody sees.
const UNSEEN: [&str; 4] = ["style", "script", "template", "title"];

/// Elements without content.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "area", "wbr"];

/// The largest nesting of elements; deeper ones are not tracked.
const DEPTH_MAX: usize = 200;

/// The largest length of an entity (`&nbsp;`), in bytes.
const ENTITY_MAX: usize = 12;

/// The text of a page.
pub(super) fn text_of(html: &str) -> String {
    let mut page = PageText { struck: struck_by_sheets(html), ..PageText::default() };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        page.words(&rest[..at]);
        rest = &rest[at..];
        rest = match tag(rest) {
            Some((tag, after)) => {
                page.tag(&tag);
                if UNSEEN.contains(&tag.name.as_str()) && !tag.closes {
                    after_end_of(&tag.name, after).1
                } else {
                    after
                }
            }
            None if rest.starts_with("<!--") => rest.find("-->").map_or("", |end| &rest[end + 3..]),
            None if rest.starts_with("<!") || rest.starts_with("<?") => {
                rest.find('>').map_or("", |end| &rest[end + 1..])
            }
            None => {
                page.words("<");
                &rest[1..]
            }
        };
    }
    page.words(rest);
    page.text
}

/// What the style sheets of a page strike out, wherever they stand in it.
fn struck_by_sheets(html: &str) -> StruckSelectors {
    let mut struck = StruckSelectors::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let is_sheet = rest.get(1..6).is_some_and(|name| name.eq_ignore_ascii_case("style"));
        rest = match is_sheet.then(|| tag(rest)).flatten().filter(|(tag, _)| tag.name == "style") {
            Some((_, after)) => {
                let (sheet, after) = after_end_of("style", after);
                struck.add(sheet);
                after
            }
            None => &rest[1..],
        };
    }
    struck
}

/// A tag: its name and attributes, in lower case.
struct Tag {
    name: String,
    closes: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its `style` attribute, without spaces.
    fn style(&self) -> String {
        self.attribute("style").unwrap_or_default().to_lowercase().split_whitespace().collect()
    }

    fn strikes(&self, sheets: &StruckSelectors) -> bool {
        let given = |name| self.attribute(name).unwrap_or_default();
        ["s", "strike", "del"].contains(&self.name.as_str())
            || strikes(given("style"))
            || sheets.strike(&self.name, given("class"), given("id"))
    }

    /// Whether the element is a quote. Some programs also use `blockquote` for an indented paragraph, without the line
    /// at its side.
    fn quotes(&self) -> bool {
        self.name == "blockquote" && !self.style().contains("border:none")
    }
}

/// The tag at the start of a text, and what follows it.
fn tag(text: &str) -> Option<(Tag, &str)> {
    let inside = text.strip_prefix('<')?;
    let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let length = inside.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(length);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some((Tag { name: name.to_ascii_lowercase(), closes, attributes }, after));
        }
        if rest.is_empty() {
            return Some((Tag { name: name.to_ascii_lowercase(), closes, attributes }, ""));
        }
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>')).unwrap_or(rest.len()).max(1);
        let (key, after) =
            rest.split_at(rest.char_indices().map(|(at, _)| at).find(|at| length <= *at).unwrap_or(rest.len()));
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(after) => attribute_value(after.trim_start()),
            None => ("", after),
        };
        attributes.push((key.to_ascii_lowercase(), decoded(value)));
        rest = after;
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return text[1..].split_once(quote).unwrap_or((&text[1..], ""));
    }
    text.split_at(text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len()))
}

/// The content of an element that is not seen, and what follows its end.
fn after_end_of<'a>(name: &str, text: &'a str) -> (&'a str, &'a str) {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let is_it = rest.get(..name.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(name));
        let after = rest.get(name.len()..).filter(|_| is_it).unwrap_or("-");
        if after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')) {
            let content = &text[..text.len() - rest.len() - 2];
            return (content, after.find('>').map_or("", |end| &after[end + 1..]));
        }
    }
    (text, "")
}

/// Decodes entities.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(ENTITY_MAX).position(|byte| byte == b';');
        let is_name = |end: &usize| rest[1..*end].chars().all(|c| c.is_ascii_alphanumeric() || c == '#');
        let end = end.filter(is_name);
        let end = end.map_or(1, |end| end + 1);
        add_html_token(&mut out, &rest.as_bytes()[..end], false);
        rest = &rest[end..];
    }
    out + rest
}

/// Whether an element is a cell of a table.
fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th")
}

/// An element that is open.
struct OpenElement {
    name: String,
    strikes: bool,
    quotes: bool,
}

/// The text so far.
#[derive(Default)]
struct PageText {
    text: String,
    open: Vec<OpenElement>,
    /// What the page's style sheets strike out.
    struck: StruckSelectors,
    /// A space that is written only if words follow.
    gap: bool,
}

impl PageText {
    fn words(&mut self, raw: &str) {
        let keeps_lines = self.open.iter().any(|element| element.name == "pre");
        for letter in decoded(raw).chars() {
            match letter {
                '\n' if keeps_lines => self.end_line(),
                ' ' | '\t' | '\r' | '\n' => self.gap = true,
                letter => self.letter(letter),
            }
        }
    }

    fn letter(&mut self, letter: char) {
        if self.is_line_start() {
            let depth = self.open.iter().filter(|element| element.quotes).count();
            self.text.extend(std::iter::repeat_n('>', depth));
            self.gap = 0 < depth;
        }
        if std::mem::take(&mut self.gap) {
            self.text.push(' ');
        }
        self.text.push(letter);
    }

    fn is_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    fn end_line(&mut self) {
        self.gap = false;
        if self.is_line_start() && self.open.iter().any(|element| element.quotes) {
            self.text.push('>');
        }
        self.text.push('\n');
    }

    fn tag(&mut self, tag: &Tag) {
        let is_block = BLOCKS.contains(&tag.name.as_str());
        if is_block && !self.is_line_start() {
            self.end_line();
        }
        match tag.name.as_str() {
            "br" => self.end_line(),
            "img" => self.picture(tag),
            name if tag.closes => {
                self.close(name);
                self.gap |= is_cell(name);
            }
            name if !VOID.contains(&name) => self.open(tag),
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag) {
        if is_cell(&tag.name) {
            self.end_cell();
            self.gap = true;
        }
        let strikes = tag.strikes(&self.struck);
        if strikes {
            self.letter('~');
        }
        if self.open.len() < DEPTH_MAX {
            self.open.push(OpenElement { name: tag.name.clone(), strikes, quotes: tag.quotes() });
        }
    }

    /// A cell ends where the next one of its table begins, also without a tag.
    fn end_cell(&mut self) {
        let last = self.open.iter().rev().find(|element| element.name == "table" || is_cell(&element.name));
        if let Some(name) = last.map(|element| element.name.clone()).filter(|name| is_cell(name)) {
            self.close(&name);
        }
    }

    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|element| element.name == name) else { return };
        for element in self.open.split_off(at) {
            if element.strikes {
                self.text.push('~');
            }
        }
    }

    /// A picture of an emoji becomes the emoji; any other picture becomes `[image: ALT]`, because its content is
    /// unknown.
    fn picture(&mut self, tag: &Tag) {
        let is_dot = |side| matches!(tag.attribute(side), Some("0" | "1" | "0px" | "1px"));
        if is_dot("width") || is_dot("height") || tag.style().contains("display:none") {
            return;
        }
        let alt = tag.attribute("alt").unwrap_or_default().trim();
        if !alt.is_empty() && !alt.chars().any(char::is_alphanumeric) {
            alt.chars().for_each(|letter| self.letter(letter));
        } else {
            let alt: String = alt.chars().filter(|c| !matches!(c, '[' | ']') && !c.is_control()).collect();
            format!("[image: {alt}]").chars().for_each(|letter| self.letter(letter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_its_reader_sees() {
        for (html, text) in [
            ("<p>wilco</p>", "wilco\n"),
            (
                "<html><head><title>x</title><style>p { a: b }</style></head><body><div>wilco<br>Ana</div>",
                "wilco\nAna\n",
            ),
            ("<!-- a > b --><div>I&#8217;ll take&nbsp;it &amp; go</div>", "I’ll take\u{a0}it & go\n"),
            ("<p><s>wilco</s></p>", "~wilco~\n"),
            ("<p><span style=\"text-decoration: line-through\">wilco</span> no", "~wilco~ no"),
            (
                "<table><tr><td style='text-decoration:line-through'>wilco</td><td>Ana</td></tr></table>",
                "~wilco~ Ana\n",
            ),
            ("<style>.x{text-decoration:line-through}</style><table><tr><th class=x>wilco<td>Ana", "~wilco~ Ana"),
            ("<table><tr><td>a<td><table><tr><td>b</table><td>c</table>", "a\nb\nc\n"),
            ("wilco <img src=x alt='👎'>", "wilco 👎"),
            ("wilco <img src=x>", "wilco [image: ]"),
            ("wilco<img src=x width=1 height=1>", "wilco"),
            ("<div>2</div><blockquote type=cite><div>LIVE<br><br>a</div></blockquote>b", "2\n> LIVE\n>\n> a\nb"),
            ("2<blockquote style='border: none'>but not now</blockquote>", "2\nbut not now\n"),
            ("<pre>a\nb</pre>", "a\nb\n"),
            ("1 < 2 & <b", "1 < 2 &"),
            ("<script>if (a </b) {}</script>x<style>", "x"),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_it_panic(html in "[<>/&;!a-z='\" \u{e9}😀-]{0,60}") {
            let _ = text_of(&html);
        }
    }
}
