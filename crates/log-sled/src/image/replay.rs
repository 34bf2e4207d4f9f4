//! The result of the engine's recovery: the pages that it would have, and the data that it would
//! drop.
//!
//! This follows `pagecache/snapshot.rs`, `pagecache/iterator.rs` and `pagecache/segment.rs` of sled
//! 0.34.7 step by step, up to the point where those begin to write.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
};

use super::{
    message::{Message, SEGMENT, SEGMENT_BYTES, SEGMENT_HEADER, SegmentHeader, load_segment},
    pages::{Flaw, Pages},
    residue::Residue,
    snapshot::Snapshot,
    walk::{Tear, Walked, walk},
};

/// No message begins in the last bytes of a segment.
const RED_ZONE: i64 = 32;

/// The state of the engine after it would open its files.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(super) pages: Pages,
    /// The next place in the sequence.
    next: i64,
    /// The place in the file of the segment that is not full.
    active: Option<u64>,
    /// The first segment in the sequence that the snapshot does not cover.
    from: i64,
    /// How many segments the file has; the last one may be partial.
    segments: u64,
    tears: Vec<Tear>,
    /// Segments with an invalid header.
    headless: Vec<u64>,
    /// Parts of the file that the engine would overwrite with zeros although they may hold
    /// messages.
    dropped: Vec<Residue>,
}

/// Whether the engine would drop data that counts, as far as messages show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It drops nothing.
    Nothing,
    /// It drops bytes that other writes seem to have replaced. Only a check of all records is
    /// certain.
    PerhapsNothing,
}

impl Replay {
    /// Replays the messages that `snapshot` does not cover.
    pub(crate) fn of(file: &File, snapshot: Snapshot) -> Result<Self, Flaw> {
        let length = file.metadata()?.len();
        let rest = length % SEGMENT_BYTES as u64;
        let headers = length / SEGMENT_BYTES as u64 + u64::from(rest >= SEGMENT_HEADER as u64);
        let stable = snapshot.stable.unwrap_or(0);
        let from = stable / SEGMENT * SEGMENT;
        let mut order = BTreeMap::new();
        let mut headless = Vec::new();
        let mut known_stable = from;
        for offset in (0..headers).map(|number| number * SEGMENT_BYTES as u64) {
            match SegmentHeader::load(file, offset)? {
                Some(header) if header.lsn >= from => {
                    known_stable = known_stable.max(header.stable);
                    if let Some(other) = order.insert(header.lsn, offset) {
                        let text =
                            format!("its segments at bytes {other} and {offset} are the same");
                        return Err(Flaw::Damaged(text));
                    }
                }
                Some(_) => {}
                None => headless.push(offset),
            }
        }
        let end = end_of_tail(file, &order, known_stable)?;
        let mut pages = snapshot.pages;
        let walked = walk(file, order, Some(end), true, |message, place| {
            if place.lsn < snapshot.stable.unwrap_or(-1) {
                return Ok(());
            }
            if place.lsn >= end {
                return Err(Flaw::Damaged(format!("byte {} is beyond its end", place.offset)));
            }
            pages.apply(message, place)
        })?;
        if let Some(short) = walked.short {
            return Err(Flaw::Damaged(format!(
                "the file ends in a message at byte {}",
                short.byte()
            )));
        }
        let segments = length.div_ceil(SEGMENT_BYTES as u64);
        let mut replay = Self {
            pages,
            next: stable,
            active: snapshot.active,
            from,
            segments,
            tears: Vec::new(),
            headless,
            dropped: Vec::new(),
        };
        replay.settle(walked, stable)?;
        replay.check_places()?;
        Ok(replay)
    }

    /// Sets the place to continue at to the end of the walk, and records the data behind it.
    fn settle(&mut self, walked: Walked, stable: i64) -> Result<(), Flaw> {
        let whole = |offset: &u64| Residue { offset: *offset, at: 0 };
        self.dropped.extend(walked.left.values().map(whole));
        self.tears = walked.tears;
        let Some(next) = walked.next else { return Ok(()) };
        let progress = next % SEGMENT;
        if progress + RED_ZONE >= SEGMENT {
            (self.next, self.active) = (next - progress + SEGMENT, None);
        } else {
            (self.next, self.active) = (next, walked.segment);
            let at = usize::try_from(progress).unwrap_or(0);
            self.dropped.extend(walked.segment.map(|offset| Residue { offset, at }));
        }
        if self.next < stable {
            return Err(Flaw::Damaged(format!(
                "it ends at place {} of its sequence, and had reached {stable}",
                self.next
            )));
        }
        Ok(())
    }

    /// Checks the places of all pages: if one is impossible, the engine fails, but only after it
    /// has written.
    fn check_places(&self) -> Result<(), Flaw> {
        let mut lsn_of = HashMap::new();
        let mut segments = self.segments;
        if let Some(active) = self.active {
            let segment = active / SEGMENT_BYTES as u64;
            segments += u64::from(segment == segments);
            if segment >= segments {
                return Err(Flaw::Damaged(format!("it ends before byte {active}")));
            }
            lsn_of.insert(segment, self.next / SEGMENT * SEGMENT);
        }
        for (number, place) in self.pages.parts() {
            let Some(place) = place else {
                return Err(Flaw::Damaged(format!("page {number} is missing")));
            };
            let segment = place.offset / SEGMENT_BYTES as u64;
            if segment >= segments {
                let byte = place.offset;
                return Err(Flaw::Damaged(format!(
                    "it ends before byte {byte}, where page {number} is"
                )));
            }
            let lsn = place.lsn / SEGMENT * SEGMENT;
            if *lsn_of.entry(segment).or_insert(lsn) != lsn {
                return Err(Flaw::Damaged(format!(
                    "page {number} is not at byte {}",
                    place.offset
                )));
            }
        }
        Ok(())
    }

