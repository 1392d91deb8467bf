//! Sets up `tracing` for the process: logs to standard error as text or JSON lines, spans to OTLP where asked for.
//!
//! Data goes to standard output, so logs never do. What may be logged is up to the caller: never a payload, never a
//! token; what slips in, by an address with a password in an error, is taken out of every line before it is written.

use std::io::IsTerminal;

use thiserror::Error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::otel::{OtelError, Traces};
use super::scrubbed::Scrubbed;

/// What is logged when nobody says otherwise: our own progress, the libraries' warnings.
const USUAL_FILTER: &str = "warn,gatetrail=info";

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("log filter `{filter}` is not valid; write for example `info` or `warn,gatetrail=debug`")]
    Filter {
        /// As it was given.
        filter: String,
        /// What the parser says.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Set up twice.
    #[error("logging is already set up")]
    AlreadySet(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The export of spans.
    #[error("traces cannot be exported")]
    Otel(#[from] OtelError),
}

impl LogError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "log_filter",
            Self::AlreadySet(_) => "log_already_set",
            Self::Otel(otel) => otel.code(),
        }
    }
}

/// What runs behind the logs; to be shut down last.
#[derive(Debug)]
#[must_use = "spans still buffered are lost unless it is shut down"]
pub struct Telemetry {
    traces: Option<Traces>,
}

impl Telemetry {
    /// Sends the last spans; at once when none are exported.
    ///
    /// # Errors
    /// [`OtelError::Shutdown`] when they could not be sent.
    pub async fn shutdown(self) -> Result<(), OtelError> {
        match self.traces {
            Some(traces) => traces.shutdown().await,
            None => Ok(()),
        }
    }
}

/// Sets up logs and traces for the process. `filter` (a flag) wins over `GATETRAIL_LOG`, then `RUST_LOG`; the syntax is
/// that of `tracing_subscriber::EnvFilter`. Call it inside the asynchronous runtime if traces may be exported.
///
/// # Errors
/// See [`LogError`].
pub fn init(format: LogFormat, filter: Option<&str>) -> Result<Telemetry, LogError> {
    let read = |name: &str| std::env::var(name).ok();
    let filter = parse_filter(&filter_text(filter, read))?;
    let traces = Traces::start(read)?;
    let colours = std::io::stderr().is_terminal() && read("NO_COLOR").is_none_or(|text| text.is_empty());
    let subscriber = tracing_subscriber::registry()
        .with(traces.as_ref().map(Traces::layer))
        .with(lines(format, colours, Scrubbed(std::io::stderr)).with_filter(filter));
    // Not by `try_init`, which also takes in what libraries write with the `log` crate: rdkafka asks that crate whether it
    // would be heard each time a client is configured, and a filter of one layer takes such a question for an event and
    // drops the next line of ours in its place.
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(Telemetry { traces })
}

fn filter_text(flag: Option<&str>, read: impl Fn(&str) -> Option<String>) -> String {
    let set = |name| read(name).filter(|text| !text.trim().is_empty());
    let from_environment = || set("GATETRAIL_LOG").or_else(|| set("RUST_LOG"));
    flag.map(str::to_owned).or_else(from_environment).unwrap_or_else(|| USUAL_FILTER.to_owned())
}

fn parse_filter(text: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder().parse(text).map_err(|source| LogError::Filter { filter: text.to_owned(), source })
}

fn lines<S, W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(colours).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{LogFormat, filter_text, lines, parse_filter};

    type Environment = [(&'static str, &'static str)];

    #[test]
    fn the_flag_wins_then_our_variable_then_the_usual_one() {
        let cases: &[(Option<&str>, &Environment, &str)] = &[
            (None, &[], "warn,gatetrail=info"),
            (None, &[("RUST_LOG", "debug")], "debug"),
            (None, &[("RUST_LOG", "debug"), ("GATETRAIL_LOG", "error")], "error"),
            (None, &[("RUST_LOG", "debug"), ("GATETRAIL_LOG", " ")], "debug"),
            (Some("trace"), &[("GATETRAIL_LOG", "error")], "trace"),
        ];
        for (flag, environment, expected) in cases {
            let read =
                |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(filter_text(*flag, read), *expected, "{flag:?} {environment:?}");
        }
    }

    #[test]
    fn a_broken_filter_is_an_error_that_names_it() {
        let error = parse_filter("gatetrail=loud").unwrap_err();
        assert_eq!(error.code(), "log_filter");
        assert!(error.to_string().contains("gatetrail=loud"), "{error}");
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = lines(format, false, move || writer.clone()).with_filter(parse_filter("warn").unwrap());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(partition = 3, "batch refused");
            tracing::info!("left out");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_and_text_has_no_colour_codes() {
        let json = logged(LogFormat::Json);
        assert_eq!(json.lines().count(), 1, "the filter holds: {json}");
        let line: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((line["level"].as_str(), line["partition"].as_i64()), (Some("WARN"), Some(3)), "{line}");
        assert_eq!(line["message"], "batch refused");

        let text = logged(LogFormat::Text);
        assert!(text.contains("WARN") && text.contains("partition=3") && !text.contains('\u{1b}'), "{text}");
    }
}
