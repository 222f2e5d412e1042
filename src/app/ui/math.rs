//! Formulas set as in print: italic variables, subscripts, fractions, sums with
//! their limits, in boxes that stand on a common baseline (after TeX, Knuth 1986,
//! appendix G, in the small).

use crate::app::text::FORMULAS;
use bevy_egui::egui::{self, Color32, FontFamily, FontId, Painter, Pos2, Rect, Vec2, vec2};
use std::sync::Arc;

/// A piece of a formula.
#[derive(Debug, Clone)]
pub enum Math {
    /// Upright: digits, signs, names of functions.
    Text(String),
    /// Italic: variables.
    Var(String),
    /// One after the other.
    Row(Vec<Math>),
    /// A numerator over a denominator.
    Fraction(Box<Math>, Box<Math>),
    /// With what stands below and above at its right.
    Scripts(Box<Math>, Option<Box<Math>>, Option<Box<Math>>),
    /// A sum with what stands under and over it.
    Sum(Option<Box<Math>>, Option<Box<Math>>),
    /// The square root of something.
    Root(Box<Math>),
    /// With a circumflex over it.
    Hat(Box<Math>),
    /// In parentheses as high as what is in them.
    Fenced(Box<Math>),
    /// Something that can be pointed at, by a number.
    Link(usize, Box<Math>),
    /// In another colour.
    Tinted(Color32, Box<Math>),
    /// Empty, so many ems wide.
    Space(f32),
}

/// A piece that is upright.
pub fn text(text: impl Into<String>) -> Math {
    Math::Text(text.into())
}

/// A variable.
pub fn var(name: impl Into<String>) -> Math {
    Math::Var(name.into())
}

/// Pieces one after the other.
pub fn row(pieces: impl IntoIterator<Item = Math>) -> Math {
    Math::Row(pieces.into_iter().collect())
}

/// A binary operator, with room around it.
pub fn sign(sign: &str) -> Math {
    row([Math::Space(0.22), text(sign), Math::Space(0.22)])
}

/// A relation, with a little more room around it.
pub fn relation(sign: &str) -> Math {
    row([Math::Space(0.28), text(sign), Math::Space(0.28)])
}

impl Math {
    /// With something at the lower right.
    pub fn sub(self, below: Math) -> Math {
        match self {
            Math::Scripts(base, None, above) => Math::Scripts(base, Some(below.into()), above),
            base => Math::Scripts(base.into(), Some(below.into()), None),
        }
    }

    /// With something at the upper right.
    pub fn sup(self, above: Math) -> Math {
        match self {
            Math::Scripts(base, below, None) => Math::Scripts(base, below, Some(above.into())),
            base => Math::Scripts(base.into(), None, Some(above.into())),
        }
    }

    /// Over something.
    pub fn over(self, below: Math) -> Math {
        Math::Fraction(self.into(), below.into())
    }

    /// As something that can be pointed at.
    pub fn link(self, id: usize) -> Math {
        Math::Link(id, self.into())
    }

    /// In parentheses.
    pub fn fenced(self) -> Math {
        Math::Fenced(self.into())
    }
}

/// The italic form of a letter, where there is one.
fn italic(c: char) -> char {
    let shifted = |base: u32, from: char| char::from_u32(base + c as u32 - from as u32);
    let found = match c {
        'h' => Some('\u{210e}'),
        'a'..='z' => shifted(0x1d44e, 'a'),
        'A'..='Z' => shifted(0x1d434, 'A'),
        'α'..='ω' => shifted(0x1d6fc, 'α'),
        '∂' => Some('\u{1d715}'),
        _ => None,
    };
    found.unwrap_or(c)
}

/// Something laid out: it stands on the baseline at its origin.
#[derive(Default, Clone)]
pub struct Laid {
    width: f32,
    /// Above the baseline, and below it.
    ascent: f32,
    descent: f32,
    parts: Vec<Part>,
}

