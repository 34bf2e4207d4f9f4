//! Reads lines as records, with checks.

use std::io::{self, BufRead, Read};

use rookery_log::{Epoch, Hash, Position, Record};

use super::{
    FORMAT,
    json::{self, FooterLine, HeaderLine, RecordLine},
};

/// Longest line in bytes: the largest commit as base64, with some room.
pub const LINE_BYTES_MAX: u64 = 32 * 1_024 * 1_024;

/// Why an export cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("line {line}: cannot be read: {error}")]
    Io {
        /// The line.
        line: u64,
        /// The cause.
        error: io::Error,
    },
    /// The first line is not that of an export.
    #[error(
        "line 1: not the start of an export (expected {{\"rookery\":\"log\",\"format\":1,...}})"
    )]
    NotAnExport,
    /// A newer program wrote the file.
    #[error(
        "line 1: this version does not know format {found}, it reads up to {FORMAT}; use a newer version"
    )]
    Format {
        /// The format of the file.
        found: u32,
    },
    /// A line is not a record.
    #[error("line {line}: not a record of an export: {reason}")]
    Malformed {
        /// The line.
        line: u64,
        /// The error in the line.
        reason: String,
    },
    /// A record does not match its hash.
    #[error("line {line}: record {position} was changed: it does not match its hash")]
    Changed {
        /// The line.
        line: u64,
        /// The record.
        position: Position,
    },
    /// A record does not follow the previous one.
    #[error(
        "line {line}: record {position} does not follow the previous record; lines are missing, \
         doubled or out of order"
    )]
    Unchained {
        /// The line.
        line: u64,
        /// The record.
        position: Position,
    },
    /// The last line is missing.
    #[error(
        "line {line}: the export ends here without its last line: it was cut short after {records} records"
    )]
    CutShort {
        /// The number of the missing line.
        line: u64,
        /// The number of records.
        records: u64,
    },
    /// The last line states another number of records.
    #[error(
        "line {line}: the last line does not match the other lines: lines are missing or changed"
    )]
    Incomplete {
        /// The line.
        line: u64,
    },
    /// The file continues after the last line.
    #[error(
        "line {line}: the export has ended, but the file continues; does it contain two exports?"
    )]
    BehindTheEnd {
        /// The line.
        line: u64,
    },
}

/// Reads an export, record by record.
#[derive(Debug)]
pub struct Import<R> {
    input: R,
    epoch: Epoch,
    line: u64,
    records: u64,
    hash: Hash,
    ended: bool,
    text: Vec<u8>,
}

impl<R: BufRead> Import<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// [`ImportError`] if the file is not an export, or one of a newer format.
    pub fn begin(input: R) -> Result<Self, ImportError> {
        let mut import = Self {
            input,
            epoch: Epoch(0),
            line: 0,
            records: 0,
            hash: Hash::ORIGIN,
            ended: false,
            text: Vec::new(),
        };
        import.read_line()?;
        import.epoch = header(&import.text)?;
        Ok(import)
    }

    /// The epoch of the exported log.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of records read.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The number of the last line read, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next record; `None` after a valid last line.
    ///
    /// # Errors
    /// [`ImportError`], which names the line. All earlier records are valid.
    pub fn read(&mut self) -> Result<Option<Record>, ImportError> {
        if self.ended {
            return Ok(None);
        }
        if !self.read_line()? {
            return Err(ImportError::CutShort { line: self.line, records: self.records });
        }
        if let Ok(footer) = serde_json::from_slice::<FooterLine>(&self.text) {
            return self.end(&footer).map(|()| None);
        }
        let record = self.record()?;
        self.records += 1;
        self.hash = record.hash;
        Ok(Some(record))
    }

    fn record(&self) -> Result<Record, ImportError> {
        let line = self.line;
        if self.text.last() != Some(&b'\n') {
            return Err(match serde_json::from_slice::<RecordLine<'_>>(&self.text) {
                Err(error) if !error.is_eof() => malformed(line, &error.to_string()),
                _ => ImportError::CutShort { line, records: self.records },
            });
        }
        let record = serde_json::from_slice::<RecordLine<'_>>(&self.text)
            .map_err(|error| malformed(line, &error.to_string()))?
            .into_record()
            .map_err(|field| malformed(line, &unreadable(field)))?;
        let position = record.position;
        if !record.is_intact() {
            return Err(ImportError::Changed { line, position });
        }
        if position.0 != self.records + 1 || record.previous != self.hash {
            return Err(ImportError::Unchained { line, position });
        }
        Ok(record)
    }

    fn end(&mut self, footer: &FooterLine) -> Result<(), ImportError> {
        let line = self.line;
        let agrees = footer.records == self.records
            && json::hash(&footer.hash) == Some(self.hash)
            && json::epoch(&footer.epoch) == Some(self.epoch);
        if !agrees {
            return Err(ImportError::Incomplete { line });
        }
        if self.read_line()? {
            return Err(ImportError::BehindTheEnd { line: self.line });
        }
        self.ended = true;
        Ok(())
    }

    /// Reads a line; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, ImportError> {
        self.line += 1;
        self.text.clear();
        let line = self.line;
        let taken = (&mut self.input)
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut self.text)
            .map_err(|error| ImportError::Io { line, error })?;
        if taken as u64 > LINE_BYTES_MAX {
            return Err(malformed(line, "longer than any record"));
        }
        Ok(taken > 0)
    }
}

/// A newer format may have a longer first line, so the version is read first.
fn header(text: &[u8]) -> Result<Epoch, ImportError> {
    let fields: serde_json::Value =
        serde_json::from_slice(text).map_err(|_| ImportError::NotAnExport)?;
    let found = fields["format"].as_u64().filter(|_| fields["rookery"] == "log");
    let found =
        found.and_then(|found| u32::try_from(found).ok()).ok_or(ImportError::NotAnExport)?;
    if found != FORMAT {
        return Err(ImportError::Format { found });
    }
    let header: HeaderLine =
        serde_json::from_value(fields).map_err(|error| malformed(1, &error.to_string()))?;
    json::epoch(&header.epoch).ok_or_else(|| malformed(1, "the field `epoch` cannot be read"))
}

fn unreadable(field: &str) -> String {
    match field {
        "checksum" => "a content does not match its checksum: it was changed".to_owned(),
        other => format!("the field `{other}` cannot be read"),
    }
}

fn malformed(line: u64, reason: &str) -> ImportError {
    ImportError::Malformed { line, reason: reason.to_owned() }
}
