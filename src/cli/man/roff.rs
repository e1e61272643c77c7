//! A page of the guide as a man page: headings, paragraphs, lists, tables and code, which is all that the guide has.

use std::fmt::Write;

/// The page, with its title and one line that says what it is about.
pub fn page(name: &str, section: u8, about: &str, markdown: &str) -> String {
    let mut page = format!(".TH {name} {section}\n.SH NAME\n{} \\- {}\n", escaped(name), escaped(about));
    let (mut in_code, mut in_paragraph) = (false, false);
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            page.push_str(if in_code { ".PP\n.nf\n" } else { ".fi\n" });
            in_paragraph = false;
        } else if in_code {
            push(&mut page, &escaped(line));
        } else {
            in_paragraph = text(&mut page, line, in_paragraph);
        }
    }
    page
}

/// One line outside of code; returns whether a paragraph goes on.
fn text(page: &mut String, line: &str, in_paragraph: bool) -> bool {
    if let Some(heading) = line.strip_prefix("## ") {
        push(page, &format!(".SH \"{}\"", inline(heading).replace('"', "\\(dq")));
    } else if let Some(heading) = line.strip_prefix("### ") {
        push(page, &format!(".SS \"{}\"", inline(heading).replace('"', "\\(dq")));
    } else if line.starts_with("# ") || line.starts_with("<!--") || line.starts_with("|---") {
        // The title is the page's own; comments and rules are no text.
    } else if line.starts_with('|') {
        row(page, line);
    } else if let Some(item) = line.strip_prefix("- ") {
        push(page, &format!(".IP \\(bu 2\n{}", inline(item)));
        return true;
    } else if line.trim().is_empty() {
        return false;
    } else {
        if !in_paragraph {
            page.push_str(".PP\n");
        }
        push(page, &inline(line.trim_start()));
        return true;
    }
    false
}

/// A row of a table as a term with what it means.
fn row(page: &mut String, line: &str) {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let Some((first, others)) = cells.split_first() else { return };
    let others: Vec<String> = others.iter().filter(|cell| !cell.is_empty()).map(|cell| inline(cell)).collect();
    push(page, &format!(".TP\n{}\n{}", inline(first), others.join("; ")));
}

/// Bold, code and links as roff has them: words in backticks and asterisks are bold, of a link its words stay.
fn inline(text: &str) -> String {
    let (mut told, mut is_bold) = (String::new(), false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mark = if rest.starts_with("**") { 2 } else { usize::from(letter == '`') };
        if 0 < mark {
            is_bold = !is_bold;
            told.push_str(if is_bold { "\\fB" } else { "\\fR" });
            rest = &rest[mark..];
            continue;
        }
        if let Some((words, after)) = link(rest) {
            told.push_str(&inline(words));
            rest = after;
            continue;
        }
        match letter {
            '\\' => told.push_str("\\e"),
            '-' => told.push_str("\\-"),
            other => told.push(other),
        }
        rest = &rest[letter.len_utf8()..];
    }
    guarded(told)
}

/// The words of a link at the beginning of a text, and what comes after it.
fn link(text: &str) -> Option<(&str, &str)> {
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (_, after) = rest.split_once(')')?;
    (!words.contains([']', '['])).then_some((words, after))
}

/// Text that roff takes for nothing but text.
pub fn escaped(text: &str) -> String {
    guarded(text.replace('\\', "\\e").replace('-', "\\-"))
}

/// A line that begins with a dot or a quote would be a command.
fn guarded(line: String) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

fn push(page: &mut String, line: &str) {
    // Writing to a string never fails.
    let _ = writeln!(page, "{line}");
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn what_the_guide_has_becomes_what_man_shows() {
        let guide = "# Title\n<!-- matrix -->\n\nOne `key` and **two**\nlines, see [Text](x.md#y).\n\n## Keys\n\n| key | meaning |\n|---|---|\n\
                     | `wait` | how long | \n\n- a point\n\n```toml\n.x = \"a-b\"\n```\n";
        let told = page("stentor-x", 5, "about", guide);
        for part in [
            ".PP\nOne \\fBkey\\fR and \\fBtwo\\fR\nlines, see Text.\n",
            ".SH \"Keys\"\n",
            ".TP\n\\fBwait\\fR\nhow long\n",
            ".IP \\(bu 2\na point\n",
            ".nf\n\\&.x = \"a\\-b\"\n.fi\n",
        ] {
            assert!(told.contains(part), "no {part:?} in\n{told}");
        }
        assert!(!told.contains("matrix -->") && !told.contains("|---"), "{told}");
    }
}