/// A thing that is painted, or pointed at, beside the origin.
#[derive(Clone)]
enum Part {
    /// Letters with their upper left corner.
    Letters(Vec2, Arc<egui::Galley>, Color32),
    /// A stroke with its ends and its thickness.
    Line(Vec2, Vec2, f32, Color32),
    /// Where something can be pointed at.
    Link(usize, Rect),
}

impl Laid {
    /// Its width and height, in points.
    pub fn size(&self) -> Vec2 {
        vec2(self.width, self.ascent + self.descent)
    }

    /// How far it reaches above its baseline, in points.
    pub fn ascent(&self) -> f32 {
        self.ascent
    }

    /// How far it reaches below its baseline, in points.
    pub fn descent(&self) -> f32 {
        self.descent
    }

    /// Puts `other` into it, its origin at `at`.
    fn put(&mut self, other: Laid, at: Vec2) {
        self.ascent = self.ascent.max(other.ascent - at.y);
        self.descent = self.descent.max(other.descent + at.y);
        self.width = self.width.max(at.x + other.width);
        self.parts
            .extend(other.parts.into_iter().map(|part| match part {
                Part::Letters(place, galley, color) => Part::Letters(place + at, galley, color),
                Part::Line(a, b, width, color) => Part::Line(a + at, b + at, width, color),
                Part::Link(id, rect) => Part::Link(id, rect.translate(at)),
            }));
    }

    /// Puts `other` behind it.
    fn append(&mut self, other: Laid) {
        let at = vec2(self.width, 0.0);
        self.put(other, at);
    }

    /// Paints it with its upper left corner at `corner`.
    pub fn paint(&self, painter: &Painter, corner: Pos2) {
        let origin = corner + vec2(0.0, self.ascent);
        for part in &self.parts {
            match part {
                Part::Letters(at, galley, color) => {
                    painter.galley(origin + *at, Arc::clone(galley), *color);
                }
                Part::Line(a, b, width, color) => {
                    painter.line_segment([origin + *a, origin + *b], (*width, *color));
                }
                Part::Link(..) => {}
            }
        }
    }

    /// What can be pointed at, when its upper left corner is at `corner`.
    pub fn links(&self, corner: Pos2) -> impl Iterator<Item = (usize, Rect)> + '_ {
        let origin = corner.to_vec2() + vec2(0.0, self.ascent);
        self.parts.iter().filter_map(move |part| match part {
            Part::Link(id, rect) => Some((*id, rect.translate(origin))),
            _ => None,
        })
    }
}

/// What formulas are set with.
#[derive(Clone)]
pub struct Setter {
    painter: Painter,
    color: Color32,
}

/// Scripts and limits as a share of what they stand at.
const SMALLER: f32 = 0.7;
/// Scripts of scripts are no smaller than this share of the whole formula's letters.
const SMALLEST: f32 = 0.5;
/// In ems: half the height of a minus sign above the baseline, where fractions have
/// their bar.
const MIDDLE: f32 = 0.253;
/// How far letters reach above and below the baseline, in ems.
const ASCENT: f32 = 0.72;
const DESCENT: f32 = 0.22;

/// How large scripts and limits are at letters of `size` points, in a formula of
/// `base` points.
fn smaller(size: f32, base: f32) -> f32 {
    (SMALLER * size).max(SMALLEST * base)
}

impl Setter {
    /// Sets with a painter's fonts in a colour.
    pub fn new(painter: &Painter, color: Color32) -> Self {
        Setter {
            painter: painter.clone(),
            color,
        }
    }

    /// Lays `math` out in letters of `size` points.
    pub fn lay(&self, math: &Math, size: f32) -> Laid {
        self.part(math, size, size)
    }

