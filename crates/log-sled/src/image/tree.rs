//! The trees of the engine, read from its files.

use std::{cell::RefCell, collections::HashMap, fs::File, rc::Rc};

use bytes::Bytes;

use super::{
    message::{Kind, Message, SEGMENT, SEGMENT_BYTES, Unread, load},
    node::{Data, Node, roots},
    pages::{Flaw, Page, Pages, PartPlace},
    replay::Replay,
};

/// The page that lists the root of each tree.
const ROOTS: u64 = 0;
/// How many nodes are visited at most for a key.
const HOPS_MAX: usize = 256;
/// Most parts of pages are shorter.
const PART_BYTES: usize = 16 * 1024;
/// How many nodes are kept.
const NODES_MAX: usize = 512;

/// The trees as the engine would have them.
pub(crate) struct Image<'a> {
    file: &'a File,
    pages: &'a Pages,
    roots: Vec<(Vec<u8>, u64)>,
    nodes: RefCell<HashMap<u64, Rc<Node>>>,
}

impl<'a> Image<'a> {
    pub(crate) fn of(file: &'a File, replay: &'a Replay) -> Result<Self, Flaw> {
        let mut image =
            Self { file, pages: &replay.pages, roots: Vec::new(), nodes: RefCell::default() };
        if let Some(Page::Present { base, .. }) = image.pages.get(ROOTS) {
            let found = image.read(ROOTS, *base, |message| roots(message.body))?;
            image.roots = found;
        }
        Ok(image)
    }

    /// The value of `key` in the tree `tree`.
    pub(crate) fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Bytes>, Flaw> {
        let Some(leaf) = self.leaf(tree, key)? else { return Ok(None) };
        let Data::Leaf(entries) = &leaf.data else { return Err(lost(key)) };
        let found = entries.binary_search_by(|(known, _)| known.as_slice().cmp(key));
        Ok(found.ok().map(|at| entries[at].1.clone()))
    }

    /// The last key of the tree `tree`.
    pub(crate) fn last(&self, tree: &str) -> Result<Option<Vec<u8>>, Flaw> {
        let mut below: Option<Vec<u8>> = None;
        for _ in 0..HOPS_MAX {
            let leaf = match &below {
                None => self.last_leaf(tree, None)?,
                Some(bound) => self.last_leaf(tree, Some(bound))?,
            };
            let Some(leaf) = leaf else { return Ok(None) };
            let Data::Leaf(entries) = &leaf.data else { return Err(lost(&leaf.lo)) };
            if let Some((key, _)) = entries.last() {
                return Ok(Some(key.clone()));
            }
            if leaf.lo.is_empty() {
                return Ok(None);
            }
            below = Some(leaf.lo.clone());
        }
        Err(Flaw::Damaged("its last leaves are empty".to_owned()))
    }

    fn root(&self, tree: &str) -> Option<u64> {
        self.roots.iter().find(|(name, _)| name == tree.as_bytes()).map(|(_, page)| *page)
    }

    /// The leaf that `key` belongs to.
    fn leaf(&self, tree: &str, key: &[u8]) -> Result<Option<Rc<Node>>, Flaw> {
        self.descend(
            tree,
            |node| node.hi.is_empty() || key < node.hi.as_slice(),
            |child| child <= key,
        )
    }

    /// The last leaf, or the last one with keys below `bound`.
    fn last_leaf(&self, tree: &str, bound: Option<&[u8]>) -> Result<Option<Rc<Node>>, Flaw> {
        self.descend(
            tree,
            |node| node.hi.is_empty() || bound.is_some_and(|bound| node.hi.as_slice() >= bound),
            |child| bound.is_none_or(|bound| child < bound),
        )
    }

    /// Descends to a leaf: past nodes that do not `reach` far enough, to the last child that
    /// `fits`.
    fn descend(
        &self,
        tree: &str,
        reaches: impl Fn(&Node) -> bool,
        fits: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Rc<Node>>, Flaw> {
        let Some(mut page) = self.root(tree) else { return Ok(None) };
        for _ in 0..HOPS_MAX {
            let node = self.node(page)?;
            if !reaches(&node) {
                page = node.next.ok_or_else(|| lost(&node.hi))?;
                continue;
            }
            let Data::Index(children) = &node.data else { return Ok(Some(node)) };
            let child = children.iter().rev().find(|(key, _)| fits(key));
            page = child.map(|(_, page)| *page).ok_or_else(|| lost(&node.lo))?;
        }
        Err(Flaw::Damaged(format!("the tree `{tree}` is deeper than a tree can be")))
    }

    fn node(&self, page: u64) -> Result<Rc<Node>, Flaw> {
        if let Some(node) = self.nodes.borrow().get(&page) {
            return Ok(Rc::clone(node));
        }
        let node = Rc::new(self.load_node(page)?);
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() >= NODES_MAX {
            nodes.clear();
        }
        nodes.insert(page, Rc::clone(&node));
        Ok(node)
    }

    fn load_node(&self, page: u64) -> Result<Node, Flaw> {
        let Some(Page::Present { base, added }) = self.pages.get(page) else {
            return Err(Flaw::Damaged(format!("page {page} is missing")));
        };
        let mut node = self.read(page, *base, |message| Node::read(message.body))?;
        for place in added {
            self.read(page, *place, |message| node.apply(message.body))?;
        }
        Ok(node)
    }

    /// Reads the part of `page` at `place`.
    fn read<T>(
        &self,
        page: u64,
        place: PartPlace,
        decode: impl FnOnce(&Message<'_>) -> Option<T>,
    ) -> Result<T, Flaw> {
        let byte = place.offset;
        let damaged =
            || Flaw::Damaged(format!("byte {byte} (page {page}) is not what was written"));
        if place.blob {
            return Err(Flaw::Damaged(format!("page {page} is in a file of its own")));
        }
        let number = u64::try_from(place.lsn / SEGMENT).map_err(|_| damaged())?;
        let room = SEGMENT_BYTES - usize::try_from(byte % SEGMENT_BYTES as u64).unwrap_or(0);
        let mut bytes = load(self.file, byte, room.min(PART_BYTES))?;
        if Message::first(&bytes, room, &(number..=number)).is_err_and(|it| it == Unread::Short) {
            bytes = load(self.file, byte, room)?;
        }
        let message = Message::first(&bytes, room, &(number..=number)).map_err(|_| damaged())?;
        if message.page != page || !matches!(message.kind, Kind::Replace | Kind::Link) {
            return Err(damaged());
        }
        decode(&message).ok_or_else(damaged)
    }
}

fn lost(key: &[u8]) -> Flaw {
    Flaw::Damaged(format!("its tree has no place for the key {key:02x?}"))
}
