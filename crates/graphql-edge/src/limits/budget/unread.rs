//! Finished answers that their clients have not read yet.
//!
//! A client may read as slowly as it likes while there is room. When there is none, the caller with
//! the most unread bytes makes room, as among connections: the connection of that caller's oldest
//! answer is closed.
//!
//! **Invariant:** together they take at most `bytes_max`, and one answer more.
//! **Invariant:** no answer waits here for another one: unread answers have to go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::limits::callers::CallerKey;
use crate::limits::untaken::Taker;

/// Shorter answers are not counted: there are as many as connections, and their queues bound them.
const UNCOUNTED_BYTES: usize = 16 * 1024;

/// How long an answer may wait for its client when a quarter of the room is taken.
const GRACE: Duration = Duration::from_secs(2);

/// The same when half of the room is taken. By then a reading client has taken its answer, even
/// from a busy server.
const GRACE_SHORT: Duration = Duration::from_millis(250);

/// All unread answers.
#[derive(Debug)]
pub(super) struct Unread {
    bytes_max: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    serial: u64,
    bytes: usize,
    callers: HashMap<CallerKey, Holder>,
    /// Callers by the number of their bytes.
    by_bytes: BTreeSet<(usize, CallerKey)>,
}

#[derive(Debug, Default)]
struct Holder {
    bytes: usize,
    /// In the order in which they were made.
    answers: BTreeMap<u64, Answer>,
}

#[derive(Debug)]
struct Answer {
    bytes: usize,
    /// Since when it waits for its client.
    since: Instant,
    taker: Taker,
}

/// The place of an answer, until this is dropped.
#[derive(Debug)]
pub(super) struct UnreadPlace {
    all: Arc<Unread>,
    key: CallerKey,
    serial: u64,
    bytes: usize,
}

