//! Values that begin with a cache line.

use super::Real;
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// Values of which the first begins a cache line, so that no vector of them, read or
/// written in order, lies across two: such a one costs twice.
#[derive(Debug, Default)]
pub(crate) struct Aligned<R> {
    // The values, behind some that only move them to a line's start.
    values: Vec<R>,
    start: usize,
}

impl<R: Real> Aligned<R> {
    /// Makes them `len`. What is there stays only where they were as many before.
    pub(crate) fn resize(&mut self, len: usize) {
        if len == self.len() {
            return;
        }
        let size = std::mem::size_of::<R>();
        self.values.resize(len + LINE / size, R::zero());
        // Where that cannot be told, they may begin anywhere.
        let start = self.values.as_ptr().align_offset(LINE);
        self.start = start.min(LINE / size);
        self.values.truncate(self.start + len);
    }
}

impl<R: Clone> From<&[R]> for Aligned<R> {
    fn from(from: &[R]) -> Self {
        let most = LINE / std::mem::size_of::<R>().max(1);
        let mut values: Vec<R> = Vec::with_capacity(from.len() + most);
        let start = values.as_ptr().align_offset(LINE).min(most);
        // Any value does.
        values.extend(from.iter().cycle().take(start).cloned());
        let start = values.len();
        values.extend_from_slice(from);
        Aligned { values, start }
    }
}

impl<R: Clone> Clone for Aligned<R> {
    fn clone(&self) -> Self {
        (**self).into()
    }
}

impl<R> Deref for Aligned<R> {
    type Target = [R];

    fn deref(&self) -> &[R] {
        &self.values[self.start..]
    }
}

impl<R> DerefMut for Aligned<R> {
    fn deref_mut(&mut self) -> &mut [R] {
        &mut self.values[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_begins_a_line_whatever_their_number() {
        let mut values = Aligned::<f32>::default();
        for len in [1, 1000, 3, 0, 100_000] {
            values.resize(len);
            assert_eq!(values.len(), len);
            assert_eq!(values.as_ptr().align_offset(LINE), 0);
        }
        values[99_999] = 2.0;
        let copy = values.clone();
        assert_eq!(copy[99_999], 2.0);
        assert_eq!(copy.as_ptr().align_offset(LINE), 0);
    }
}
