//! The counted messages of a room: 14 bytes each in memory, about 9 in a snapshot.

use rookery_domain::UserId;
use rookery_runs::Numbers;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The place of an event in the log: the position of its commit, and its index.
pub(super) type EventPlace = (u64, u16);

/// A short hash of a user ID. Two users with the same hash count as one for users who ignore one of
/// them.
pub(super) type SenderHash = u32;

/// The hash of a user.
pub(super) fn sender_hash(user: &UserId) -> SenderHash {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&blake3::hash(user.as_bytes()).as_bytes()[..4]);
    SenderHash::from_le_bytes(bytes)
}

/// The counted messages, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CountedMessages {
    sequences: Numbers,
    positions: Numbers,
    indexes: Vec<u16>,
    senders: Vec<SenderHash>,
}

impl CountedMessages {
    /// Adds a message after all others.
    pub(super) fn push(
        &mut self,
        sequence: u64,
        (position, index): EventPlace,
        sender: SenderHash,
    ) {
        if self.indexes.len() == self.indexes.capacity() {
            let more = self.indexes.len() / 8 + 8;
            self.indexes.reserve_exact(more);
            self.senders.reserve_exact(more);
        }
        self.sequences.push(sequence);
        self.positions.push(position);
        self.indexes.push(index);
        self.senders.push(sender);
    }

    /// How many came after this sequence.
    pub(super) fn after(&self, sequence: u64) -> usize {
        self.sequences.len() - self.sequences.up_to(sequence)
    }

    /// How many of these senders, which are in order, came after this sequence. The cost grows with
    /// the messages after it, and hardly with the senders.
    pub(super) fn after_of(&self, sequence: u64, senders: &[SenderHash]) -> usize {
        let after = &self.senders[self.sequences.up_to(sequence)..];
        after.iter().filter(|sender| senders.binary_search(sender).is_ok()).count()
    }

    /// Whether the message with this sequence is of one of these senders, which are in order.
    pub(super) fn is_of(&self, sequence: u64, senders: &[SenderHash]) -> bool {
        let place = self.sequences.below(sequence);
        self.sequences.get(place) == Some(sequence)
            && self.senders.get(place).is_some_and(|sender| senders.binary_search(sender).is_ok())
    }

    /// Whether the message with this sequence counts.
    pub(super) fn has(&self, sequence: u64) -> bool {
        self.sequences.contains(sequence)
    }

    /// Removes the message at this place in the log, and returns its sequence.
    pub(super) fn remove(&mut self, (position, index): EventPlace) -> Option<u64> {
        let mut of_commit = self.positions.below(position)..self.positions.up_to(position);
        let place = of_commit.find(|at| self.indexes[*at] == index)?;
        self.positions.remove(place);
        self.indexes.remove(place);
        self.senders.remove(place);
        Some(self.sequences.remove(place))
    }

    fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.indexes.len() * 9);
        let mut last = (0, 0);
        let rows = self.sequences.iter().zip(self.positions.iter()).zip(&self.indexes);
        for (((sequence, position), index), sender) in rows.zip(&self.senders) {
            varint(&mut bytes, sequence - last.0);
            varint(&mut bytes, position - last.1);
            varint(&mut bytes, u64::from(*index));
            varint(&mut bytes, u64::from(*sender));
            last = (sequence, position);
        }
        bytes
    }

    fn unpack(mut bytes: &[u8]) -> Option<Self> {
        let mut said = Self::default();
        let mut last = (0u64, 0u64);
        let input = &mut bytes;
        while !input.is_empty() {
            last.0 = last.0.checked_add(read_varint(input)?)?;
            last.1 = last.1.checked_add(read_varint(input)?)?;
            let index = read_varint(input)?.try_into().ok()?;
            let sender = read_varint(input)?.try_into().ok()?;
            said.push(last.0, (last.1, index), sender);
        }
        Some(said)
    }
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn read_varint(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// How many of these sequences, which are in order, come after `sequence`.
pub(super) fn after(sequences: &[u64], sequence: u64) -> usize {
    sequences.len() - sequences.partition_point(|other| *other <= sequence)
}

/// Removes a sequence from `sequences`, which are in order.
pub(super) fn take_out(sequences: &mut Vec<u64>, sequence: u64) {
    if let Ok(place) = sequences.binary_search(&sequence) {
        sequences.remove(place);
    }
}

/// Adds a sequence to `sequences`, which are in order, unless it is present.
pub(super) fn put_in(sequences: &mut Vec<u64>, sequence: u64) {
    if let Err(place) = sequences.binary_search(&sequence) {
        sequences.insert(place, sequence);
    }
}

impl Serialize for CountedMessages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.pack())
    }
}

