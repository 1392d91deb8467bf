//! A writer of log lines that takes the secrets out of each: the last door, behind callers who log none.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::scrub::without_secrets;

/// Makes writers that scrub what they are given, over the writers that `0` makes. A line is written at once, as
/// `tracing_subscriber` does, so no secret is cut in two.
#[derive(Debug, Clone, Copy)]
pub struct Scrubbed<M>(pub M);

/// A writer that scrubs.
#[derive(Debug)]
pub struct ScrubbedWriter<W>(W);

impl<'w, M: MakeWriter<'w>> MakeWriter<'w> for Scrubbed<M> {
    type Writer = ScrubbedWriter<M::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        ScrubbedWriter(self.0.make_writer())
    }
}

impl<W: Write> Write for ScrubbedWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(without_secrets(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::Scrubbed;

    /// Lines in memory.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_secret_in_an_error_does_not_reach_the_log() {
        let lines = Sink::default();
        let sink = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(Scrubbed(move || sink.clone()));
        let url = ["http://default:", "MARKED0secret@127.0.0.1:8123"].concat();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(error = %format!("no answer from {url}"), "clickhouse is away");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("MARKED0") && text.contains("127.0.0.1:8123") && text.ends_with('\n'), "{text}");
    }
}
