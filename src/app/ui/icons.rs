//! The icons of the interface, drawn as shapes: sharp at every scale and alike
//! in every language.

use bevy_egui::egui::{self, Color32, Painter, Pos2, Rect, Shape, Stroke, vec2};
use std::f32::consts::{PI, TAU};

/// What an icon button means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Icon {
    Play,
    Pause,
    Step,
    Epoch,
    Reset,
    Dice,
    Rewind,
    Sun,
    Moon,
    Help,
    PanelLeft,
    PanelRight,
    Plus,
    Minus,
    Cross,
    Previous,
    Next,
    Network,
    Surface,
    Both,
    Together,
    RangeTest,
    Sweep,
    Warning,
    Events,
    Chain,
    Pen,
    Exercises,
    Inside,
    Lessons,
    Runs,
}

impl Icon {
    /// Draws the icon in the middle of `rect`, as large as `size` points.
    pub fn paint(self, painter: &Painter, rect: Rect, size: f32, color: Color32) {
        let c = rect.center();
        let u = size / 2.0;
        let p = |x: f32, y: f32| c + vec2(x, y) * u;
        let stroke = Stroke::new((size / 10.0).max(1.4), color);
        let line = |a: Pos2, b: Pos2| painter.line_segment([a, b], stroke);
        let fill = |points: Vec<Pos2>| {
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        };
        let bar = |x0: f32, x1: f32| {
            painter.rect_filled(Rect::from_min_max(p(x0, -0.8), p(x1, 0.8)), 1.0, color);
        };
        let arc = |from: f32, to: f32, radius: f32| {
            let points = (0..=24)
                .map(|i| {
                    let a = from + (to - from) * i as f32 / 24.0;
                    p(radius * a.cos(), radius * a.sin())
                })
                .collect();
            painter.add(Shape::line(points, stroke));
        };
        let frame = |x0: f32, x1: f32| {
            let rect = Rect::from_min_max(p(x0, -0.8), p(x1, 0.8));
            painter.rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Middle);
        };
        match self {
            Icon::Play => fill(vec![p(-0.6, -0.85), p(0.9, 0.0), p(-0.6, 0.85)]),
            Icon::Pause => {
                bar(-0.7, -0.22);
                bar(0.22, 0.7);
            }
            Icon::Events => {
                // Three neurons in a row, and a pulse on its way.
                line(p(-0.8, 0.45), p(0.8, 0.45));
                for x in [-0.8, 0.0, 0.8] {
                    painter.circle_filled(p(x, 0.45), size * 0.1, color);
                }
                fill(vec![p(-0.45, -0.75), p(0.35, -0.35), p(-0.45, 0.05)]);
            }
            Icon::Runs => {
                // A list of lines, a dot before each.
                for y in [-0.6, 0.0, 0.6] {
                    painter.circle_filled(p(-0.75, y), size * 0.09, color);
                    line(p(-0.35, y), p(0.9, y));
                }
            }
            Icon::Chain => {
                // A way from one end to the other.
                let way = [(0.85, -0.6), (0.1, 0.35), (-0.1, -0.35), (-0.85, 0.6)];
                let way = way.map(|(x, y)| p(x, y));
                painter.add(Shape::line(way.to_vec(), stroke));
                for at in way {
                    painter.circle_filled(at, size * 0.12, color);
                }
            }
            Icon::Inside => {
                // An image of four cells by four, some of them filled.
                frame(-0.8, 0.8);
                for (x, y) in [(-0.8, -0.8), (0.0, -0.4), (-0.4, 0.0), (0.4, 0.4)] {
                    let cell = Rect::from_min_size(p(x, y), vec2(0.4, 0.4) * u);
                    painter.rect_filled(cell, 0.0, color);
                }
            }
            Icon::Pen => {
                let body = [(-0.45, 0.75), (-0.75, 0.45), (0.45, -0.75), (0.75, -0.45)];
                let body = body.map(|(x, y)| p(x, y)).to_vec();
                painter.add(Shape::closed_line(body, stroke));
                fill(vec![p(-0.45, 0.75), p(-0.75, 0.45), p(-0.9, 0.9)]);
            }
            Icon::Exercises => {
                // A list with a tick.
                line(p(-0.05, -0.55), p(0.9, -0.55));
                line(p(-0.05, 0.5), p(0.9, 0.5));
                let tick = [p(-0.95, -0.6), p(-0.7, -0.3), p(-0.3, -0.85)];
                painter.add(Shape::line(tick.to_vec(), stroke));
                painter.circle_stroke(p(-0.62, 0.5), u * 0.26, stroke);
            }
            Icon::Lessons => {
                // An open book.
                for side in [-1.0, 1.0] {
                    let page = [(0.0, -0.5), (0.9, -0.7), (0.9, 0.55), (0.0, 0.75)];
                    let page = page.map(|(x, y)| p(side * x, y));
                    painter.add(Shape::closed_line(page.to_vec(), stroke));
                }
            }
            Icon::Step => {
                fill(vec![p(-0.2, -0.7), p(0.85, 0.0), p(-0.2, 0.7)]);
                bar(-0.75, -0.45);
            }
            Icon::Epoch => {
                fill(vec![p(-0.9, -0.7), p(-0.1, 0.0), p(-0.9, 0.7)]);
                fill(vec![p(-0.1, -0.7), p(0.7, 0.0), p(-0.1, 0.7)]);
                bar(0.68, 0.95);
            }
            Icon::Rewind => {
                fill(vec![p(0.9, -0.7), p(0.05, 0.0), p(0.9, 0.7)]);
                fill(vec![p(0.05, -0.7), p(-0.8, 0.0), p(0.05, 0.7)]);
            }
            Icon::Reset => {
                arc(-PI * 0.75, PI * 0.95, 0.75);
                let (tip, a) = (p(-0.53, -0.53), size * 0.2);
                fill(vec![
                    tip + vec2(-a, -a * 0.9),
                    tip + vec2(a * 1.1, -a * 0.6),
                    tip + vec2(-a * 0.6, a * 1.1),
                ]);
            }
            Icon::Dice => {
                let rect = Rect::from_min_max(p(-0.8, -0.8), p(0.8, 0.8));
                painter.rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Middle);
                for (x, y) in [
                    (-0.38, -0.38),
                    (0.38, 0.38),
                    (0.0, 0.0),
                    (0.38, -0.38),
                    (-0.38, 0.38),
                ] {
                    painter.circle_filled(p(x, y), size * 0.075, color);
                }
            }
            Icon::Sun => {
                painter.circle_stroke(c, u * 0.42, stroke);
                for i in 0..8 {
                    let a = i as f32 * TAU / 8.0;
                    let at = |r: f32| p(r * a.cos(), r * a.sin());
                    line(at(0.68), at(0.95));
                }
            }
            Icon::Moon => {
                // Between a circle and a smaller one towards the upper right: from
                // one crossing of the two to the other along each.
                let (outer, inner) = ((17.2_f32, 266.2_f32), (54.4_f32, 229.0_f32));
                let at = |(from, to): (f32, f32), t: f32, r: f32, x: f32, y: f32| {
                    let a = (from + (to - from) * t).to_radians();
                    p(x + r * a.cos(), y + r * a.sin())
                };
                let mut mesh = egui::Mesh::default();
                for i in 0..=24 {
                    let t = i as f32 / 24.0;
                    mesh.colored_vertex(at(outer, t, 0.9, 0.0, 0.0), color);
                    mesh.colored_vertex(at(inner, t, 0.743, 0.4275, -0.3375), color);
                    if i > 0 {
                        let k = 2 * i;
                        mesh.add_triangle(k - 2, k - 1, k);
                        mesh.add_triangle(k - 1, k, k + 1);
                    }
                }
                painter.add(Shape::mesh(mesh));
            }
            Icon::Help => {
                let font = egui::FontId::proportional(size * 1.15);
                painter.text(c, egui::Align2::CENTER_CENTER, "?", font, color);
            }
            Icon::PanelLeft => {
                frame(-0.95, 0.95);
                line(p(-0.35, -0.8), p(-0.35, 0.8));
            }
            Icon::PanelRight => {
                frame(-0.95, 0.95);
                line(p(0.35, -0.8), p(0.35, 0.8));
            }
            Icon::Plus => {
                line(p(-0.7, 0.0), p(0.7, 0.0));
                line(p(0.0, -0.7), p(0.0, 0.7));
            }
            Icon::Minus => {
                line(p(-0.7, 0.0), p(0.7, 0.0));
            }
            Icon::Cross => {
                line(p(-0.55, -0.55), p(0.55, 0.55));
                line(p(-0.55, 0.55), p(0.55, -0.55));
            }
            Icon::Previous => {
                line(p(0.3, -0.65), p(-0.4, 0.0));
                line(p(-0.4, 0.0), p(0.3, 0.65));
            }
            Icon::Next => {
                line(p(-0.3, -0.65), p(0.4, 0.0));
                line(p(0.4, 0.0), p(-0.3, 0.65));
            }
            Icon::RangeTest => {
                // A loss that falls and then breaks out.
                let points = [
                    (-0.95, -0.35),
                    (-0.5, -0.3),
                    (-0.1, 0.35),
                    (0.25, 0.65),
                    (0.5, 0.3),
                    (0.8, -0.85),
                ];
                let points = points.map(|(x, y)| p(x, y)).to_vec();
                painter.add(Shape::line(points, stroke));
            }
            Icon::Warning => {
                let corners = vec![p(0.0, -0.85), p(0.95, 0.8), p(-0.95, 0.8)];
                painter.add(Shape::closed_line(corners, stroke));
                line(p(0.0, -0.25), p(0.0, 0.3));
                painter.circle_filled(p(0.0, 0.55), 0.6 * stroke.width, color);
            }
            Icon::Sweep => {
                for x in [-0.85, 0.0, 0.85] {
                    line(p(x, -0.9), p(x, 0.9));
                }
                line(p(-0.85, 0.5), p(0.0, -0.5));
                line(p(0.0, -0.5), p(0.85, 0.1));
            }
            Icon::Network => {
                let (a, b) = ([-0.55, 0.55], [-0.75, 0.0, 0.75]);
                for y in a {
                    for z in b {
                        line(p(-0.75, y), p(0.65, z));
                    }
                }
                for y in a {
                    painter.circle_filled(p(-0.75, y), size * 0.13, color);
                }
                for z in b {
                    painter.circle_filled(p(0.65, z), size * 0.13, color);
                }
            }
            Icon::Surface => {
                for k in 0..3 {
                    let shift = 0.42 * k as f32;
                    let points = (0..=20)
                        .map(|i| {
                            let x = -0.95 + 1.9 * i as f32 / 20.0;
                            p(x, -0.75 + shift + 0.62 * (-(x * x) * 3.5).exp())
                        })
                        .collect();
                    painter.add(Shape::line(points, stroke));
                }
            }
            Icon::Both => {
                frame(-0.95, -0.12);
                frame(0.12, 0.95);
            }
            Icon::Together => {
                painter.circle_stroke(p(-0.33, 0.0), u * 0.6, stroke);
                painter.circle_stroke(p(0.33, 0.0), u * 0.6, stroke);
            }
        }
    }
}
