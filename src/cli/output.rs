//! Where commands read and write: a file, or `-` for standard input and output. What is there already is never
//! overwritten unasked.

use crate::{
    cli::error::{CliError, WriteFailure},
    report::after_action::WrittenReview,
};
use clap::{Args, ValueHint};
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// Where a document is written to.
#[derive(Debug, Args)]
pub struct OutputOptions {
    /// Where to; - is standard output [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Overwrite the file if it is there already
    #[arg(long, requires = "out")]
    force: bool,
}

impl OutputOptions {
    /// Writes a document in one of its forms: Markdown if neither is wanted.
    pub fn write_review(&self, review: WrittenReview, html: bool, json: bool) -> Result<(), CliError> {
        let text = match (html, json) {
            (_, true) => serde_json::to_string_pretty(&review.facts)? + "\n",
            (true, false) => review.html,
            (false, false) => review.markdown,
        };
        self.write(&text)
    }

    /// Opens the file, or standard output, for what is written piece by piece. Fails if the file is there and may not be
    /// overwritten.
    pub fn open(&self) -> Result<Box<dyn Write>, CliError> {
        match self.out.as_deref().filter(|path| !is_standard(path)) {
            Some(path) => {
                let (to, name) = (create(path, self.force)?, path.display().to_string());
                Ok(Box::new(BufWriter::new(NamedWriter { to, name })))
            }
            None => {
                let (to, name) = (std::io::stdout().lock(), "standard output".to_owned());
                Ok(Box::new(BufWriter::new(NamedWriter { to, name })))
            }
        }
    }

    /// Writes the document. Fails if the file is there and may not be overwritten.
    pub fn write(&self, text: &str) -> Result<(), CliError> {
        match &self.out {
            Some(path) => write_new(path, text, self.force),
            None => {
                print!("{text}");
                Ok(())
            }
        }
    }
}

/// Its errors say what could not be written.
struct NamedWriter<W> {
    to: W,
    name: String,
}

impl<W: Write> Write for NamedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.to.write(bytes).map_err(|why| self.failed(why))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush().map_err(|why| self.failed(why))
    }
}

impl<W> NamedWriter<W> {
    /// A write that was only interrupted is tried again by whoever writes.
    fn failed(&self, why: std::io::Error) -> std::io::Error {
        if why.kind() == ErrorKind::Interrupted { why } else { WriteFailure::of(&self.name, why) }
    }
}

/// Whether a path stands for standard input or output.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes to a file that must not be there, unless `force`; to standard output for `-`.
pub fn write_new(path: &Path, text: &str, force: bool) -> Result<(), CliError> {
    if is_standard(path) {
        print!("{text}");
        return Ok(());
    }
    let written = create(path, force)?.write_all(text.as_bytes());
    written.map_err(|error| WriteFailure::of(&path.display().to_string(), error).into())
}

fn create(path: &Path, force: bool) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let path = path.display();
            format!("{path} is there already, and people may have written in it: name another file, or overwrite it with --force")
                .into()
        }
        _ => format!("{} can not be written: {error}", path.display()).into(),
    })
}

/// The text of a file, or of standard input for `-`; the error names the file.
pub fn read_text(path: &Path) -> Result<String, CliError> {
    let text =
        if is_standard(path) { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    text.map_err(|error| format!("{} can not be read: {error}", shown(path)).into())
}

/// The bytes of a file, or of standard input for `-`; the error names the file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = if is_standard(path) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    bytes.map_err(|error| format!("{} can not be read: {error}", shown(path)).into())
}

/// A path as errors name it.
pub fn shown(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}
