//! The bounds of a read.

use std::sync::Arc;

use crate::Record;

/// Most records that one read may ask for.
pub const PAGE_MAX: usize = 4_096;

/// A read ends after the record that brings it to this many bytes ([`Commit::len_bytes`](crate::Commit::len_bytes)).
/// So the records of a read take less than this and one commit together.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Counts the bytes of a page while a log fills it.
#[derive(Debug, Default)]
pub struct PageBytes(usize);

impl PageBytes {
    /// Adds `record` as the last one of the page. Returns whether the page is full.
    pub fn add(&mut self, record: &Record) -> bool {
        self.0 = self.0.saturating_add(record.commit.len_bytes());
        self.0 >= PAGE_BYTES_MAX
    }
}

/// Takes records from `records` until a page is full.
pub fn fill_page(records: impl IntoIterator<Item = Arc<Record>>) -> Vec<Arc<Record>> {
    let (mut page, mut bytes) = (Vec::new(), PageBytes::default());
    for record in records {
        let is_full = bytes.add(&record);
        page.push(record);
        if is_full {
            break;
        }
    }
    page
}

/// Whether `page`, which was read with `limit`, ends at the end of its scope.
#[must_use]
pub fn is_last_page(page: &[Arc<Record>], limit: usize) -> bool {
    let mut bytes = PageBytes::default();
    page.len() < limit && !page.iter().any(|record| bytes.add(record))
}
