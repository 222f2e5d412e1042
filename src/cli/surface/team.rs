//! The processes that compute a surface together: one alone, or those that
//! `mpirun` started.

use crate::cli::CliError;

/// Processes that can talk to each other. Every call but [`rank`](Self::rank)
/// and [`size`](Self::size) has to be made by all of them, in the same order.
pub(super) trait Team {
    /// Which process this is, from 0.
    fn rank(&self) -> usize;
    /// How many there are.
    fn size(&self) -> usize;
    /// Sets each of `flags` that is set at any process.
    fn any(&self, flags: &mut [u8]);
    /// Makes `flags`, which are as many everywhere, those of process 0.
    fn as_first(&self, flags: &mut [u8]);
    /// At process 0 what each process gives, in their order; nothing elsewhere.
    fn collect(&self, bytes: &[u8]) -> Vec<Vec<u8>>;
    /// Parts from the others, who all do so too. A process that ends without
    /// ends the others with it.
    fn leave(self: Box<Self>);
}

/// A process on its own.
pub(super) struct Alone;

impl Team for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn any(&self, _: &mut [u8]) {}

    fn as_first(&self, _: &mut [u8]) {}

    fn collect(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        vec![bytes.to_vec()]
    }

    fn leave(self: Box<Self>) {}
}

/// What a launcher of MPI processes leaves in their environment.
const LAUNCHED: [&str; 4] = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"];

/// Whether this process is one of several that MPI started.
fn is_launched() -> bool {
    LAUNCHED.iter().any(|name| std::env::var_os(name).is_some())
}

/// The processes that this one was started with.
///
/// # Errors
/// When there are others and this build cannot talk to them.
#[cfg(feature = "mpi")]
pub(super) fn join() -> Result<Box<dyn Team>, CliError> {
    if is_launched() {
        return Ok(Box::new(super::mpi::World::join()?));
    }
    Ok(Box::new(Alone))
}

/// The processes that this one was started with.
///
/// # Errors
/// When there are others: this build cannot talk to them.
#[cfg(not(feature = "mpi"))]
pub(super) fn join() -> Result<Box<dyn Team>, CliError> {
    let size = std::env::var("OMPI_COMM_WORLD_SIZE");
    if is_launched() && size.is_ok_and(|size| size != "1") {
        return Err(CliError::Failed(
            "mpirun started several processes, and this build cannot share a surface among them; \
             build with `--features mpi`, or give each its part by --tile"
                .to_owned(),
        ));
    }
    Ok(Box::new(Alone))
}
