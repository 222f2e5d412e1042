//! A small writer of SVG: shapes in, a document out.

use crate::colormap::Rgb;
use std::fmt::Write;

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// An SVG document in the making. Lengths are in user units: pixels at scale 1.
#[derive(Debug, Clone)]
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
    clips: usize,
    patterns: usize,
}

impl Svg {
    /// An empty picture of one colour.
    pub fn new(width: f64, height: f64, background: Rgb) -> Self {
        let mut svg = Svg {
            width,
            height,
            body: String::new(),
            clips: 0,
            patterns: 0,
        };
        svg.rect(0.0, 0.0, width, height, background);
        svg
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// A filled rectangle.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Rgb) {
        self.put(format_args!(
            r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" fill="{}"/>"#,
            fill.css()
        ));
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, x: f64, y: f64, width: f64, height: f64, color: Rgb) {
        self.put(format_args!(
            r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" fill="none" stroke="{}"/>"#,
            color.css()
        ));
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), color: Rgb, width: f64, opacity: f64) {
        self.put(format_args!(
            r#"<line x1="{:.2}" y1="{:.2}" x2="{:.2}" y2="{:.2}" stroke="{}" stroke-width="{width:.2}" stroke-opacity="{opacity:.3}"/>"#,
            from.0, from.1, to.0, to.1, color.css()
        ));
    }

    /// A line through points; `dash` as in SVG, empty for a whole line.
    pub fn polyline(
        &mut self,
        points: &[(f64, f64)],
        color: Rgb,
        width: f64,
        opacity: f64,
        dash: &str,
    ) {
        if points.len() < 2 {
            return;
        }
        let mut list = String::with_capacity(points.len() * 14);
        for (x, y) in points {
            let _ = write!(list, "{x:.2},{y:.2} ");
        }
        self.put(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="{width:.2}" stroke-opacity="{opacity:.3}" stroke-linejoin="round" stroke-linecap="round" stroke-dasharray="{}"/>"#,
            list.trim_end(),
            color.css(),
            if dash.is_empty() { "none" } else { dash }
        ));
    }

    /// An area without an outline.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: Rgb, opacity: f64) {
        let mut list = String::with_capacity(points.len() * 14);
        for (x, y) in points {
            let _ = write!(list, "{x:.2},{y:.2} ");
        }
        self.put(format_args!(
            r#"<polygon points="{}" fill="{}" fill-opacity="{opacity:.3}"/>"#,
            list.trim_end(),
            fill.css()
        ));
    }

    /// A disc with an outline.
    pub fn circle(&mut self, center: (f64, f64), radius: f64, fill: Rgb, outline: Rgb) {
        self.put(format_args!(
            r#"<circle cx="{:.2}" cy="{:.2}" r="{radius:.2}" fill="{}" stroke="{}"/>"#,
            center.0,
            center.1,
            fill.css(),
            outline.css()
        ));
    }

    /// A line of text, `size` high, its baseline through `at`.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: Rgb, text: &str) {
        self.put_text(at, size, anchor, color, text, 0.0);
    }

    /// A line of text with a rim of another colour, to be read over lines.
    pub fn label(
        &mut self,
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        (color, rim): (Rgb, Rgb),
        text: &str,
    ) {
        self.put(format_args!(
            r#"<g stroke="{}" stroke-width="6" stroke-linejoin="round" paint-order="stroke">"#,
            rim.css()
        ));
        self.text(at, size, anchor, color, text);
        self.put(format_args!("</g>"));
    }

    /// A line of text around `at`, turned by degrees clockwise, with a narrow rim.
    pub fn turned_label(
        &mut self,
        (x, y): (f64, f64),
        size: f64,
        (color, rim): (Rgb, Rgb),
        turn: f64,
        text: &str,
    ) {
        self.put(format_args!(
            r#"<g transform="rotate({turn:.1} {x:.2} {y:.2})" stroke="{}" stroke-width="5" stroke-linejoin="round" paint-order="stroke">"#,
            rim.css()
        ));
        // About a third of a figure's height is above the baseline's middle.
        self.text((x, y + 0.36 * size), size, Anchor::Middle, color, text);
        self.put(format_args!("</g>"));
    }

    /// Rectangles (left, top, width, height) filled with diagonal lines, or with
    /// crossed ones.
    pub fn hatched(
        &mut self,
        rectangles: &[(f64, f64, f64, f64)],
        ground: Rgb,
        lines: Rgb,
        crossed: bool,
    ) {
        if rectangles.is_empty() {
            return;
        }
        self.patterns += 1;
        let id = self.patterns;
        let strokes = if crossed {
            "M-1 1L1 -1M0 7L7 0M6 8L8 6M-1 6L1 8M0 0L7 7M6 -1L8 1"
        } else {
            "M-1 1L1 -1M0 7L7 0M6 8L8 6"
        };
        self.put(format_args!(
            r#"<pattern id="hatch{id}" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" fill="{}"/><path d="{strokes}" stroke="{}" stroke-width="1"/></pattern>"#,
            ground.css(),
            lines.css()
        ));
        let mut path = String::new();
        for (left, top, width, height) in rectangles {
            let _ = write!(
                path,
                "M{left:.2} {top:.2}h{width:.2}v{height:.2}h-{width:.2}z"
            );
        }
        self.put(format_args!(r#"<path d="{path}" fill="url(#hatch{id})"/>"#));
    }

    /// A curve that passes all points horizontally; `dash` as in SVG, empty for
    /// a whole line.
    pub fn swing(
        &mut self,
        points: &[(f64, f64)],
        color: Rgb,
        width: f64,
        opacity: f64,
        dash: &str,
    ) {
        let Some((first, _)) = points.split_first() else {
            return;
        };
        let mut list = format!("M{:.1} {:.1}", first.0, first.1);
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let middle = (x0 + x1) / 2.0;
            let _ = write!(
                list,
                "C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}"
            );
        }
        self.put(format_args!(
            r#"<path d="{list}" fill="none" stroke="{}" stroke-width="{width:.2}" stroke-opacity="{opacity:.3}" stroke-linecap="round" stroke-dasharray="{}"/>"#,
            color.css(),
            if dash.is_empty() { "none" } else { dash }
        ));
    }

    /// A line of text that runs upwards.
    pub fn text_upwards(
        &mut self,
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        color: Rgb,
        text: &str,
    ) {
        self.put_text(at, size, anchor, color, text, -90.0);
    }

    fn put_text(
        &mut self,
        (x, y): (f64, f64),
        size: f64,
        anchor: Anchor,
        color: Rgb,
        text: &str,
        turn: f64,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let transform = if turn == 0.0 {
            String::new()
        } else {
            format!(r#" transform="rotate({turn} {x:.2} {y:.2})""#)
        };
        self.put(format_args!(
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size:.2}" text-anchor="{anchor}" fill="{}"{transform}>{}</text>"#,
            color.css(),
            escape(text)
        ));
    }

    /// A PNG stretched over a rectangle.
    pub fn image(&mut self, x: f64, y: f64, width: f64, height: f64, png: &[u8]) {
        self.put(format_args!(
            r#"<image x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" preserveAspectRatio="none" href="data:image/png;base64,{}"/>"#,
            base64(png)
        ));
    }

    /// The same with hard edges: each pixel of the PNG is a cell.
    pub fn cells(&mut self, x: f64, y: f64, width: f64, height: f64, png: &[u8]) {
        self.put(format_args!(
            r#"<image x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#,
            base64(png)
        ));
    }

    /// What `draw` adds is cut off outside the rectangle.
    pub fn clipped(
        &mut self,
        (x, y, width, height): (f64, f64, f64, f64),
        draw: impl FnOnce(&mut Self),
    ) {
        self.clips += 1;
        let id = self.clips;
        self.put(format_args!(
            r#"<clipPath id="clip{id}"><rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}"/></clipPath><g clip-path="url(#clip{id})">"#
        ));
        draw(self);
        self.put(format_args!("</g>"));
    }

    /// The document.
    pub fn finish(self) -> String {
        let (w, h) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {w} {h}\" font-family=\"Noto Sans, Noto Sans CJK SC, Noto Sans Math, \
             sans-serif\">\n{}</svg>\n",
            self.body
        )
    }
}

/// About how wide a text of this size is: what its letters are on average.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let wide = |c: char| if c as u32 >= 0x2e80 { 1.0 } else { 0.5 };
    size * text.chars().map(wide).sum::<f64>()
}

/// A text in lines of about `width` at most, broken between words.
pub(super) fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(line, size) + text_width(word, size) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Text as XML content; characters that XML forbids become spaces.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if (c as u32) < 0x20 || matches!(c as u32, 0xfffe | 0xffff) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (i, &byte)| {
            word | u32::from(byte) << (16 - 8 * i)
        });
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(ALPHABET[(word >> (18 - 6 * i)) as usize & 63] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_examples_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn text_cannot_break_out_of_its_element() {
        assert_eq!(escape("a<b>&\"c\"\u{1}"), "a&lt;b&gt;&amp;&quot;c&quot; ");
    }
}