    /// Lays a part of a formula out in letters of `size` points; those of the whole
    /// formula are of `base` points.
    fn part(&self, math: &Math, size: f32, base: f32) -> Laid {
        match math {
            Math::Text(text) => self.letters(text.clone(), size),
            Math::Var(name) => self.letters(name.chars().map(italic).collect(), size),
            Math::Row(pieces) => {
                let mut laid = Laid::default();
                for piece in pieces {
                    laid.append(self.part(piece, size, base));
                }
                laid
            }
            Math::Space(ems) => Laid {
                width: ems * size,
                ..Laid::default()
            },
            Math::Fraction(above, below) => self.fraction(above, below, size, base),
            Math::Scripts(of, below, above) => {
                self.scripts(of, below.as_deref(), above.as_deref(), size, base)
            }
            Math::Sum(below, above) => self.sum(below.as_deref(), above.as_deref(), size, base),
            Math::Root(of) => self.root(of, size, base),
            Math::Hat(of) => self.hat(of, size, base),
            Math::Fenced(inside) => self.fenced(inside, size, base),
            Math::Link(id, body) => {
                let mut laid = self.part(body, size, base);
                let rect = Rect::from_min_max(
                    Pos2::new(0.0, -laid.ascent),
                    Pos2::new(laid.width, laid.descent),
                );
                laid.parts.push(Part::Link(*id, rect));
                laid
            }
            Math::Tinted(color, body) => {
                let setter = Setter {
                    color: *color,
                    ..self.clone()
                };
                setter.part(body, size, base)
            }
        }
    }

    /// Letters that stand on the baseline.
    fn letters(&self, text: String, size: f32) -> Laid {
        let font = FontId::new(size, FontFamily::Name(FORMULAS.into()));
        let galley = self.painter.layout_no_wrap(text, font, self.color);
        let baseline = galley
            .rows
            .first()
            .and_then(|row| row.glyphs.first())
            .map_or(0.0, |glyph| glyph.pos.y);
        Laid {
            width: galley.size().x,
            ascent: ASCENT * size,
            descent: DESCENT * size,
            parts: vec![Part::Letters(vec2(0.0, -baseline), galley, self.color)],
        }
    }

    /// A stroke from `a` to `b`, as thick as those of letters of this size.
    fn line(&self, a: Vec2, b: Vec2, size: f32) -> Part {
        Part::Line(a, b, (size / 16.0).max(1.0), self.color)
    }

    /// One over the other, with a bar between them.
    fn fraction(&self, above: &Math, below: &Math, size: f32, base: f32) -> Laid {
        let [above, below] = [above, below].map(|part| self.part(part, size, base));
        let width = above.width.max(below.width) + 0.42 * size;
        let bar = -MIDDLE * size;
        let gap = 0.16 * size;
        let mut laid = Laid::default();
        let (x, y) = (0.5 * (width - above.width), bar - gap - above.descent);
        laid.put(above, vec2(x, y));
        let (x, y) = (0.5 * (width - below.width), bar + gap + below.ascent);
        laid.put(below, vec2(x, y));
        laid.parts
            .push(self.line(vec2(0.12 * size, bar), vec2(width - 0.12 * size, bar), size));
        laid.width = width;
        laid
    }

    /// With what stands at its lower and its upper right.
    fn scripts(
        &self,
        of: &Math,
        below: Option<&Math>,
        above: Option<&Math>,
        size: f32,
        base: f32,
    ) -> Laid {
        let mut laid = self.part(of, size, base);
        let script = |math: Option<&Math>| math.map(|m| self.part(m, smaller(size, base), base));
        let (below, above) = (script(below), script(above));
        // Of what is higher than a letter, scripts stand at its ends.
        let mut up = (laid.ascent - 0.36 * size).max(0.36 * size);
        let mut down = laid.descent.max(0.2 * size);
        if let (Some(below), Some(above)) = (&below, &above) {
            // Apart from each other; most of what lacks is above.
            let room = above.descent + below.ascent + 0.08 * size;
            let lacks = (room - up - down).max(0.0);
            up += 0.8 * lacks;
            down += 0.2 * lacks;
        }
        // Letters are slanted: what is above stands a little to the right.
        let width = laid.width;
        if let Some(above) = above {
            laid.put(above, vec2(width + 0.04 * size, -up));
        }
        if let Some(below) = below {
            laid.put(below, vec2(width - 0.02 * size, down));
        }
        laid.width += 0.06 * size;
        laid
    }

