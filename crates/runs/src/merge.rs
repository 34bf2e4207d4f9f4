//! Merges sorted sources into one.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// The next entry of a source. Entries with one key come in the order of their sources.
struct Next<const N: usize> {
    entry: [u8; N],
    source: usize,
    key: usize,
}

impl<const N: usize> Next<N> {
    fn rank(&self) -> (&[u8], usize) {
        (&self.entry[..self.key], self.source)
    }
}

impl<const N: usize> Ord for Next<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<const N: usize> PartialOrd for Next<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> PartialEq for Next<N> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<const N: usize> Eq for Next<N> {}

/// The entries of sorted `sources` in order. Of entries that begin with the same `key` bytes, only that of the first
/// source is there. Ends after an error.
pub fn merge<const N: usize, E, S: Iterator<Item = Result<[u8; N], E>>>(
    sources: Vec<S>,
    key: usize,
) -> impl Iterator<Item = Result<[u8; N], E>> {
    let mut sources: Vec<_> = sources.into_iter().map(Some).collect();
    let mut heap = BinaryHeap::with_capacity(sources.len());
    let mut due: Vec<_> = (0..sources.len()).collect();
    let mut last: Option<[u8; N]> = None;
    std::iter::from_fn(move || {
        loop {
            for source in std::mem::take(&mut due) {
                match sources[source].as_mut().and_then(Iterator::next) {
                    Some(Ok(entry)) => heap.push(Reverse(Next { entry, source, key })),
                    Some(Err(error)) => {
                        sources.fill_with(|| None);
                        heap.clear();
                        return Some(Err(error));
                    }
                    None => sources[source] = None,
                }
            }
            let Reverse(Next { entry, source, .. }) = heap.pop()?;
            due.push(source);
            if last.is_none_or(|last| last[..key] != entry[..key]) {
                last = Some(entry);
                return Some(Ok(entry));
            }
        }
    })
}
