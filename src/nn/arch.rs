//! The instruction set of this machine.

use pulp::Arch;
use std::sync::OnceLock;

/// The best instruction set that kernels are compiled for and this machine has,
/// found out once.
pub fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(Arch::new)
}
