//! The box around the error surface: floor and walls with lines at nice
//! numbers, the numbers at the edges that face the reader, and the titles.

use super::surface_frame::{SurfaceFrame, height_of, nice_step, nice_ticks, short, tick_text};
use super::surface_parts::Strokes;
use super::surface_relief::Relief;
use crate::app::labels::Label;
use crate::app::state::{SURFACE_MAX, SURFACE_MIN, SceneView};
use crate::app::text::Texts;
use crate::app::theme::Palette;
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// Which side the reader looks from: the signs of x and z.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct Facing {
    /// 1 if the reader is on the side of large x, else -1.
    pub x: f32,
    /// 1 if the reader is on the side of large z, else -1.
    pub z: f32,
}

impl Default for Facing {
    fn default() -> Self {
        Facing { x: 1.0, z: 1.0 }
    }
}

impl Facing {
    /// The side on which `eye` is, in the coordinates of the surface's root.
    /// Near the border between two sides it stays as it is, so that a trembling
    /// hand does not make the axes jump.
    pub fn towards(self, eye: Vec3) -> Self {
        let side = |old: f32, v: f32| if v.abs() > 0.4 { v.signum() } else { old };
        Facing {
            x: side(self.x, eye.x),
            z: side(self.z, eye.z),
        }
    }

    /// To the right on the screen, level.
    pub fn right(self) -> Vec3 {
        Vec3::new(self.z, 0.0, -self.x).normalize()
    }

    /// Signs of the upright edge that is leftmost on the screen.
    fn left_edge(self) -> (f32, f32) {
        if self.x * self.z > 0.0 {
            (-self.x, self.z)
        } else {
            (self.x, -self.z)
        }
    }
}

/// What the axes are called.
#[derive(Debug, Clone, PartialEq)]
pub struct Titles {
    /// The first direction.
    pub x: String,
    /// The second direction.
    pub y: String,
    /// The height.
    pub height: String,
    /// Whether heights are shares, written in per cent.
    pub percent: bool,
}

/// About how many numbers an edge has.
const TICKS: usize = 4;

/// The lines of floor, walls and rim.
pub fn strokes(
    frame: &SurfaceFrame,
    relief: &Relief,
    facing: Facing,
    palette: &Palette,
) -> Strokes {
    let mut strokes = Strokes::default();
    let grid = palette.background.blend(palette.faint, 0.32);
    let border = palette.background.blend(palette.faint, 0.75);
    let (low, high) = (SURFACE_MIN, SURFACE_MAX);
    let back = Vec3::new(
        if facing.x > 0.0 { low.x } else { high.x },
        0.0,
        if facing.z > 0.0 { low.z } else { high.z },
    );
    let (xs, ys) = ticks(frame);
    for x in xs.iter().map(|&(v, _)| frame.across(v)) {
        let floor = [Vec3::new(x, low.y, low.z), Vec3::new(x, low.y, high.z)];
        strokes.line(floor[0], floor[1], grid, 1.0);
        let wall = Vec3::new(x, low.y, back.z);
        strokes.line(wall, wall.with_y(high.y), grid, 1.0);
    }
    for z in ys.iter().map(|&(v, _)| frame.along(v)) {
        let floor = [Vec3::new(low.x, low.y, z), Vec3::new(high.x, low.y, z)];
        strokes.line(floor[0], floor[1], grid, 1.0);
        let wall = Vec3::new(back.x, low.y, z);
        strokes.line(wall, wall.with_y(high.y), grid, 1.0);
    }
    for &tick in &frame.scale.ticks {
        let y = frame.height(tick);
        let corner = Vec3::new(back.x, y, back.z);
        let ends = [
            Vec3::new(low.x + high.x - back.x, y, back.z),
            Vec3::new(back.x, y, low.z + high.z - back.z),
        ];
        strokes.line(corner, ends[0], grid, 1.0);
        strokes.line(corner, ends[1], grid, 1.0);
    }
    let corners = [
        (low.x, low.z),
        (high.x, low.z),
        (high.x, high.z),
        (low.x, high.z),
    ];
    for k in 0..4 {
        let (a, b) = (corners[k], corners[(k + 1) % 4]);
        let place = |c: (f32, f32)| Vec3::new(c.0, low.y, c.1);
        strokes.line(place(a), place(b), border, 1.3);
        let nearest = a.0 * facing.x > 0.0 && a.1 * facing.z > 0.0;
        if !nearest {
            strokes.line(place(a), place(a).with_y(high.y), border, 1.3);
        }
    }
    let rim = palette.background.blend(palette.text, 0.55);
    for edge in relief.edges() {
        strokes.polyline(&edge, rim, 1.2);
    }
    strokes
}

