//! Which part of the target each view draws into.

use super::state::{SceneView, ViewMode};
use bevy::prelude::*;

/// From this ratio of width to height on, two views stand side by side.
const SIDE_BY_SIDE: f32 = 1.6;

/// A network's cell is best about so many times as wide as high.
const CELL: f32 = 1.4;

/// The cell of network `index` of `count` that share a rectangle, row by row, on a grid
/// whose cells are about as wide as networks are.
fn cell(rect: Rect, index: usize, count: usize) -> Rect {
    let ratio = |columns: usize| {
        let rows = count.div_ceil(columns);
        let cell = rect.size() / Vec2::new(columns as f32, rows as f32);
        (cell.x / cell.y.max(1.0) / CELL).ln().abs()
    };
    let columns = (1..=count).min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
    let columns = columns.unwrap_or(1);
    let rows = count.div_ceil(columns);
    let at = |k: usize, n: usize, low: f32, high: f32| {
        (low + (high - low) * k as f32 / n as f32).round()
    };
    let (column, row) = (index % columns, index / columns);
    let (min, max) = (rect.min, rect.max);
    Rect::new(
        at(column, columns, min.x, max.x),
        at(row, rows, min.y, max.y),
        at(column + 1, columns, min.x, max.x),
        at(row + 1, rows, min.y, max.y),
    )
}

/// Position and size in physical pixels of `view` in a target of `size`, always
/// inside it and at least one pixel; `None` where the view is not shown. `beside` is how
/// many networks stand beside the one on screen; in one scene with the surface there is
/// no room for them.
pub(super) fn view_part(
    mode: ViewMode,
    view: SceneView,
    free: Option<Rect>,
    beside: usize,
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
    let index = match view {
        SceneView::Network => 0,
        SceneView::Beside(rival) if rival < beside => rival + 1,
        SceneView::Beside(_) => return None,
        SceneView::Surface => usize::MAX,
    };
    let part = match (mode, view) {
        (ViewMode::Together, SceneView::Network) | (ViewMode::Surface, SceneView::Surface) => free,
        (ViewMode::Both, SceneView::Surface) => second,
        (ViewMode::Network, SceneView::Network | SceneView::Beside(_)) => {
            cell(free, index, beside + 1)
        }
        (ViewMode::Both, SceneView::Network | SceneView::Beside(_)) => {
            cell(first, index, beside + 1)
        }
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
            let part = |view| view_part(ViewMode::Both, view, Some(free), 0, SIZE).unwrap();
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
                for view in [SceneView::Network, SceneView::Surface, SceneView::Beside(1)] {
                    if let Some((position, extent)) = view_part(mode, view, Some(free), 2, SIZE) {
                        assert!(extent.x >= 1 && extent.y >= 1, "{free:?} {mode:?}");
                        let end = position + extent;
                        assert!(end.x <= SIZE.x && end.y <= SIZE.y, "{free:?} {mode:?}");
                    }
                }
            }
        }
        assert_eq!(
            view_part(ViewMode::Both, SceneView::Network, None, 0, UVec2::ZERO),
            None
        );
    }

    #[test]
    fn networks_side_by_side_share_the_room_without_overlap_and_alike() {
        for count in 1..=4 {
            let views = (0..count).map(|k| match k {
                0 => SceneView::Network,
                k => SceneView::Beside(k - 1),
            });
            let parts: Vec<Rect> = views
                .map(|view| {
                    let part = view_part(ViewMode::Network, view, None, count - 1, SIZE);
                    let (position, extent) = part.unwrap();
                    let min = position.as_vec2();
                    Rect::from_corners(min, min + extent.as_vec2())
                })
                .collect();
            for (k, part) in parts.iter().enumerate() {
                assert!(part.size().abs_diff_eq(parts[0].size(), 1.0), "{count}");
                for other in &parts[k + 1..] {
                    assert!(part.intersect(*other).is_empty(), "{count}");
                }
            }
            let beside = SceneView::Beside(count - 1);
            assert_eq!(
                view_part(ViewMode::Network, beside, None, count - 1, SIZE),
                None
            );
        }
    }
}