    /// The large sign of a sum with its limits.
    fn sum(&self, below: Option<&Math>, above: Option<&Math>, size: f32, base: f32) -> Laid {
        let large = self.letters("∑".to_owned(), 1.36 * size);
        let limit = |math: Option<&Math>| math.map(|m| self.part(m, smaller(size, base), base));
        let (below, above) = (limit(below), limit(above));
        let widest = [&below, &above].map(|l| l.as_ref().map_or(0.0, |l| l.width));
        let width = large.width.max(widest[0]).max(widest[1]);
        let mut laid = Laid::default();
        let (sign, drop) = (large.width, 0.09 * size);
        let (top, bottom) = (large.ascent - drop, large.descent + drop);
        laid.put(large, vec2(0.5 * (width - sign), drop));
        if let Some(above) = above {
            let at = vec2(
                0.5 * (width - above.width),
                -top - above.descent - 0.08 * size,
            );
            laid.put(above, at);
        }
        if let Some(below) = below {
            let at = vec2(
                0.5 * (width - below.width),
                bottom + below.ascent + 0.12 * size,
            );
            laid.put(below, at);
        }
        laid.width = width + 0.12 * size;
        laid
    }

    /// Under the sign of a root.
    fn root(&self, of: &Math, size: f32, base: f32) -> Laid {
        let inside = self.part(of, size, base);
        let (top, bottom) = (-inside.ascent - 0.12 * size, inside.descent);
        let hook = 0.55 * size;
        let end = hook + inside.width + 0.06 * size;
        let mut laid = Laid::default();
        laid.put(inside, vec2(hook, 0.0));
        let places = [
            vec2(0.05 * size, -0.2 * size),
            vec2(0.18 * size, -0.28 * size),
            vec2(0.32 * size, bottom),
            vec2(hook - 0.04 * size, top),
            vec2(end, top),
        ];
        for pair in places.windows(2) {
            laid.parts.push(self.line(pair[0], pair[1], size));
        }
        laid.ascent = laid.ascent.max(-top + 0.08 * size);
        laid.width = end + 0.04 * size;
        laid
    }

    /// With a circumflex.
    fn hat(&self, of: &Math, size: f32, base: f32) -> Laid {
        let mut laid = self.part(of, size, base);
        // Over small letters, a little to the right, as those are slanted.
        let (middle, foot) = (0.5 * laid.width + 0.05 * size, -0.54 * size);
        let top = vec2(middle, foot - 0.13 * size);
        for side in [-0.15, 0.15] {
            let end = vec2(middle + side * size, foot);
            laid.parts.push(self.line(end, top, size));
        }
        laid
    }

