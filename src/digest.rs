//! A short mark of a lot of numbers: whoever has other numbers has, as good as
//! certainly, another mark. Against mistakes, not against malice.

/// A mark in the making; the same on every machine.
#[derive(Debug, Clone)]
pub struct Digest {
    state: u128,
    words: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Digest {
            state: OFFSET,
            words: 0,
        }
    }
}

/// Offset and prime of the 128-bit FNV-1a hash
/// (draft-eastlake-fnv, section 5), which is taken over words here.
const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Digest {
    fn word(&mut self, word: u64) {
        // A product carries upwards only; the turn brings the top back down.
        self.state = (self.state ^ u128::from(word))
            .wrapping_mul(PRIME)
            .rotate_right(37);
        self.words += 1;
    }

    /// Takes numbers in, bit by bit: 0 and -0 differ.
    pub fn floats(mut self, values: impl IntoIterator<Item = f32>) -> Self {
        let mut values = values.into_iter();
        while let Some(first) = values.next() {
            let second = values.next().map_or(u32::MAX, f32::to_bits);
            self.word(u64::from(first.to_bits()) << 32 | u64::from(second));
        }
        self
    }

    /// Takes a whole number in.
    pub fn number(mut self, value: u64) -> Self {
        self.word(value);
        self
    }

    /// Takes a text in.
    pub fn text(mut self, text: &str) -> Self {
        for part in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.word(u64::from_le_bytes(word));
        }
        self.number(text.len() as u64)
    }

    /// The mark, 32 hexadecimal digits.
    pub fn finish(mut self) -> String {
        let words = self.words;
        for _ in 0..4 {
            self.word(words);
        }
        format!("{:032x}", self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_every_number_and_their_order_changes_the_mark() {
        let mark = |values: &[f32]| Digest::default().floats(values.iter().copied()).finish();
        let values: Vec<f32> = (0..33).map(|k| (k as f32).sin()).collect();
        let mut seen = vec![mark(&values), mark(&values[..32]), mark(&[])];
        for place in 0..values.len() {
            for bit in 0..32 {
                let mut other = values.clone();
                other[place] = f32::from_bits(other[place].to_bits() ^ (1 << bit));
                seen.push(mark(&other));
            }
        }
        let mut swapped = values.clone();
        swapped.swap(3, 4);
        seen.push(mark(&swapped));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_eq!(mark(&values), mark(&values.clone()));
    }

    #[test]
    fn texts_that_are_cut_elsewhere_have_other_marks() {
        let two = |a: &str, b: &str| Digest::default().text(a).text(b).finish();
        assert_ne!(two("ab", "c"), two("a", "bc"));
        assert_ne!(two("", "abc"), two("abc", ""));
    }
}
