//! What an optimiser has gathered, written down and put in its place again, bit for bit.
//!
//! An optimiser shows its state to a [`StateVisitor`], always in the same order; one of them
//! writes ([`StateWriter`]), the other reads ([`StateReader`]). Constants are no state: they
//! are the experiment's.

/// Goes through a state of vectors of `R` and single numbers.
pub trait StateVisitor<R> {
    /// A vector, as long as it is.
    fn values(&mut self, values: &mut [R]);
    /// A number.
    fn number(&mut self, number: &mut f64);
    /// A whole number.
    fn whole(&mut self, whole: &mut u64);
}

/// A number that may not be there.
pub fn visit_maybe<R>(visitor: &mut dyn StateVisitor<R>, number: &mut Option<f64>) {
    let mut there = u64::from(number.is_some());
    visitor.whole(&mut there);
    let mut value = number.unwrap_or(0.0);
    visitor.number(&mut value);
    *number = (there == 1).then_some(value);
}

/// A count of steps.
pub fn visit_steps<R>(visitor: &mut dyn StateVisitor<R>, steps: &mut i32) {
    let mut whole = (*steps).max(0) as u64;
    visitor.whole(&mut whole);
    *steps = i32::try_from(whole).unwrap_or(i32::MAX);
}

/// A count.
pub fn visit_count<R>(visitor: &mut dyn StateVisitor<R>, count: &mut usize) {
    let mut whole = *count as u64;
    visitor.whole(&mut whole);
    *count = usize::try_from(whole).unwrap_or(usize::MAX);
}

/// Yes or no.
pub fn visit_flag<R>(visitor: &mut dyn StateVisitor<R>, flag: &mut bool) {
    let mut whole = u64::from(*flag);
    visitor.whole(&mut whole);
    *flag = whole == 1;
}

/// Writes a state: numbers in 8 bytes, vectors behind their length in the bytes of their type,
/// all little-endian.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateWriter {
    bytes: Vec<u8>,
}

impl StateWriter {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn put(&mut self, whole: u64) {
        self.bytes.extend(whole.to_le_bytes());
    }
}

/// Reads a state that was written. From the first thing on that is not as it should be nothing
/// more is read, and [`finish`](Self::finish) says so.
#[derive(Debug, Clone)]
pub struct StateReader<'a> {
    rest: &'a [u8],
    failed: bool,
}

impl<'a> StateReader<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        StateReader {
            rest: bytes,
            failed: false,
        }
    }

    /// Whether everything was as it should be and nothing is left.
    pub fn finish(self) -> bool {
        !self.failed && self.rest.is_empty()
    }

    /// Whether everything was as it should be so far.
    pub fn is_good(&self) -> bool {
        !self.failed
    }

    /// Says that it is not a state of what reads it.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let parts = self.rest.split_at_checked(length).filter(|_| !self.failed);
        match parts {
            Some((head, rest)) => {
                self.rest = rest;
                Some(head)
            }
            None => {
                self.failed = true;
                None
            }
        }
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }
}

macro_rules! visitors {
    ($type:ty) => {
        impl StateVisitor<$type> for StateWriter {
            fn values(&mut self, values: &mut [$type]) {
                self.put(values.len() as u64);
                self.bytes.reserve(size_of_val(values));
                for value in values {
                    self.bytes.extend_from_slice(&value.to_le_bytes());
                }
            }

            fn number(&mut self, number: &mut f64) {
                self.put(number.to_bits());
            }

            fn whole(&mut self, whole: &mut u64) {
                self.put(*whole);
            }
        }

        impl StateVisitor<$type> for StateReader<'_> {
            fn values(&mut self, values: &mut [$type]) {
                let length = self.eight().map(u64::from_le_bytes);
                if length != Some(values.len() as u64) {
                    self.failed = true;
                }
                let Some(bytes) = self.take(size_of_val(values)) else {
                    return;
                };
                let read = bytes.as_chunks::<{ size_of::<$type>() }>().0.iter();
                for (value, bytes) in values.iter_mut().zip(read) {
                    *value = <$type>::from_le_bytes(*bytes);
                }
            }

            fn number(&mut self, number: &mut f64) {
                if let Some(bytes) = self.eight() {
                    *number = f64::from_le_bytes(bytes);
                }
            }

            fn whole(&mut self, whole: &mut u64) {
                if let Some(bytes) = self.eight() {
                    *whole = u64::from_le_bytes(bytes);
                }
            }
        }
    };
}

visitors!(f32);
visitors!(f64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::OptimizerKind;

    #[test]
    fn an_optimiser_goes_on_from_what_was_written_as_if_it_had_never_stopped() {
        for kind in OptimizerKind::ALL {
            let mut whole = kind.build::<f32>(3);
            let mut p = [1.0_f32, -2.0, 0.3];
            let step = |optimizer: &mut dyn crate::optim::Optimizer<f32>, p: &mut [f32; 3]| {
                let g = [p[0] * 1.7, 3.0 * p[1] - 0.3, p[2].sin()];
                optimizer.tell_loss(f64::from(p[0] * p[0] + p[1] * p[1]));
                optimizer.step(p, &g, 0.01);
            };
            for _ in 0..7 {
                step(whole.as_mut(), &mut p);
            }
            let mut writer = StateWriter::default();
            whole.state(&mut writer);
            let bytes = writer.into_bytes();
            let mut again = kind.build::<f32>(3);
            let mut q = p;
            let mut reader = StateReader::new(&bytes);
            again.state(&mut reader);
            assert!(reader.finish(), "{}", kind.name());
            for _ in 0..7 {
                step(whole.as_mut(), &mut p);
                step(again.as_mut(), &mut q);
            }
            assert_eq!(p.map(f32::to_bits), q.map(f32::to_bits), "{}", kind.name());
            // Of another length, or cut off: no state of this one.
            for (length, bytes) in [(4, &bytes[..]), (3, &bytes[..bytes.len().max(1) - 1])] {
                let mut other = kind.build::<f32>(length);
                let mut reader = StateReader::new(bytes);
                other.state(&mut reader);
                let has_state = !bytes.is_empty();
                assert!(!(reader.finish() && has_state), "{}", kind.name());
            }
        }
    }
}
