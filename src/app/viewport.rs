//! Which part of the target each view draws into.

use super::state::{SceneView, ViewMode};
use bevy::prelude::*;

/// From this ratio of width to height on, two views stand side by side.
const SIDE_BY_SIDE: f32 = 1.6;

/// Position and size in physical pixels of `view` in a target of `size`, always
/// inside it and at least one pixel; `None` where the view is not shown.
pub(super) fn view_part(
    mode: ViewMode,
    view: SceneView,
    free: Option<Rect>,
    size: UVec2,
) -> Option<(UVec2, UVec2)> {
    if size.x == 0 || size.y == 0 {
        return None;
    }
    let whole = Rect::from_corners(Vec2::ZERO, size.as_vec2());
    let free = free.map_or(whole, |free| free.intersect(whole));
    let (first, second) = {
        let mut halves = (free, free);
        // Both views are wider than high: side by side only where that leaves
        // each of them about square.
        if free.width() >= SIDE_BY_SIDE * free.height() {
            let middle = (free.min.x + 0.5 * free.width()).round();
            halves.0.max.x = middle;
            halves.1.min.x = middle;
        } else {
            let middle = (free.min.y + 0.5 * free.height()).round();
            halves.0.max.y = middle;
            halves.1.min.y = middle;
        }
        halves
    };
    let part = match (mode, view) {
        (ViewMode::Network | ViewMode::Together, SceneView::Network)
        | (ViewMode::Surface, SceneView::Surface) => free,
        (ViewMode::Both, SceneView::Network) => first,
        (ViewMode::Both, SceneView::Surface) => second,
        _ => return None,
    };
    let position = part.min.as_uvec2().min(size - UVec2::ONE);
    let extent = part.size().max(Vec2::ONE).as_uvec2().min(size - position);
    Some((position, extent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: UVec2 = UVec2::new(1280, 720);

    #[test]
    fn both_views_share_what_the_panels_leave_without_overlap() {
        let parts = |free| {
            let part = |view| view_part(ViewMode::Both, view, Some(free), SIZE).unwrap();
            (part(SceneView::Network), part(SceneView::Surface))
        };
        let (a, b) = parts(Rect::new(0.0, 40.0, 1280.0, 720.0));
        assert_eq!(a, (UVec2::new(0, 40), UVec2::new(640, 680)));
        assert_eq!(b, (UVec2::new(640, 40), UVec2::new(640, 680)));
        let (a, b) = parts(Rect::new(260.0, 40.0, 980.0, 720.0));
        assert_eq!(a, (UVec2::new(260, 40), UVec2::new(720, 340)));
        assert_eq!(b, (UVec2::new(260, 380), UVec2::new(720, 340)));
    }

    #[test]
    fn a_viewport_lies_inside_its_target_whatever_the_panels_say() {
        for free in [
            Rect::new(2000.0, 2000.0, 3000.0, 3000.0),
            Rect::new(-50.0, -50.0, 5000.0, 5000.0),
            Rect::new(1280.0, 0.0, 1280.0, 720.0),
            Rect::new(700.0, 300.0, 700.0, 300.0),
        ] {
            for mode in [
                ViewMode::Network,
                ViewMode::Surface,
                ViewMode::Both,
                ViewMode::Together,
            ] {
                for view in [SceneView::Network, SceneView::Surface] {
                    if let Some((position, extent)) = view_part(mode, view, Some(free), SIZE) {
                        assert!(extent.x >= 1 && extent.y >= 1, "{free:?} {mode:?}");
                        let end = position + extent;
                        assert!(end.x <= SIZE.x && end.y <= SIZE.y, "{free:?} {mode:?}");
                    }
                }
            }
        }
        assert_eq!(
            view_part(ViewMode::Both, SceneView::Network, None, UVec2::ZERO),
            None
        );
    }
}
