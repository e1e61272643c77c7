//! A mail without what nobody reads of it: pictures and documents may stand before the text, and be much larger than it.

use mail_parser::{MessageParser, MimeHeaders};
use std::io::{self, BufRead, Read};

/// What is kept of the whole mail, in bytes.
pub const KEPT_MAX: usize = 1 << 20;

/// What is kept of one text, in bytes.
const TEXT_MAX: usize = 256 * 1024;

/// How much of a line is read at once, in bytes.
const LINE_MAX: u64 = 64 * 1024;

/// What is kept of the head of a part, in bytes.
const HEAD_MAX: usize = 64 * 1024;

/// Borders of parts that are looked for.
const BORDERS_MAX: usize = 100;

/// Reads a mail to its end and keeps its heads and texts, of all at most [`KEPT_MAX`] bytes. The bodies of other parts are
/// left out; what is about mails (`message/..`) stays.
///
/// # Errors
/// When it can not be read.
pub fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut from = io::BufReader::new(from);
    let mut mail = KeptMail { kept: Vec::new(), borders: Vec::new(), place: MailPlace::Head(Vec::new()) };
    let mut line = Vec::new();
    loop {
        line.clear();
        // To the end in any case: who hands it in may take a closed pipe for a failure.
        if from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(mail.kept);
        }
        mail.take(&line);
    }
}

struct KeptMail {
    kept: Vec<u8>,
    /// What stands between parts, without the two dashes.
    borders: Vec<Vec<u8>>,
    place: MailPlace,
}

enum MailPlace {
    /// In the head of the mail, of a part, or of a mail in it: what was read of it.
    Head(Vec<u8>),
    /// In a body: how much of it is still kept.
    Body(usize),
}

impl KeptMail {
    fn take(&mut self, line: &[u8]) {
        if let Some(is_last) = self.border(line) {
            self.keep(line);
            self.place = if is_last { MailPlace::Body(TEXT_MAX) } else { MailPlace::Head(Vec::new()) };
            return;
        }
        match &mut self.place {
            MailPlace::Head(head) => {
                if head.len() < HEAD_MAX {
                    head.extend_from_slice(line);
                }
                let is_over = line.trim_ascii().is_empty();
                let next = is_over.then(|| std::mem::take(head));
                self.keep(line);
                if let Some(head) = next {
                    self.place = self.body_of(&head);
                }
            }
            MailPlace::Body(left) => {
                let now = line.len().min(*left);
                *left -= now;
                self.keep(&line[..now]);
            }
        }
    }

    fn keep(&mut self, line: &[u8]) {
        let room = KEPT_MAX - self.kept.len();
        self.kept.extend_from_slice(&line[..line.len().min(room)]);
    }

    /// Whether it stands between parts, and if so, behind the last one.
    fn border(&self, line: &[u8]) -> Option<bool> {
        let line = line.strip_prefix(b"--")?.trim_ascii_end();
        self.borders.iter().find_map(|border| match line.strip_prefix(&border[..])? {
            b"" => Some(false),
            b"--" => Some(true),
            _ => None,
        })
    }

    /// What follows this head.
    fn body_of(&mut self, head: &[u8]) -> MailPlace {
        let read = MessageParser::default().parse_headers(head);
        let part = read.as_ref().and_then(|mail| mail.parts.first());
        let Some(kind) = part.and_then(|part| part.content_type()) else { return MailPlace::Body(TEXT_MAX) };
        if let Some(border) = kind.attribute("boundary").filter(|_| self.borders.len() < BORDERS_MAX) {
            self.borders.push(border.as_bytes().to_vec());
        }
        let encoding = part.and_then(|part| part.content_transfer_encoding()).unwrap_or_default();
        let is_encoded = ["base64", "quoted-printable"].iter().any(|known| encoding.eq_ignore_ascii_case(known));
        match kind.ctype().to_ascii_lowercase().as_str() {
            // A mail in the mail begins with its own head.
            "message" if !is_encoded => MailPlace::Head(Vec::new()),
            "text" | "message" | "multipart" => MailPlace::Body(TEXT_MAX),
            _ => MailPlace::Body(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mail: &str) -> String {
        String::from_utf8_lossy(&read(mail.as_bytes()).unwrap_or_default()).into_owned()
    }

    #[test]
    fn a_small_mail_stays_as_it_is() {
        for mail in [
            "",
            "Subject: x\r\n\r\nwilco\r\n",
            "Subject: x\n\nwilco",
            "Content-Type: multipart/alternative; boundary=\"b b\"\n\n--b b\nContent-Type: text/plain\n\nwilco\n--b b--\n",
            "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n\
             Status: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <x>\nContent-Type: text/plain\n\ntext\n--b--\n",
        ] {
            assert_eq!(kept(mail), mail);
        }
    }

    #[test]
    fn what_is_no_text_is_left_out_wherever_it_stands() {
        let picture = "QUJD\n".repeat(1_000_000);
        let mail = format!(
            "From: a\nContent-Type: multipart/mixed;\n boundary=\"b\"\n\n--b\nContent-Type: application/pdf\n\
             Content-Transfer-Encoding: base64\n\n{picture}--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\
             Content-Type: image/png\n\n{picture}--c\n\nwilco\n--c--\n--b--\n"
        );
        let kept = kept(&mail);
        assert!(kept.len() < 400 && kept.contains("\n\nwilco\n--c--\n--b--"), "{kept}");
    }

    #[test]
    fn a_long_text_is_cut_and_what_follows_it_is_not() {
        let long = "word ".repeat(1_000_000);
        let mail = format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{long}\n--b\n\nwilco\n--b--\n");
        let kept = kept(&mail);
        assert!(kept.len() <= TEXT_MAX + 200 && kept.ends_with("--b\n\nwilco\n--b--\n"));
        let endless = format!("Subject: {}", "x".repeat(3 * KEPT_MAX));
        assert_eq!(read(endless.as_bytes()).map(|kept| kept.len()).ok(), Some(KEPT_MAX));
    }
}
