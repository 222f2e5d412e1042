//! Whether weights are where a plane has its origin.

use crate::landscape::Plane;
use std::sync::Arc;

/// Millions of weights are not compared anew in every frame.
#[derive(Debug)]
pub(super) struct Compared {
    plane: Arc<Plane>,
    params: Arc<[f32]>,
    moved: bool,
}

impl Compared {
    /// Whether `plane` has its origin elsewhere than at `params`.
    pub(super) fn moved(
        known: &mut Option<Compared>,
        plane: &Arc<Plane>,
        params: &Arc<[f32]>,
    ) -> bool {
        if let Some(known) = known
            && Arc::ptr_eq(&known.plane, plane)
            && Arc::ptr_eq(&known.params, params)
        {
            return known.moved;
        }
        let moved = plane.center() != &params[..];
        *known = Some(Compared {
            plane: Arc::clone(plane),
            params: Arc::clone(params),
            moved,
        });
        moved
    }
}

/// Whether weights are the same, which those in one place are.
pub(super) fn same(a: &Arc<[f32]>, b: &Arc<[f32]>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}
