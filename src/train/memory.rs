//! What the steps to come depend on beside weights and batches: what the optimiser has
//! gathered, and what schedules and early stopping have seen.

use super::monitor::Monitor;
use super::mover::Mover;
use crate::optim::{StateReader, StateVisitor, StateWriter, visit_flag};
use std::fmt;
use std::sync::Arc;

/// What every memory begins with; the last byte is its version.
const MAGIC: &[u8; 4] = b"GSM\x01";

/// The memory of a run at a step, written down.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedMemory {
    /// The optimiser's name.
    pub optimizer: String,
    /// All of it.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for SavedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.len();
        write!(f, "SavedMemory({}, {bytes} bytes)", self.optimizer)
    }
}

/// The base rate of a run and that of its experiment: they differ once somebody has changed
/// the rate on the way.
pub(super) struct Rates {
    pub base: f64,
    pub configured: f64,
}

pub(super) fn write(mover: &Mover, monitor: &Monitor, rates: &Rates) -> Arc<[u8]> {
    let mut writer = StateWriter::default();
    StateVisitor::<f32>::number(&mut writer, &mut { rates.base });
    StateVisitor::<f32>::number(&mut writer, &mut { rates.configured });
    visit_flag::<f32>(&mut writer, &mut matches!(mover, Mover::FullBatch(_)));
    match mover.clone() {
        Mover::FirstOrder(mut optimizer) => optimizer.state(&mut writer),
        Mover::FullBatch(mut search) => search.state(&mut writer, None),
    }
    monitor.write(&mut writer);
    let bytes = writer.into_bytes();
    MAGIC.iter().copied().chain(bytes).collect()
}

/// Puts a memory in the place of what `mover` and `monitor` know, of a network with so many
/// `params`. None where it is not a memory of them; they are then of no use.
pub(super) fn read(
    bytes: &[u8],
    mover: &mut Mover,
    monitor: &mut Monitor,
    params: usize,
) -> Option<Rates> {
    let mut reader = StateReader::new(bytes.strip_prefix(MAGIC)?);
    let (mut base, mut configured, mut is_full) = (0.0, 0.0, false);
    StateVisitor::<f32>::number(&mut reader, &mut base);
    StateVisitor::<f32>::number(&mut reader, &mut configured);
    visit_flag::<f32>(&mut reader, &mut is_full);
    match mover {
        Mover::FirstOrder(optimizer) if !is_full => optimizer.state(&mut reader),
        Mover::FullBatch(search) if is_full => search.state(&mut reader, Some(params)),
        _ => return None,
    }
    monitor.read(&mut reader, params);
    let is_rate = base.is_finite() && base >= 0.0;
    (reader.finish() && is_rate).then_some(Rates { base, configured })
}
