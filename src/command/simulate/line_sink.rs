//! Records as lines: events (and malformed records) to a file or standard output, registry facts to a file of their own.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use crate::simulate::{Record, RecordKind};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes lines.
pub struct LineSink {
    events: Box<dyn Write>,
    registry: Option<BufWriter<File>>,
}

impl LineSink {
    /// Opens the files; `-` is standard output. Without a file for them, registry facts are left out.
    ///
    /// # Errors
    /// A file cannot be created.
    pub fn create(output: &Path, registry: Option<&Path>) -> anyhow::Result<Self> {
        let events: Box<dyn Write> = if output == Path::new("-") {
            Box::new(BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock()))
        } else {
            Box::new(create_file(output)?)
        };
        Ok(Self { events, registry: registry.map(create_file).transpose()? })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let writer: &mut dyn Write = match (record.kind, &mut self.registry) {
            (RecordKind::Event | RecordKind::Poison, _) => &mut self.events,
            (RecordKind::Registry, Some(registry)) => registry,
            (RecordKind::Registry, None) => return Ok(()),
        };
        writer.write_all(&record.value).context("cannot write a record")?;
        writer.write_all(b"\n").context("cannot write a record")
    }

    /// Writes what is still gathered.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.events.flush().context("cannot write the events")?;
        if let Some(mut registry) = self.registry {
            registry.flush().context("cannot write the registry")?;
        }
        Ok(())
    }
}

fn create_file(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
}