    /// Checks the data before the end that the engine would drop.
    ///
    /// # Errors
    /// [`Flaw::Damaged`] if some of it counts, or if that cannot be ruled out.
    pub(crate) fn loss(&mut self, file: &File) -> Result<Loss, Flaw> {
        let mut loss = Loss::Nothing;
        for tear in std::mem::take(&mut self.tears) {
            self.look_at_tear(file, tear)?;
            loss = Loss::PerhapsNothing;
        }
        for offset in std::mem::take(&mut self.headless) {
            if self.look_at_headless(file, offset)? {
                loss = Loss::PerhapsNothing;
            }
        }
        Ok(loss)
    }

    /// The possible numbers of segments.
    fn numbers(&self) -> std::ops::RangeInclusive<u64> {
        0..=u64::try_from(self.next / SEGMENT).unwrap_or(0) + 4
    }

    /// A tear in the middle is harmless in two cases: a newer segment was about to replace this
    /// one, or later writes have replaced all that it hides.
    fn look_at_tear(&self, file: &File, tear: Tear) -> Result<(), Flaw> {
        let segment = load_segment(file, tear.offset)?;
        let number = u64::try_from(tear.lsn / SEGMENT).unwrap_or(0);
        let newer = number + 1..=*self.numbers().end();
        if Message::read(&segment, tear.at, &newer).is_ok()
            || Message::after(&segment, tear.at, &newer).is_some()
        {
            return Ok(());
        }
        let damaged = || Flaw::Damaged(format!("byte {} is not what was written", tear.byte()));
        let lsn_of = |at: usize| tear.lsn + i64::try_from(at).unwrap_or(SEGMENT);
        let page = Message::page_of_torn(&segment, tear.at, number).ok_or_else(damaged)?;
        if !self.pages.is_superseded(page, lsn_of(tear.at)) {
            return Err(damaged());
        }
        self.replaced_since(&segment, tear.at, tear.lsn).then_some(()).ok_or_else(damaged)
    }

    /// Whether later writes have replaced all messages behind `at` in the segment at `lsn`.
    fn replaced_since(&self, segment: &[u8], at: usize, lsn: i64) -> bool {
        let number = u64::try_from(lsn / SEGMENT).unwrap_or(0);
        let Some((mut at, mut message)) = Message::after(segment, at, &(number..=number)) else {
            return false;
        };
        loop {
            let place = lsn + i64::try_from(at).unwrap_or(SEGMENT);
            if message.kind == super::message::Kind::Cap {
                return true;
            }
            if !self.pages.is_superseded(message.page, place)
                && !self.pages.has(message.page, place)
            {
                return false;
            }
            at += message.bytes;
            if !super::message::has_room(at) {
                return true;
            }
            match Message::read(segment, at, &(number..=number)) {
                Ok(next) => message = next,
                Err(_) => return false,
            }
        }
    }

    /// Checks a segment without a header. Returns whether it may have held messages that count.
    fn look_at_headless(&mut self, file: &File, offset: u64) -> Result<bool, Flaw> {
        let segment = load_segment(file, offset)?;
        if segment.iter().all(|byte| *byte == 0) {
            return Ok(false);
        }
        let numbers = self.numbers();
        let first = Message::after(&segment, SEGMENT_HEADER - 1, &numbers);
        let Some((at, message)) = first else { return Ok(true) };
        let lsn = i64::try_from(message.segment).unwrap_or(0).saturating_mul(SEGMENT);
        if lsn < self.from {
            // The engine does not read this header any more.
            return Ok(false);
        }
        if lsn / SEGMENT >= self.next / SEGMENT {
            self.dropped.push(Residue { offset, at: 0 });
            return Ok(false);
        }
        if self.replaced_since(&segment, at - 1, lsn) {
            return Ok(true);
        }
        Err(Flaw::Damaged(format!(
            "byte {offset}, where a segment begins, is not what was written"
        )))
    }

    /// Whether messages behind the end were written or begun, and are dropped. Data of an earlier
    /// use of the segment does not count.
    pub(crate) fn is_torn(&self, file: &File) -> Result<bool, Flaw> {
        let number = u64::try_from(self.next / SEGMENT).unwrap_or(0);
        for Residue { offset, at } in &self.dropped {
            if *at == 0 {
                return Ok(true);
            }
            let segment = load_segment(file, *offset)?;
            if Message::page_of_torn(&segment, *at, number).is_some()
                || Message::after(&segment, *at, &(number..=number)).is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The data that the engine would drop at the end.
    pub(crate) fn dropped(&self) -> &[Residue] {
        &self.dropped
    }
}

/// The end of the last message in the sequence without a gap. Anything behind it was never complete
/// on disk.
fn end_of_tail(file: &File, order: &BTreeMap<i64, u64>, stable: i64) -> Result<i64, Flaw> {
    let lowest = (stable / SEGMENT * SEGMENT).max(0);
    let mut expected = lowest;
    let mut gap = None;
    let mut tail = BTreeMap::new();
    for (lsn, offset) in order.range(lowest..) {
        if *lsn != expected {
            gap = Some(expected);
            break;
        }
        tail.insert(*lsn, *offset);
        expected += SEGMENT;
    }
    let walked = walk(file, tail, gap, false, |_, _| Ok(()))?;
    Ok(walked.next.unwrap_or(0) - 1)
}
