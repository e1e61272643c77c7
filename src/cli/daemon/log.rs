//! The daemon's log: one event is one line, whatever words of others it quotes.

use crate::{cli::terminal::colours, config, core::printable::one_line};
use clap::ValueEnum;
use std::io::{self, IsTerminal, Write};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One object a line
    Json,
}

/// Starts the log. A separate thread writes the lines. They are dropped rather than waited for: a log that blocks must
/// not delay a page. When the guard is dropped, the remaining lines are written.
pub fn start(format: LogFormat) -> WorkerGuard {
    let wanted = config::variable("STENTOR_LOG").unwrap_or_else(|| "info".into());
    // These log every connection, every statement and every call with what was said.
    let filter = EnvFilter::try_new(format!("{wanted},hyper=warn,sqlx=warn,rmcp=error"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, guard) = tracing_appender::non_blocking(io::stderr());
    // Without this, a failing stderr makes the log panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    let result = match format {
        LogFormat::Text => {
            let ansi = colours(io::stderr().is_terminal());
            log.with_writer(OneLine { writer, ansi }).with_ansi(ansi).with_target(false).try_init()
        }
        // It escapes all of that itself.
        LogFormat::Json => log.with_writer(writer).json().flatten_event(true).with_target(false).try_init(),
    };
    // In a test, logging is already set up.
    let _ = result;
    guard
}

/// Writes each event as one line. The library hands over an event whole, with its line break, and writes fields as they
/// are: a name or an error with a line break would look like an event of its own.
#[derive(Clone)]
struct OneLine<W> {
    writer: W,
    /// Whether the library itself writes colours, as escape sequences.
    ansi: bool,
}

impl<'a> MakeWriter<'a> for OneLine<NonBlocking> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let end = &text[line.len()..];
        let mut safe = String::with_capacity(text.len());
        if self.ansi {
            // Colours come from the library alone: it escapes those that are in fields.
            let parts: Vec<_> = line.split('\u{1b}').map(one_line).collect();
            safe.push_str(&parts.join("\u{1b}"));
        } else {
            safe.push_str(&one_line(line));
        }
        safe.push_str(end);
        self.writer.write_all(safe.as_bytes()).map(|()| event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str, ansi: bool) -> String {
        let mut log = OneLine { writer: Vec::new(), ansi };
        log.write_all(event.as_bytes()).expect("written");
        String::from_utf8(log.writer).expect("text")
    }

    #[test]
    fn an_event_is_one_line() {
        let event = "2026  WARN refused why=\"a\nINFO forged\r\u{1b}[2J\"\n";
        assert_eq!(written(event, false), "2026  WARN refused why=\"a\\nINFO forged\\r\\u{1b}[2J\"\n");
        assert_eq!(written("\u{1b}[32m INFO\u{1b}[0m a\nb\n", true), "\u{1b}[32m INFO\u{1b}[0m a\\nb\n");
        assert_eq!(written("plain Ä\n", false), "plain Ä\n");
    }
}
