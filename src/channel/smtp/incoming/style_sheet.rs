//! The style sheets of a page, as far as they change the meaning of words: what they strike out.

/// Elements that the style sheets of a page strike out.
#[derive(Debug, Default)]
pub(super) struct StruckSelectors {
    elements: Vec<String>,
    classes: Vec<String>,
    ids: Vec<String>,
    all: bool,
}

impl StruckSelectors {
    /// Adds the rules of a style sheet. Of a selector only its last element counts: one that is struck out elsewhere only is
    /// struck out here too, and the mail is asked about.
    pub fn add(&mut self, sheet: &str) {
        let sheet = without_comments(&sheet.to_lowercase());
        for rule in sheet.split('}') {
            let Some((before, style)) = rule.rsplit_once('{') else { continue };
            if strikes(style) {
                let selectors = before.rsplit(['{', ';']).next().unwrap_or_default();
                selectors.split(',').for_each(|selector| self.add_selector(selector));
            }
        }
    }

    /// Whether an element is struck out: its name, and its attributes `class` and `id`.
    pub fn strike(&self, name: &str, class: &str, id: &str) -> bool {
        let is = |known: &[String], given: &str| known.iter().any(|known| known.eq_ignore_ascii_case(given));
        self.all
            || is(&self.elements, name)
            || is(&self.ids, id)
            || class.split_whitespace().any(|class| is(&self.classes, class))
    }

    fn add_selector(&mut self, selector: &str) {
        let last = selector.trim().rsplit([' ', '>', '+', '~']).next().unwrap_or_default();
        let last = last.split(':').next().unwrap_or_default();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if last.chars().any(|c| !is_name(c) && c != '.' && c != '#') || last.is_empty() {
            // Attributes and the like: which element is meant is not looked at.
            self.all = true;
            return;
        }
        let begins = |c: char| c == '.' || c == '#';
        let name = last.split(begins).next().unwrap_or_default();
        if name.len() == last.len() {
            self.elements.push(name.to_owned());
        }
        let mut rest = &last[name.len()..];
        while let Some(mark) = rest.chars().next() {
            let end = rest[1..].find(begins).map_or(rest.len(), |end| end + 1);
            let known = if mark == '.' { &mut self.classes } else { &mut self.ids };
            known.push(rest[1..end].to_owned());
            rest = &rest[end..];
        }
    }
}

/// Whether a style strikes out: `text-decoration: line-through`.
pub(super) fn strikes(style: &str) -> bool {
    without_comments(&style.to_lowercase()).split_whitespace().collect::<String>().contains("line-through")
}

fn without_comments(sheet: &str) -> String {
    let mut out = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::StruckSelectors;

    #[test]
    fn a_style_sheet_strikes_out_what_its_selectors_name() {
        for (sheet, struck) in [
            (".x{text-decoration:line-through}", true),
            ("p.x , b { color: red; text-decoration : LINE-THROUGH !important }", true),
            ("@media screen { div > .X { text-decoration-line: line/**/-through } }", true),
            ("<!-- .x{text-decoration:line-through} -->", true),
            ("#i { text-decoration: line-through }", true),
            ("span { text-decoration: line-through }", true),
            ("[class=x] { text-decoration: line-through }", true),
            ("* { text-decoration: line-through }", true),
            (".x:first-child { text-decoration: line-through }", true),
            (".x { text-decoration: underline } .y { text-decoration: line-through }", false),
            ("/* .x { text-decoration: line-through } */", false),
            ("p { text-decoration: line-through }", false),
            ("line-through", false),
            ("", false),
        ] {
            let mut selectors = StruckSelectors::default();
            selectors.add(sheet);
            assert_eq!(selectors.strike("span", "a x", "i"), struck, "{sheet}");
        }
    }
}
