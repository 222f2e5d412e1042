//! The pointer of a lecturer, over everything, and the way back to a known state.

use super::panels::Panels;
use super::stage::{Intent, Stage};
use crate::app::presenter::PointerAs;
use crate::app::theme::color32;
use crate::app::{CameraRequest, ReplayWish, ViewMode};
use crate::train::TrainCommand;
use bevy_egui::egui::{Color32, CursorIcon, Id, LayerId, Mesh, Order, Pos2, Rect, Shape, Ui, vec2};
use std::f32::consts::TAU;

/// The radius of the laser's dot and of the spotlight, as shares of the window's
/// height.
const DOT: f32 = 0.009;
const SPOT: f32 = 0.17;
/// The soft edge of the spotlight as a share of its radius, and how dark it is outside.
const EDGE: f32 = 0.12;
const DARK: u8 = 190;
/// Corners of the circle.
const CORNERS: u32 = 72;

/// Draws the pointer where it is.
pub(super) fn pointer(ui: &Ui, stage: &Stage<'_>, whole: Rect) {
    let pointer = stage.choices.presenter.pointer;
    if pointer == PointerAs::Usual {
        return;
    }
    let Some(at) = ui.ctx().pointer_latest_pos() else {
        return;
    };
    let layer = LayerId::new(Order::Debug, Id::new("gradscape pointer"));
    let painter = ui.ctx().layer_painter(layer);
    match pointer {
        PointerAs::Usual => {}
        PointerAs::Laser => {
            ui.ctx().set_cursor_icon(CursorIcon::None);
            let radius = (DOT * whole.height()).max(5.0);
            let color = color32(stage.palette.laser);
            for ring in (1..=6).rev() {
                let glow = color.gamma_multiply(0.07 * (7 - ring) as f32);
                painter.circle_filled(at, radius * (1.0 + 0.35 * ring as f32), glow);
            }
            painter.circle_filled(at, radius, color);
            painter.circle_filled(at, 0.45 * radius, Color32::WHITE);
        }
        PointerAs::Spotlight => {
            painter.add(Shape::mesh(spotlight(at, whole)));
        }
    }
}

/// Darkness with a hole.
fn spotlight(at: Pos2, whole: Rect) -> Mesh {
    let radius = SPOT * whole.height();
    let far = 2.0 * (whole.width() + whole.height());
    let dark = Color32::from_black_alpha(DARK);
    let rings = [
        (radius * (1.0 - EDGE), Color32::TRANSPARENT),
        (radius, dark),
        (far, dark),
    ];
    let mut mesh = Mesh::default();
    for k in 0..=CORNERS {
        let angle = TAU * k as f32 / CORNERS as f32;
        for (radius, color) in rings {
            mesh.colored_vertex(at + radius * vec2(angle.cos(), angle.sin()), color);
        }
    }
    let n = rings.len() as u32;
    for k in 0..CORNERS {
        for ring in 0..n - 1 {
            let a = k * n + ring;
            mesh.add_triangle(a, a + 1, a + n);
            mesh.add_triangle(a + 1, a + n, a + n + 1);
        }
    }
    mesh
}

/// Back to where everything is known: the scene of a lesson, or the experiment, from
/// its beginning, seen as it is seen at first, and nothing open over it.
pub(super) fn known_state(panels: &mut Panels, stage: &mut Stage<'_>) {
    (panels.help, panels.range.open, panels.sweep.open) = (false, false, false);
    panels.toasts.clear();
    panels.edit = super::edit::Edit::default();
    let choices = &mut *stage.choices;
    choices.presenter.pointer = PointerAs::Usual;
    choices.walk.leave();
    stage.selection.selected = None;
    if choices.lecture.lesson.is_some() {
        (choices.left_panel, choices.right_panel) = (Some(false), Some(false));
        choices.lecture.black = false;
        choices.lecture.again += 1;
        choices.lecture.answers.remove(&choices.lecture.scene);
        return;
    }
    (choices.left_panel, choices.right_panel) = (None, None);
    choices.mode = ViewMode::default();
    choices.arena.racing = false;
    stage.intents.push(Intent::Replay(ReplayWish::Now));
    stage.train(TrainCommand::Reset);
    stage.intents.push(Intent::Camera(CameraRequest::Reset));
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_egui::egui::pos2;

    #[test]
    fn the_spotlight_covers_all_but_its_circle() {
        let whole = Rect::from_min_size(Pos2::ZERO, vec2(1600.0, 900.0));
        let at = pos2(1590.0, 5.0);
        let mesh = spotlight(at, whole);
        assert!(mesh.is_valid());
        let reach = |color: Color32| {
            let of = mesh.vertices.iter().filter(move |v| v.color == color);
            of.map(|v| v.pos.distance(at)).fold(0.0, f32::max)
        };
        assert!(reach(Color32::TRANSPARENT) < SPOT * 900.0);
        // The farthest corner is dark.
        assert!(reach(Color32::from_black_alpha(DARK)) > at.distance(pos2(0.0, 900.0)));
    }
}