impl<'de> Deserialize<'de> for CountedMessages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Self::unpack(bytes).ok_or_else(|| D::Error::custom("not the messages of a room"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Messages of commits with one or several of them, some far into a long log.
    fn messages() -> impl Strategy<Value = Vec<(u64, EventPlace)>> {
        vec((1u64..100_000, 0u64..3, any::<u16>(), any::<bool>()), 0..60).prop_map(|steps| {
            let mut last = (0, (0, 0));
            let message = |(step, on, index, is_far): (u64, u64, u16, bool)| {
                let (sequence, (position, before)) = last;
                let on = if on == 2 && is_far { 3_000_000_000 } else { on };
                let index = if on == 0 { before + 1 } else { index / 2 };
                last = (sequence + step, (position + on, index));
                last
            };
            steps.into_iter().map(message).collect()
        })
    }

    /// Three senders take turns.
    fn hash_of(sequence: u64) -> SenderHash {
        u32::try_from(sequence % 3).unwrap()
    }

    fn said(messages: &[(u64, EventPlace)]) -> CountedMessages {
        let mut said = CountedMessages::default();
        for (sequence, place) in messages {
            said.push(*sequence, *place, hash_of(*sequence));
        }
        said
    }

    proptest! {
        #[test]
        fn messages_come_back_from_a_snapshot(messages in messages()) {
            let said = said(&messages);
            let bytes = postcard::to_stdvec(&said).unwrap();
            prop_assert_eq!(postcard::from_bytes::<CountedMessages>(&bytes).unwrap(), said);
        }

        #[test]
        fn a_message_is_taken_out_once_and_no_other_with_it(messages in messages(), which: usize) {
            let mut said = said(&messages);
            if let Some((sequence, place)) = messages.get(which % messages.len().max(1)) {
                prop_assert!(said.has(*sequence));
                prop_assert_eq!(said.remove(*place), Some(*sequence));
                prop_assert_eq!(said.remove(*place), None);
                prop_assert_eq!(said.after(0), messages.len() - 1);
            }
        }

        #[test]
        fn messages_of_senders_are_counted(messages in messages(), which: usize, sender in 0u32..4) {
            let mut said = said(&messages);
            let mut left = messages;
            if !left.is_empty() {
                let (_, place) = left.remove(which % left.len());
                said.remove(place);
            }
            let from = left.get(left.len() / 2).map_or(0, |(sequence, _)| *sequence);
            let is_later = |sequence: &u64| *sequence > from && hash_of(*sequence) == sender;
            let by_hand = left.iter().filter(|(sequence, _)| is_later(sequence)).count();
            prop_assert_eq!(said.after_of(from, &[sender]), by_hand);
            for (sequence, _) in &left {
                let is_of = hash_of(*sequence) == sender;
                prop_assert_eq!(said.is_of(*sequence, &[sender]), is_of);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _: Option<CountedMessages> = CountedMessages::unpack(&bytes);
        }
    }

    #[test]
    fn what_came_after_a_number_is_counted() {
        let mut said = said(&[(3, (1, 0)), (5, (1, 1)), (6, (9, 0))]);
        assert_eq!((said.after(0), said.after(3), said.after(4), said.after(6)), (3, 2, 2, 0));
        assert_eq!((said.remove((1, 1)), said.after(3)), (Some(5), 1));
    }
}