impl Unread {
    pub(super) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, table: Mutex::default() })
    }

    /// A place for an answer that `taker` takes; `None` for a short one.
    pub(super) fn place(
        self: &Arc<Self>,
        key: CallerKey,
        bytes: usize,
        taker: Taker,
    ) -> Option<UnreadPlace> {
        if bytes <= UNCOUNTED_BYTES {
            return None;
        }
        let mut table = self.table.lock();
        table.serial += 1;
        let (serial, since) = (table.serial, Instant::now());
        table.insert(key, serial, Answer { bytes, since, taker });
        self.make_room(&mut table);
        Some(UnreadPlace { all: Arc::clone(self), key, serial, bytes })
    }

    /// Closes connections of the caller with the most until there is room.
    fn make_room(&self, table: &mut Table) {
        while table.bytes > self.bytes_max / 4 {
            let Some((_, key)) = table.by_bytes.last().copied() else { return };
            let oldest = table.callers.get(&key).and_then(|it| it.answers.first_key_value());
            let Some((&serial, oldest)) = oldest else { return };
            let grace = match table.bytes {
                bytes if bytes > self.bytes_max => Duration::ZERO,
                bytes if bytes > self.bytes_max / 2 => GRACE_SHORT,
                _ => GRACE,
            };
            if oldest.since.elapsed() < grace {
                return;
            }
            let all = table.bytes;
            if let Some(Answer { bytes, taker, .. }) = table.remove(key, serial) {
                tracing::debug!(bytes, all, "a connection whose client does not read is closed");
                taker.give_way();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.table.lock().bytes
    }
}

impl Table {
    fn insert(&mut self, key: CallerKey, serial: u64, answer: Answer) {
        let bytes = answer.bytes;
        self.callers.entry(key).or_default().answers.insert(serial, answer);
        self.count(key, 0, bytes);
    }

    fn resize(&mut self, key: CallerKey, serial: u64, bytes: usize) {
        let holder = self.callers.get_mut(&key);
        let Some(answer) = holder.and_then(|it| it.answers.get_mut(&serial)) else { return };
        let before = std::mem::replace(&mut answer.bytes, bytes);
        // Until now the server delayed it by writing.
        answer.since = Instant::now();
        self.count(key, before, bytes);
    }

    /// Removes an answer, unless it was removed to make room before.
    fn remove(&mut self, key: CallerKey, serial: u64) -> Option<Answer> {
        let answer = self.callers.get_mut(&key)?.answers.remove(&serial)?;
        self.count(key, answer.bytes, 0);
        Some(answer)
    }

    /// Replaces `before` by `after` in a caller's bytes.
    fn count(&mut self, key: CallerKey, before: usize, after: usize) {
        let Some(holder) = self.callers.get_mut(&key) else { return };
        self.by_bytes.remove(&(holder.bytes, key));
        holder.bytes = holder.bytes + after - before;
        self.bytes = self.bytes + after - before;
        if holder.answers.is_empty() {
            self.callers.remove(&key);
        } else {
            self.by_bytes.insert((holder.bytes, key));
        }
    }
}

impl UnreadPlace {
    /// The present size of the answer.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sets the present size of the answer.
    pub(super) fn resize(&mut self, bytes: usize) {
        self.bytes = bytes;
        let mut table = self.all.table.lock();
        table.resize(self.key, self.serial, bytes);
        self.all.make_room(&mut table);
    }
}

impl Drop for UnreadPlace {
    fn drop(&mut self) {
        self.all.table.lock().remove(self.key, self.serial);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::connection::connections::{ConnectionLimits, ConnectionPlace, Connections};

    const ANSWER_BYTES: usize = 100_000;

    struct Fixture {
        unread: Arc<Unread>,
        connections: Arc<Connections>,
    }

    impl Fixture {
        /// With room for `answers_max`.
        fn new(answers_max: usize) -> Self {
            let limits = ConnectionLimits {
                connections_max: 100,
                strangers_max: 100,
                stranger_lifetime: Duration::from_mins(1),
            };
            let unread = Unread::new(answers_max * ANSWER_BYTES);
            Self { unread, connections: Connections::new(limits) }
        }

        async fn connection(&self) -> ConnectionPlace {
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            self.connections.place(address, false).await.expect("there is room for it")
        }

        fn answer(&self, user: u64, connection: &ConnectionPlace) -> UnreadPlace {
            let taker = Taker::default();
            taker.is(Some(&connection.0));
            let key = CallerKey { hash: user, is_user: true, is_program: false };
            self.unread.place(key, ANSWER_BYTES, taker).expect("it is long")
        }
    }

    fn is_closed(connection: &ConnectionPlace) -> bool {
        connection.0.evicted().now_or_never().is_some()
    }

    #[tokio::test]
    async fn whoever_has_the_most_unread_makes_room_the_oldest_first() {
        let fixture = Fixture::new(8);
        let (first, second, other) =
            (fixture.connection().await, fixture.connection().await, fixture.connection().await);
        let mut held: Vec<_> = (0..3).map(|_| fixture.answer(1, &first)).collect();
        held.extend((0..3).map(|_| fixture.answer(1, &second)));
        held.extend((0..2).map(|_| fixture.answer(2, &other)));
        assert!(!is_closed(&first), "there is room for all, and none is old");
        held.push(fixture.answer(3, &other));
        assert!(is_closed(&first) && !is_closed(&second) && !is_closed(&other));
        assert_eq!(fixture.unread.bytes(), 8 * ANSWER_BYTES);
        drop(held);
        assert_eq!(fixture.unread.bytes(), 0, "what made room is not given back twice");
    }

    #[tokio::test]
    async fn an_answer_that_grows_makes_room_as_well() {
        let fixture = Fixture::new(2);
        let (slow, quick) = (fixture.connection().await, fixture.connection().await);
        let _unread = fixture.answer(1, &slow);
        let mut growing = fixture.answer(2, &quick);
        growing.resize(ANSWER_BYTES / 2);
        assert!(!is_closed(&slow));
        growing.resize(3 * ANSWER_BYTES / 2);
        assert!(is_closed(&quick), "it has the most");
        assert!(!is_closed(&slow));
    }
}
