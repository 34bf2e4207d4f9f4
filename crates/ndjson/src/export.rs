//! Records as lines.

use std::io::{self, Write};

use rookery_log::{Epoch, Hash, Record};
use serde::Serialize;

use super::{
    FORMAT,
    json::{FooterLine, HeaderLine, RecordLine},
};

/// Writes the records of a whole log, in order. Without [`Self::finish`] a reader recognises the
/// output as cut short.
#[derive(Debug)]
pub struct Export<W> {
    output: W,
    epoch: Epoch,
    records: u64,
    hash: Hash,
}

impl<W: Write> Export<W> {
    /// Begins an export of the log with this epoch. `output` should be buffered.
    ///
    /// # Errors
    /// The error of a write.
    pub fn begin(mut output: W, epoch: Epoch) -> io::Result<Self> {
        let header =
            HeaderLine { rookery: "log".to_owned(), format: FORMAT, epoch: epoch.to_string() };
        write_line(&mut output, &header)?;
        Ok(Self { output, epoch, records: 0, hash: Hash::ORIGIN })
    }

    /// Writes the next record.
    ///
    /// # Errors
    /// The error of a write.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        write_line(&mut self.output, &RecordLine::new(record))?;
        self.records += 1;
        self.hash = record.hash;
        Ok(())
    }

    /// Writes the last line, flushes, and returns the output.
    ///
    /// # Errors
    /// The error of a write.
    pub fn finish(mut self) -> io::Result<W> {
        let footer = FooterLine {
            records: self.records,
            hash: self.hash.to_string(),
            epoch: self.epoch.to_string(),
        };
        write_line(&mut self.output, &footer)?;
        self.output.flush()?;
        Ok(self.output)
    }
}

impl Export<Vec<u8>> {
    /// Takes the bytes written so far, for outputs that are sent piece by piece.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }
}

fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
