//! A Bloom filter over the first bytes of entries.

const BITS_PER_ENTRY: u64 = 10;
/// With ten bits an entry, six probes pass one percent of the requests for missing entries.
const PROBES: u64 = 6;

pub(crate) struct Filter(Vec<u8>);

impl Filter {
    /// An empty filter for `count` entries.
    pub(crate) fn for_entries(count: u64) -> Self {
        let bytes = (count.saturating_mul(BITS_PER_ENTRY)).div_ceil(8).max(8);
        Self(vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)])
    }

    /// The filter with these stored bytes; without bytes a filter that passes everything.
    pub(crate) fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn add(&mut self, key: &[u8]) {
        for (byte, bit) in bits(key, self.0.len()) {
            self.0[byte] |= bit;
        }
    }

    /// Whether `key` may have been added.
    pub(crate) fn may_have(&self, key: &[u8]) -> bool {
        self.0.is_empty() || bits(key, self.0.len()).all(|(byte, bit)| self.0[byte] & bit != 0)
    }
}

/// The bits of `key` in a filter of `len` bytes, by double hashing.
fn bits(key: &[u8], len: usize) -> impl Iterator<Item = (usize, u8)> + use<> {
    let (mut first, mut step) = (0xcbf2_9ce4_8422_2325, 0x9ae1_6a3b_2f90_404f);
    for chunk in key.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        first = mix(first ^ word);
        step = mix(step ^ word.rotate_left(32));
    }
    let total = len as u64 * 8;
    (0..PROBES).map(move |probe| {
        let hash = first.wrapping_add(probe.wrapping_mul(step | 1));
        let bit = (hash >> 7) % total;
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    })
}

/// Spreads each bit of `number` over all bits.
const fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (number ^ number >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
