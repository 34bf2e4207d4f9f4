//! Numbers in ascending order, with four bytes each for numbers of any size.
//!
//! **Invariant:** the numbers come in order, and a number may repeat.

/// The numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The low halves.
    low: Vec<u32>,
    /// The index from which on each high half holds; 0 before the first.
    turns: Vec<(usize, u32)>,
}

fn halves(number: u64) -> (u32, u32) {
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (u32::try_from(number >> 32).unwrap_or(u32::MAX), low)
}

impl Numbers {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.low.len()
    }

    /// Whether there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// Adds a number that is not below the last one.
    pub fn push(&mut self, number: u64) {
        if self.low.len() == self.low.capacity() {
            // Doubling would leave a third of the memory unused.
            self.low.reserve_exact(self.low.len() / 8 + 8);
        }
        let (high, low) = halves(number);
        if high != self.turns.last().map_or(0, |(_, high)| *high) {
            self.turns.push((self.low.len(), high));
        }
        self.low.push(low);
    }

    /// The number at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<u64> {
        let low = *self.low.get(index)?;
        let turns = self.turns.partition_point(|(from, _)| *from <= index);
        let high = turns.checked_sub(1).map_or(0, |last| self.turns[last].1);
        Some(u64::from(high) << 32 | u64::from(low))
    }

    /// How many are at most `number`.
    #[must_use]
    pub fn up_to(&self, number: u64) -> usize {
        let (high, low) = halves(number);
        let turn = self.turns.partition_point(|(_, other)| *other < high);
        let from = |turn: usize| self.turns.get(turn).map_or(self.low.len(), |(from, _)| *from);
        let is_held = self.turns.get(turn).is_some_and(|(_, other)| *other == high);
        let (begin, end) = match high {
            0 => (0, from(0)),
            _ if is_held => (from(turn), from(turn + 1)),
            _ => (from(turn), from(turn)),
        };
        begin + self.low[begin..end].partition_point(|other| *other <= low)
    }

    /// How many are below `number`.
    #[must_use]
    pub fn below(&self, number: u64) -> usize {
        number.checked_sub(1).map_or(0, |before| self.up_to(before))
    }

    /// Whether the number is there.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.get(self.below(number)) == Some(number)
    }

    /// Removes the number at an index, and returns it.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, index: usize) -> u64 {
        let number = self.get(index).unwrap_or_default();
        self.low.remove(index);
        for (from, _) in &mut self.turns {
            *from -= usize::from(*from > index);
        }
        let ends: Vec<_> = self.turns.iter().skip(1).map(|(from, _)| *from).collect();
        let mut ends = ends.into_iter().chain([self.low.len()]);
        self.turns.retain(|(from, _)| ends.next().is_some_and(|end| *from < end));
        number
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn they_are_what_a_plain_list_is(
            steps in vec(prop_oneof![0u64..4, 0u64..9 << 31], 0..40),
            removed: Vec<usize>,
            asked: u64,
        ) {
            let (mut numbers, mut plain, mut last) = (Numbers::default(), Vec::new(), 0);
            for step in steps {
                last += step;
                numbers.push(last);
                plain.push(last);
            }
            for index in removed {
                if plain.is_empty() {
                    break;
                }
                let index = index % plain.len();
                prop_assert_eq!(numbers.remove(index), plain.remove(index));
            }
            prop_assert_eq!(numbers.iter().collect::<Vec<_>>(), plain.clone());
            let again = plain.iter().fold(Numbers::default(), |mut numbers, number| {
                numbers.push(*number);
                numbers
            });
            prop_assert_eq!(&numbers, &again, "what was removed leaves no trace");
            for number in plain.iter().copied().chain([asked, asked % (9 << 31), 0]) {
                let below = plain.partition_point(|other| *other < number);
                let up_to = plain.partition_point(|other| *other <= number);
                prop_assert_eq!((numbers.below(number), numbers.up_to(number)), (below, up_to));
                prop_assert_eq!(numbers.contains(number), plain.contains(&number));
            }
        }
    }
}