    /// Between parentheses that are as high as it.
    fn fenced(&self, inside: &Math, size: f32, base: f32) -> Laid {
        let inside = self.part(inside, size, base);
        // Letters of their own size as long as they reach.
        let height = inside.ascent + inside.descent;
        let scale = (height / ((ASCENT + DESCENT) * size)).max(1.0);
        let drop = 0.5 * (inside.descent - inside.ascent) + 0.25 * scale * size;
        let fence = |sign: &str| self.letters(sign.to_owned(), scale * size);
        let mut laid = Laid::default();
        for (index, part) in [fence("("), inside, fence(")")].into_iter().enumerate() {
            let at = vec2(laid.width, if index == 1 { 0.0 } else { drop });
            laid.put(part, at);
        }
        laid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::font_definitions;

    fn with_setter(test: impl Fn(&Setter)) {
        let ctx = egui::Context::default();
        ctx.set_fonts(font_definitions());
        ctx.run_ui(egui::RawInput::default(), |ui| {
            test(&Setter::new(ui.painter(), Color32::WHITE));
        })
        .drop_without_applying_deltas();
    }

    #[test]
    fn scripts_are_smaller_and_stand_above_and_below() {
        with_setter(|setter| {
            let plain = setter.lay(&var("w"), 20.0);
            let with = setter.lay(&var("w").sub(text("12")).sup(text("(1)")), 20.0);
            assert!(with.width > plain.width);
            assert!(with.ascent > plain.ascent && with.descent > plain.descent);
            let both = setter.lay(&text("12"), 14.0).width;
            assert!(with.width < plain.width + both + setter.lay(&text("(1)"), 14.0).width);
        });
    }

    #[test]
    fn scripts_keep_apart_and_what_is_below_stands_further_left() {
        with_setter(|setter| {
            let scripts = var("w").sub(text("1").link(1)).sup(text("2").link(2));
            let laid = setter.lay(&scripts, 20.0);
            let places: Vec<_> = laid.links(Pos2::ZERO).collect();
            let place = |id: usize| places.iter().find(|(of, _)| *of == id).unwrap().1;
            let (below, above) = (place(1), place(2));
            assert!(below.top() - above.bottom() > 0.079 * 20.0);
            assert!((above.left() - below.left() - 1.2).abs() < 1e-3);
        });
    }

    #[test]
    fn scripts_of_scripts_stay_legible() {
        with_setter(|setter| {
            let tower = text("1").sup(text("2").sup(text("3").sup(text("4").link(1))));
            let laid = setter.lay(&tower, 20.0);
            let (_, rect) = laid.links(Pos2::ZERO).next().unwrap();
            let half = setter.lay(&text("4"), 10.0);
            assert!((rect.width() - half.width).abs() < 1e-3);
            assert!((laid.ascent() + laid.descent() - laid.size().y).abs() < 1e-3);
        });
    }

    #[test]
    fn a_fraction_is_as_wide_as_its_wider_part_and_links_lie_where_they_are_painted() {
        with_setter(|setter| {
            let wide = row([text("1"), sign("+"), text("e")]);
            let laid = setter.lay(&text("1").over(wide.clone().link(7)), 20.0);
            let inner = setter.lay(&wide, 20.0);
            assert!((laid.width - inner.width - 8.4).abs() < 1e-3);
            let links: Vec<_> = laid.links(Pos2::new(100.0, 50.0)).collect();
            assert_eq!(links.len(), 1);
            let (id, rect) = links[0];
            assert_eq!(id, 7);
            let whole = Rect::from_min_size(Pos2::new(100.0, 50.0), laid.size());
            assert!(
                whole.expand(0.5).contains_rect(rect),
                "{rect:?} in {whole:?}"
            );
            assert!(rect.center().y > whole.center().y, "it is the denominator");
        });
    }

    #[test]
    fn every_letter_of_a_formula_is_in_its_font() {
        let ctx = egui::Context::default();
        ctx.set_fonts(font_definitions());
        ctx.run_ui(egui::RawInput::default(), |_| {})
            .drop_without_applying_deltas();
        ctx.fonts_mut(|fonts| {
            let mut family = fonts.fonts.font(&FontFamily::Name(FORMULAS.into()));
            let known = family.characters();
            let letters = ('a'..='z').chain('A'..='Z').chain('α'..='ω').chain(['∂']);
            for c in letters.filter(|&c| c != 'ς') {
                assert!(known.contains_key(&italic(c)), "{c}");
                assert_ne!(italic(c), c);
            }
            for c in "0123456789.,·×+−=≈()∑√′←→…|/⋯".chars() {
                assert!(known.contains_key(&c), "{c}");
            }
        });
    }
}
