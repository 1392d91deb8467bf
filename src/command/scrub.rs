//! `gatetrail scrub`: takes the secrets out of anyone's logs, line by line.
//!
//! Streams: memory is bounded by the longest line it keeps ([`MAX_LINE`]). Writes as many lines as it reads. What a
//! secret is, is decided in [`crate::scrub`]; opening standard streams and the exit code belong to the caller.

use crate::scrub::{LineScrubber, Removal, Scrubbed, Scrubber};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Longest line that is kept whole, in bytes: 16 MiB.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// How far back the cut of an overlong line looks for a space, so that no secret is cut in two, in bytes.
const CUT_BACK: usize = 64 * 1024;

/// Arguments of `gatetrail scrub`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "Takes secrets out of log lines",
    long_about = "Takes secrets out of log lines: tokens, keys, passwords, cookies, codes and private keys become \
                  [redacted:kind].\n\n\
                  Reads one record a line and writes as many lines as it reads. A private key over several lines is \
                  replaced line by line. Bytes that are not UTF-8 become U+FFFD. Of a line longer than 16 MiB the rest \
                  is dropped and replaced by [truncated N bytes].\n\n\
                  With --json each line is a JSON string, and each line written is {\"text\", \"redactions\": \
                  [{\"kind\", \"count\"}]}. A line that is no JSON string is scrubbed as plain text and written with \
                  \"error\": \"not_a_json_string\" (\"line_too_long\" when it was cut)."
)]
pub struct ScrubArguments {
    /// One JSON string a line in, one JSON object a line out
    #[arg(long)]
    pub json: bool,

    /// File to read; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubSummary {
    /// Lines read, and written.
    pub lines: u64,
    /// Secrets removed.
    pub removals: u64,
    /// Lines of `--json` that were no JSON string, and lines that were cut.
    pub faults: u64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    /// The file could not be opened.
    #[error("cannot open {}: check the path and its permissions", path.display())]
    Open {
        /// The file named by the arguments.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed half-way.
    #[error("cannot read the input any further")]
    Read(#[source] io::Error),
    /// Writing failed half-way.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
}

impl ScrubError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "cannot_open",
            Self::Read(_) => "cannot_read",
            Self::Write(_) => "cannot_write",
        }
    }
}

/// One line of `--json`.
#[derive(Serialize)]
struct JsonLine<'t> {
    text: &'t str,
    redactions: Vec<Redaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// How many secrets of one kind a line had.
#[derive(Serialize)]
struct Redaction {
    kind: &'static str,
    count: u64,
}

/// Scrubs the file of the arguments, or `stdin` for `-`, into `stdout`. A reader that goes away (`| head`) ends the
/// run without an error.
///
/// # Errors
/// When the file cannot be opened, or reading or writing fails.
pub fn run(
    arguments: &ScrubArguments,
    scrubber: &Scrubber,
    stdin: impl Read,
    stdout: impl Write,
) -> Result<ScrubSummary, ScrubError> {
    let outcome = if arguments.file == Path::new("-") {
        scrub_lines(scrubber, arguments.json, BufReader::with_capacity(1 << 16, stdin), stdout)
    } else {
        let path = arguments.file.clone();
        let file = File::open(&path).map_err(|source| ScrubError::Open { path, source })?;
        scrub_lines(scrubber, arguments.json, BufReader::with_capacity(1 << 16, file), stdout)
    };
    match outcome {
        Err((ScrubError::Write(cause), summary)) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(summary),
        other => other.map_err(|(error, _)| error),
    }
}

/// Scrubs every line; an error comes with what was done before it.
fn scrub_lines(
    scrubber: &Scrubber,
    as_json: bool,
    mut input: impl BufRead,
    output: impl Write,
) -> Result<ScrubSummary, (ScrubError, ScrubSummary)> {
    let mut output = io::BufWriter::with_capacity(1 << 16, output);
    let mut lines = LineScrubber::new(scrubber);
    let mut summary = ScrubSummary::default();
    let mut buffer = Vec::new();
    loop {
        let line = match read_line(&mut input, &mut buffer) {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err((ScrubError::Read(error), summary)),
        };
        let written =
            if as_json { write_json(scrubber, &line, &mut output) } else { write_text(&mut lines, &line, &mut output) };
        let done = written.map_err(|error| (ScrubError::Write(error), summary))?;
        summary.lines += 1;
        summary.removals += done.removals;
        summary.faults += u64::from(done.is_faulty);
    }
    output.flush().map_err(|error| (ScrubError::Write(error), summary))?;
    Ok(summary)
}

