//! `gatetrail simulate`: tells simulated stories to Kafka, or to files.
//!
//! The stories themselves are [`crate::simulate`]'s business; here are the arguments, the pace, the answer key and the
//! summary. The key of the gateways' hashes must be the consumer's, or their ids and its own would not join.

mod kafka_sink;
mod line_sink;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config;
use crate::simulate::{Record, RecordKind, Simulation, SimulationOptions};
use kafka_sink::KafkaSink;
use line_sink::LineSink;

/// The longest span: what is older than the retention is refused by the consumer.
const LONGEST_SPAN: Duration = Duration::from_secs(90 * 86_400);
/// How many events pass between two looks at the clock and the progress bar.
const STRIDE: u64 = 256;

/// Tell the stories of simulated gateways: sign-ins, calls, refreshes and every failure
#[derive(Debug, Clone, Args)]
pub struct SimulateArguments {
    /// How many events; registry facts come on top
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub events: u64,
    /// Events a second; as fast as possible when absent
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Decides everything that is left to chance: same seed, start and count, same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Time of the first event (RFC 3339); by default the span ends now
    #[arg(long, value_name = "TIME")]
    pub start: Option<DateTime<Utc>>,
    /// How much time the events cover, such as 90s, 30m, 1h, 7d
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = parse_span)]
    pub span: Duration,
    /// Write the events to a file, or - for standard output, one line each, instead of to Kafka
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// With --output: write the registry facts to this file
    #[arg(long, value_name = "FILE", requires = "output")]
    pub registry: Option<PathBuf>,
    /// Write the expected class and hop of every request to this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Malformed records for each hundred events, on top of them
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub poison: f64,
}

/// Runs the subcommand; `now` is the time of day, `hash_key` the key of the consumer's fingerprints.
///
/// # Errors
/// A bad option, a file that cannot be written, a broker that cannot be reached or does not take a record.
pub fn run(
    arguments: &SimulateArguments,
    kafka: &config::Kafka,
    hash_key: &[u8],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut simulation = Simulation::new(options(arguments, hash_key, now)?)?;
    let mut sink = Sink::open(arguments, kafka)?;
    let mut answers = arguments.answers.as_deref().map(AnswerFile::create).transpose()?;
    let progress = progress_bar(arguments.events)?;
    let began = Instant::now();
    match tell(&mut simulation, &mut sink, answers.as_mut(), &progress, arguments.rate) {
        Ok(()) => {}
        // Whoever read standard output (`head`) has seen enough; there is nobody left to tell.
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    sink.finish()?;
    if let Some(answers) = answers {
        answers.finish()?;
    }
    progress.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let events = simulation.written();
    let pace = events as f64 / seconds.max(f64::EPSILON);
    writeln!(io::stderr(), "simulate: {events} events in {seconds:.2} s ({pace:.0} events/s)")?;
    Ok(())
}

fn options(arguments: &SimulateArguments, hash_key: &[u8], now: DateTime<Utc>) -> anyhow::Result<SimulationOptions> {
    let span = TimeDelta::from_std(arguments.span).context("--span is too long")?;
    Ok(SimulationOptions {
        seed: arguments.seed,
        start: arguments.start.unwrap_or(now - span),
        span: arguments.span,
        events: arguments.events,
        poison_percent: arguments.poison,
        hash_key: hash_key.to_vec(),
    })
}

/// Hands every record to the sink, at the pace that was asked for.
fn tell(
    simulation: &mut Simulation,
    sink: &mut Sink,
    mut answers: Option<&mut AnswerFile>,
    progress: &ProgressBar,
    rate: Option<u32>,
) -> anyhow::Result<()> {
    let mut record = Record::default();
    let mut answer_lines = Vec::new();
    let began = Instant::now();
    while simulation.next_record(&mut record) {
        sink.write(&record)?;
        simulation.drain_answers(&mut answer_lines);
        if let Some(answers) = answers.as_deref_mut() {
            answers.writer.write_all(&answer_lines).context("cannot write the answers")?;
        }
        answer_lines.clear();
        let written = simulation.written();
        if record.kind == RecordKind::Event && written.is_multiple_of(STRIDE) {
            progress.set_position(written);
        }
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(written as f64 / f64::from(rate));
            sink.pause(due.saturating_sub(began.elapsed()));
        }
    }
    Ok(())
}

/// On a terminal only; elsewhere it draws nothing.
fn progress_bar(events: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} events  {per_sec}  {eta} left")?;
    Ok(ProgressBar::new(events).with_style(style))
}

/// `90s`, `30m`, `1h`, `7d`.
fn parse_span(text: &str) -> Result<Duration, String> {
    let refusal = || format!("`{text}` is not a span such as 90s, 30m, 1h or 7d");
    let unit = text.chars().last().ok_or_else(refusal)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refusal()),
    };
    let count = text.strip_suffix(unit).and_then(|count| count.parse::<u64>().ok());
    let count = count.ok_or_else(refusal)?;
    let span = Duration::from_secs(count.saturating_mul(seconds));
    if span.is_zero() || span > LONGEST_SPAN {
        return Err(format!("`{text}` must be between 1s and 90d"));
    }
    Ok(span)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(ErrorKind::BrokenPipe)
}

/// The two places where records may go.
enum Sink {
    Lines(LineSink),
    Kafka(Box<KafkaSink>),
}

impl Sink {
    fn open(arguments: &SimulateArguments, kafka: &config::Kafka) -> anyhow::Result<Self> {
        match &arguments.output {
            Some(output) => Ok(Self::Lines(LineSink::create(output, arguments.registry.as_deref())?)),
            None => Ok(Self::Kafka(Box::new(KafkaSink::connect(kafka)?))),
        }
    }

    fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        match self {
            Self::Lines(lines) => lines.write(record),
            Self::Kafka(producer) => producer.send(record),
        }
    }

    /// Waits; what was written before goes on its way meanwhile.
    fn pause(&mut self, wait: Duration) {
        // Shorter waits than a timer can measure add up and are waited for together.
        if wait < Duration::from_millis(2) {
            return;
        }
        match self {
            Self::Lines(_) => thread::sleep(wait),
            Self::Kafka(producer) => producer.wait(wait),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Lines(lines) => lines.finish(),
            Self::Kafka(producer) => producer.finish(),
        }
    }
}

/// The answer key; it appears under its name only when it is complete.
struct AnswerFile {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
}

impl AnswerFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("{} is a directory, not a file for the answers", path.display());
        }
        let mut partial = OsString::from(path);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
        Ok(Self { writer: BufWriter::new(file), partial, path: path.to_owned() })
    }

    fn finish(self) -> anyhow::Result<()> {
        let file = self.writer.into_inner().context("cannot write the answers")?;
        file.sync_all().context("cannot write the answers")?;
        std::fs::rename(&self.partial, &self.path).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests;
