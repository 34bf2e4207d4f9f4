//! The pages of trees.

use bytes::Bytes;

use super::cursor::Cursor;

/// A node of a tree, with whole keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) lo: Vec<u8>,
    /// Empty for the last node of its level.
    pub(super) hi: Vec<u8>,
    prefix: usize,
    /// The page of the next node.
    pub(super) next: Option<u64>,
    merging: Option<u64>,
    pub(super) data: Data,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Leaf(Vec<(Vec<u8>, Bytes)>),
    Index(Vec<(Vec<u8>, u64)>),
}

impl Default for Data {
    fn default() -> Self {
        Self::Leaf(Vec::new())
    }
}

impl Node {
    /// Reads a node from the body of a message that replaces a page.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(body);
        let next = Some(cursor.number()?).filter(|page| *page != 0);
        let merging = Some(cursor.number()?).filter(|page| *page != 0);
        cursor.byte()?;
        let prefix = usize::from(cursor.byte()?);
        let (lo, hi) = (cursor.string()?.to_vec(), cursor.string()?.to_vec());
        let shared = lo.get(..prefix)?.to_vec();
        let is_leaf = match cursor.byte()? {
            0 => true,
            1 => false,
            _ => return None,
        };
        let count = cursor.number()?;
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push([&shared, cursor.string()?].concat());
        }
        let keys = keys.into_iter();
        let data = if is_leaf {
            let values = keys.map(|key| Some((key, Bytes::copy_from_slice(cursor.string()?))));
            Data::Leaf(values.collect::<Option<_>>()?)
        } else {
            Data::Index(keys.map(|key| Some((key, cursor.number()?))).collect::<Option<_>>()?)
        };
        Some(Self { lo, hi, prefix, next, merging, data })
    }

    /// Applies the body of a message that adds to the page.
    pub(super) fn apply(&mut self, body: &[u8]) -> Option<()> {
        match (Link::read(body)?, &mut self.data) {
            (Link::Set(key, value), Data::Leaf(entries)) => {
                let key = [self.lo.get(..self.prefix)?, key].concat();
                let value = Bytes::copy_from_slice(value);
                match entries.binary_search_by(|(known, _)| known.cmp(&key)) {
                    Ok(at) => entries[at].1 = value,
                    Err(at) => entries.insert(at, (key, value)),
                }
            }
            (Link::Remove(key), Data::Leaf(entries)) => {
                let key = [self.lo.get(..self.prefix)?, key].concat();
                entries.retain(|(known, _)| *known != key);
            }
            (Link::BeginMerge(page), Data::Index(_)) => self.merging = Some(page),
            (Link::EndMerge, Data::Index(children)) => {
                let merged = self.merging.take()?;
                children.retain(|(_, page)| *page != merged);
            }
            // The node was or will be merged into the previous one; its own data still counts.
            (Link::Merged, _) => {}
            _ => return None,
        }
        Some(())
    }
}

/// An addition to a page.
pub(super) enum Link<'a> {
    Set(&'a [u8], &'a [u8]),
    Remove(&'a [u8]),
    BeginMerge(u64),
    EndMerge,
    Merged,
}

impl<'a> Link<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(body);
        Some(match cursor.byte()? {
            0 => Self::Set(cursor.string()?, cursor.string()?),
            1 => Self::Remove(cursor.string()?),
            2 => Self::BeginMerge(cursor.number()?),
            3 => Self::EndMerge,
            4 => Self::Merged,
            _ => return None,
        })
    }
}

/// The name and root page of each tree, from the page that lists them.
pub(super) fn roots(body: &[u8]) -> Option<Vec<(Vec<u8>, u64)>> {
    let mut cursor = Cursor(body);
    let mut roots = Vec::new();
    while !cursor.0.is_empty() {
        roots.push((cursor.string()?.to_vec(), cursor.number()?));
    }
    Some(roots)
}
