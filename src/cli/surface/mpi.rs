//! The processes that `mpirun` started.

use super::team::Team;
use crate::cli::CliError;
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use std::mem::ManuallyDrop;

/// All processes of one `mpirun`.
pub(super) struct World {
    // Left behind where this process fails: parting properly would wait for the
    // others, who wait for this one.
    universe: ManuallyDrop<Universe>,
    world: SimpleCommunicator,
}

impl World {
    /// Meets the others.
    ///
    /// # Errors
    /// When MPI cannot be used, or has been before.
    pub fn join() -> Result<Self, CliError> {
        let (universe, _) =
            mpi::initialize_with_threading(Threading::Funneled).ok_or_else(|| {
                CliError::Failed("MPI has been started before in this process".to_owned())
            })?;
        let world = universe.world();
        Ok(World {
            universe: ManuallyDrop::new(universe),
            world,
        })
    }
}

impl Team for World {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn any(&self, flags: &mut [u8]) {
        let own = flags.to_vec();
        self.world
            .all_reduce_into(&own[..], flags, SystemOperation::bitwise_or());
    }

    fn as_first(&self, flags: &mut [u8]) {
        self.world.process_at_rank(0).broadcast_into(flags);
    }

    fn collect(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        // A byte before: Open MPI takes two empty buffers for one and the same.
        let bytes = &[&[0], bytes].concat()[..];
        let first = self.world.process_at_rank(0);
        let length = bytes.len() as i32;
        if self.world.rank() != 0 {
            first.gather_into(&length);
            first.gather_varcount_into(bytes);
            return Vec::new();
        }
        let mut lengths = vec![0_i32; self.size()];
        first.gather_into_root(&length, &mut lengths[..]);
        let starts: Vec<i32> = lengths
            .iter()
            .scan(0, |next, &length| {
                let start = *next;
                *next += length;
                Some(start)
            })
            .collect();
        let total: i32 = lengths.iter().sum();
        let mut all = vec![0_u8; total as usize];
        let mut parts = PartitionMut::new(&mut all[..], &lengths[..], &starts[..]);
        first.gather_varcount_into_root(bytes, &mut parts);
        let ranges = starts.iter().zip(&lengths);
        ranges
            .map(|(&start, &length)| all[start as usize + 1..(start + length) as usize].to_vec())
            .collect()
    }

    fn leave(self: Box<Self>) {
        let World { universe, world } = *self;
        drop(world);
        drop(ManuallyDrop::into_inner(universe));
    }
}
