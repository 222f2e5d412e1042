//! Animated GIF. Its frames last whole hundredths of a second.

use super::{FilmPlan, Sink};
use crate::figure::{FigureError, Pixels};
use gif::{Encoder, EncodingError, Frame, Repeat};
use std::fs::File;
use std::io::{BufWriter, Write};

/// A GIF in the making that will repeat for ever.
pub(super) struct Gif<W: Write> {
    encoder: Encoder<W>,
    side: (u16, u16),
    plan: FilmPlan,
    added: u64,
}

fn failed(error: EncodingError) -> FigureError {
    FigureError::Raster(error.to_string())
}

impl Gif<BufWriter<File>> {
    pub(super) fn new(file: File, plan: FilmPlan) -> Result<Self, FigureError> {
        Gif::to(BufWriter::new(file), plan)
    }
}

impl<W: Write> Gif<W> {
    fn to(writer: W, plan: FilmPlan) -> Result<Self, FigureError> {
        let side = |n: u32| {
            u16::try_from(n)
                .map_err(|_| FigureError::Raster(format!("{n} pixels are too many for a GIF")))
        };
        let (width, height) = (side(plan.size.0)?, side(plan.size.1)?);
        if plan.rate > 50.0 {
            return Err(FigureError::Raster(format!(
                "a GIF has at most 50 frames a second, not {}; .apng and .mp4 have more",
                plan.rate
            )));
        }
        let mut encoder = Encoder::new(writer, width, height, &[]).map_err(failed)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        Ok(Gif {
            encoder,
            side: (width, height),
            plan,
            added: 0,
        })
    }

    /// Hundredths of a second up to the start of a frame. Differences of these keep a
    /// film of 30 frames a second as long as it should be.
    fn begins(&self, frame: u64) -> u64 {
        (100.0 * frame as f64 / self.plan.rate).round() as u64
    }
}

impl<W: Write> Sink for Gif<W> {
    fn add(&mut self, picture: &Pixels, last: bool) -> Result<(), FigureError> {
        let mut rgba = picture.rgba.clone();
        let mut frame = Frame::from_rgba_speed(self.side.0, self.side.1, &mut rgba, 10);
        let lasts = if last {
            (100.0 * self.plan.rest).round() as u64
        } else {
            self.begins(self.added + 1) - self.begins(self.added)
        };
        frame.delay = u16::try_from(lasts).unwrap_or(u16::MAX);
        self.added += 1;
        self.encoder.write_frame(&frame).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<(), FigureError> {
        let mut writer = self.encoder.into_inner().map_err(failed)?;
        writer
            .flush()
            .map_err(|error| FigureError::Raster(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PLAN, frame};
    use super::*;

    #[test]
    fn frames_are_read_back_in_order() {
        let mut bytes = Vec::new();
        let plan = FilmPlan {
            rate: 30.0,
            frames: 4,
            ..PLAN
        };
        let mut film = Gif::to(&mut bytes, plan).unwrap();
        for (value, last) in [(0, false), (60, false), (120, false), (255, true)] {
            film.add(&frame(3, value), last).unwrap();
        }
        Box::new(film).finish().unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).unwrap();
        let mut seen = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            seen.push((frame.delay, frame.buffer[0]));
        }
        assert_eq!(seen, [(3, 0), (4, 60), (3, 120), (50, 255)]);
    }

    #[test]
    fn a_rate_that_no_gif_has_is_refused() {
        let plan = FilmPlan { rate: 60.0, ..PLAN };
        assert!(Gif::to(Vec::new(), plan).is_err());
    }
}