/// Numbers and titles, each with its place.
pub fn texts(
    frame: &SurfaceFrame,
    facing: Facing,
    titles: &Titles,
    strings: &Texts,
) -> Vec<(Vec3, Label)> {
    let label = |text: String, size: f32, faint: bool| Label {
        text,
        view: SceneView::Surface,
        size,
        anchor: Align2::CENTER_CENTER,
        faint,
    };
    let half = 0.5 * (SURFACE_MAX - SURFACE_MIN);
    let (number, title) = (11.0, 13.0);
    let mut all = Vec::new();
    let (xs, ys) = ticks(frame);
    let front = (half.z + 0.55) * facing.z;
    for (x, text) in xs {
        all.push((
            Vec3::new(frame.across(x), 0.0, front),
            label(text, number, true),
        ));
    }
    let place = Vec3::new(0.0, 0.0, (half.z + 1.45) * facing.z);
    all.push((place, label(titles.x.clone(), title, false)));
    let side = (half.x + 0.55) * facing.x;
    for (y, text) in ys {
        all.push((
            Vec3::new(side, 0.0, frame.along(y)),
            label(text, number, true),
        ));
    }
    let place = Vec3::new((half.x + 1.45) * facing.x, 0.0, 0.0);
    all.push((place, label(titles.y.clone(), title, false)));

    let (sx, sz) = facing.left_edge();
    // Away from the numbers of the floor's edge that begins here.
    let edge = Vec3::new(half.x * sx, 0.0, half.z * sz);
    let outwards = if sx == facing.x {
        Vec3::Z * sz
    } else {
        Vec3::X * sx
    };
    let step = smallest_step(&frame.scale.ticks);
    for &tick in &frame.scale.ticks {
        let text = if titles.percent {
            format!("{} %", tick_text(100.0 * tick, 100.0 * step))
        } else if step.is_finite() && frame.scale.ticks.len() > 1 && evenly(&frame.scale.ticks) {
            tick_text(tick, step)
        } else {
            short(tick)
        };
        let place = edge + outwards * 0.55 + Vec3::Y * frame.height(tick);
        all.push((place, label(text, number, true)));
    }
    let mut height = titles.height.clone();
    if frame.scale.is_cut {
        let text = height_text(frame.scale.loss_at(1.0), titles.percent);
        height += &format!("\n{}", strings.with("surface.cut", &[("loss", &text)]));
    }
    if frame.scale.is_floored {
        let text = short(frame.scale.loss_at(0.0));
        height += &format!("\n{}", strings.with("surface.floored", &[("loss", &text)]));
    }
    let place = edge + outwards * 0.2 + Vec3::Y * (height_of(1.0) + 0.5);
    all.push((place, label(height, title, false)));
    all
}

fn height_text(v: f64, percent: bool) -> String {
    if percent {
        format!("{} %", short(100.0 * v))
    } else {
        short(v)
    }
}

/// The coordinates at which the two floor axes have numbers, and the numbers,
/// which are nice ones after the origin is added.
fn ticks(frame: &SurfaceFrame) -> (Vec<(f64, String)>, Vec<(f64, String)>) {
    let axis = |(low, high): (f64, f64), origin: f64| {
        let step = nice_step((high - low) / TICKS as f64);
        nice_ticks(low + origin, high + origin, TICKS)
            .into_iter()
            .map(|v| (v - origin, tick_text(v, step)))
            .collect()
    };
    (axis(frame.x, frame.origin.0), axis(frame.y, frame.origin.1))
}

fn smallest_step(ticks: &[f64]) -> f64 {
    let steps = ticks.windows(2).map(|w| w[1] - w[0]);
    steps.fold(f64::INFINITY, f64::min)
}

fn evenly(ticks: &[f64]) -> bool {
    let step = smallest_step(ticks);
    ticks.windows(2).all(|w| (w[1] - w[0]) < 1.01 * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme::Theme;
    use crate::landscape::{PathOnPlane, Surface};
    use ndarray::Array2;

    fn frame(origin: (f64, f64)) -> (SurfaceFrame, Relief) {
        let axis = vec![-1.0, -0.5, 0.0, 0.5, 1.0];
        let loss = Array2::from_shape_fn((5, 5), |(j, i)| axis[i] * axis[i] + axis[j] * axis[j]);
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        let frame = SurfaceFrame::new(&surface, &PathOnPlane::default(), origin, false).unwrap();
        let relief = Relief::new(&surface, &frame);
        (frame, relief)
    }

    fn titles() -> Titles {
        Titles {
            x: "a".into(),
            y: "b".into(),
            height: "c".into(),
            percent: false,
        }
    }

    #[test]
    fn numbers_say_the_parameters_values_where_the_axes_are_parameters() {
        let (frame, _) = frame((0.3, 0.0));
        let labels = texts(&frame, Facing::default(), &titles(), &Texts::default());
        let half = labels.iter().find(|(_, l)| l.text == "0.5").unwrap();
        assert!(
            (half.0.x - 1.0).abs() < 1e-5,
            "0.5 = 0.3 + 0.2, a fifth of the half range"
        );
    }

    #[test]
    fn numbers_stand_at_the_edges_that_face_the_reader() {
        let (frame, relief) = frame((0.0, 0.0));
        let palette = Theme::DARK.palette();
        for (x, z) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
            let facing = Facing::default().towards(Vec3::new(9.0 * x, 3.0, 9.0 * z));
            for (place, _) in texts(&frame, facing, &titles(), &Texts::default()) {
                assert!(
                    place.x * x > 5.0
                        || place.z * z > 5.0
                        || place.y > 0.0
                        || place.x.abs() > 5.0
                        || place.z.abs() > 5.0
                );
            }
            let (ex, ez) = facing.left_edge();
            let right = Vec3::new(z, 0.0, -x);
            assert!(right.dot(Vec3::new(ex, 0.0, ez)) < 0.0);
            assert!(strokes(&frame, &relief, facing, &palette).0.len() > 500);
        }
        let near = Facing::default().towards(Vec3::new(-0.1, 3.0, 9.0));
        assert_eq!(near, Facing::default());
    }
}
