//! Writes TwiML, Twilio's XML. Its size is limited: Twilio reads 64 kB, and 4000 characters inline.

/// The content type of responses: Twilio would send a plain text to the person as an SMS.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The largest number of characters of one spoken or written text: with all copies and escapes, a document that may be
/// inline stays below 4000 bytes.
pub const TEXT_MAX: usize = 1200;

/// How long to wait for a digit after the text, in seconds.
const DIGIT_S: u32 = 8;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// An empty response.
pub fn nothing() -> String {
    format!("{HEAD}<Response/>")
}

/// An SMS to the sender; an empty response if the text is empty.
pub fn reply(text: &str) -> String {
    if text.is_empty() {
        return nothing();
    }
    format!("{HEAD}<Response><Message>{}</Message></Response>", escaped(text))
}

/// Says these lines, then hangs up.
pub fn tell(lines: &[&str]) -> String {
    format!("{HEAD}<Response>{}<Hangup/></Response>", said(lines))
}

/// Says these lines and waits for one digit, which goes to `action`; silence goes there too.
pub fn ask(lines: &[&str], action: &str) -> String {
    let gather = format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" finishOnKey=\"\" timeout=\"{DIGIT_S}\" actionOnEmptyResult=\"true\" \
         method=\"POST\" action=\"{}\">{}</Gather>",
        escaped(action),
        said(lines),
    );
    // Twilio never gets here, because it always calls `action`. If it did, the call would end.
    format!("{HEAD}<Response>{gather}<Hangup/></Response>")
}

fn said(lines: &[&str]) -> String {
    let lines = lines.iter().filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| format!("<Say>{}</Say>", escaped(line))).collect();
    lines.join("<Pause length=\"1\"/>")
}

/// Text for XML: cut to [`TEXT_MAX`] characters, escaped, without characters that XML forbids.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().take(TEXT_MAX) {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' | '\t' => safe.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter.is_control() => {}
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_whole_whatever_they_say() {
        assert_eq!(reply(""), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>");
        let told = tell(&["a < b & \"c\" \u{0}\u{b}\u{ffff}", "", "d's"]);
        assert!(told.ends_with(
            "<Response><Say>a &lt; b &amp; &quot;c&quot; </Say><Pause length=\"1\"/><Say>d&apos;s</Say><Hangup/></Response>"
        ));
        let asked = ask(&["x"], "https://h/p?a=1&b=2");
        assert!(asked.contains("action=\"https://h/p?a=1&amp;b=2\"") && asked.contains("numDigits=\"1\""), "{asked}");
        let long = "&".repeat(100_000);
        assert!(ask(&[&long, &long, &long], &long).len() < 64 * 1024);
    }
}