/// What happened to one line.
struct LineDone {
    removals: u64,
    is_faulty: bool,
}

/// A line as it was read.
struct Line<'b> {
    /// Content without the line break, cut to [`MAX_LINE`].
    content: &'b [u8],
    /// `"\n"`, `"\r\n"`, or nothing at the end of the input.
    line_break: &'static str,
    /// Bytes that were dropped.
    dropped: usize,
}

/// Reads the next line into `buffer`, at most [`MAX_LINE`] bytes of it; `None` at the end of the input.
fn read_line<'b>(input: &mut impl BufRead, buffer: &'b mut Vec<u8>) -> io::Result<Option<Line<'b>>> {
    buffer.clear();
    let mut dropped = 0;
    let mut has_break = false;
    while !has_break {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            break;
        }
        let position = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..position.unwrap_or(available.len())];
        let kept = part.len().min(MAX_LINE - buffer.len());
        buffer.extend_from_slice(&part[..kept]);
        dropped += part.len() - kept;
        has_break = position.is_some();
        let used = part.len() + usize::from(has_break);
        input.consume(used);
    }
    if !has_break && buffer.is_empty() && dropped == 0 {
        return Ok(None);
    }
    if dropped > 0 {
        let kept = cut_at_space(buffer);
        dropped += buffer.len() - kept;
        buffer.truncate(kept);
    }
    let (content, line_break) = match (has_break, buffer.strip_suffix(b"\r")) {
        (true, Some(content)) if dropped == 0 => (content, "\r\n"),
        (true, _) => (buffer.as_slice(), "\n"),
        (false, _) => (buffer.as_slice(), ""),
    };
    Ok(Some(Line { content, line_break, dropped }))
}

/// Length of the line up to its last space, if one is near; a secret holds no space, so none is cut in two.
fn cut_at_space(line: &[u8]) -> usize {
    let earliest = line.len().saturating_sub(CUT_BACK);
    line[earliest..].iter().rposition(|byte| *byte == b' ').map_or(earliest, |offset| earliest + offset)
}

/// What stands for the dropped rest of a line.
fn truncation_note(line: &Line<'_>) -> Option<String> {
    (line.dropped > 0).then(|| format!("[truncated {} bytes]", line.dropped))
}

/// Writes one scrubbed line of text.
fn write_text(lines: &mut LineScrubber<'_>, line: &Line<'_>, output: &mut impl Write) -> io::Result<LineDone> {
    let text = String::from_utf8_lossy(line.content);
    let scrubbed = lines.scrub_line(&text);
    output.write_all(scrubbed.text.as_bytes())?;
    let note = truncation_note(line);
    output.write_all(note.as_deref().unwrap_or_default().as_bytes())?;
    output.write_all(line.line_break.as_bytes())?;
    Ok(LineDone { removals: count(&scrubbed.removals), is_faulty: note.is_some() })
}

/// Writes the object for one line of `--json`.
fn write_json(scrubber: &Scrubber, line: &Line<'_>, output: &mut impl Write) -> io::Result<LineDone> {
    let decoded = if line.dropped == 0 { serde_json::from_slice::<String>(line.content).ok() } else { None };
    let error = match (&decoded, line.dropped) {
        (Some(_), _) => None,
        (None, 0) => Some("not_a_json_string"),
        (None, _) => Some("line_too_long"),
    };
    let plain = decoded.unwrap_or_else(|| String::from_utf8_lossy(line.content).into_owned());
    let mut scrubbed = scrubber.scrub_text(&plain);
    if let Some(note) = truncation_note(line) {
        scrubbed.text.to_mut().push_str(&note);
    }
    let object = JsonLine { text: &scrubbed.text, redactions: redactions(&scrubbed), error };
    serde_json::to_writer(&mut *output, &object)?;
    output.write_all(b"\n")?;
    Ok(LineDone { removals: count(&scrubbed.removals), is_faulty: error.is_some() })
}

/// The counts by kind, in the order of the names.
fn redactions(scrubbed: &Scrubbed<'_>) -> Vec<Redaction> {
    let by_name: BTreeMap<&'static str, u64> =
        scrubbed.counts().into_iter().map(|(kind, count)| (kind.as_str(), count)).collect();
    by_name.into_iter().map(|(kind, count)| Redaction { kind, count }).collect()
}

/// Number of removals, as counted in the summary.
fn count(removals: &[Removal]) -> u64 {
    u64::try_from(removals.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
