//! Animated PNG: nothing is lost, and who cannot play it shows its first frame.

use super::{FilmPlan, Sink};
use crate::figure::{FigureError, Pixels};
use png::{BitDepth, BlendOp, ColorType, DisposeOp, Encoder, EncodingError, Writer};
use std::fs::File;
use std::io::{BufWriter, Write};

/// Delays are fractions of a second with this denominator.
const TICKS: u16 = 10_000;

/// An animated PNG in the making that will repeat for ever.
pub(super) struct Apng<W: Write> {
    writer: Writer<W>,
    rest: u16,
}

fn failed(error: EncodingError) -> FigureError {
    FigureError::Raster(error.to_string())
}

/// Seconds as a number of ticks; the longest delay is six and a half seconds.
fn ticks(seconds: f64) -> u16 {
    (seconds * f64::from(TICKS)).round() as u16
}

impl Apng<BufWriter<File>> {
    pub(super) fn new(file: File, plan: &FilmPlan) -> Result<Self, FigureError> {
        Apng::to(BufWriter::new(file), plan)
    }
}

impl<W: Write> Apng<W> {
    fn to(writer: W, plan: &FilmPlan) -> Result<Self, FigureError> {
        let frames = u32::try_from(plan.frames)
            .map_err(|_| FigureError::Raster("too many frames for a PNG".to_owned()))?;
        let mut encoder = Encoder::new(writer, plan.size.0, plan.size.1);
        encoder.set_color(ColorType::Rgba);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        encoder.set_animated(frames, 0).map_err(failed)?;
        encoder
            .set_frame_delay(ticks(1.0 / plan.rate), TICKS)
            .map_err(failed)?;
        encoder
            .set_dispose_op(DisposeOp::None)
            .and_then(|()| encoder.set_blend_op(BlendOp::Source))
            .map_err(failed)?;
        Ok(Apng {
            writer: encoder.write_header().map_err(failed)?,
            rest: ticks(plan.rest),
        })
    }
}

impl<W: Write> Sink for Apng<W> {
    fn add(&mut self, picture: &Pixels, last: bool) -> Result<(), FigureError> {
        if last {
            self.writer
                .set_frame_delay(self.rest, TICKS)
                .map_err(failed)?;
        }
        self.writer.write_image_data(&picture.rgba).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<(), FigureError> {
        self.writer.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PLAN, frame};
    use super::*;
    use std::io::Cursor;

    #[test]
    fn frames_are_read_back_in_order_with_their_times() {
        let mut bytes = Vec::new();
        let mut film = Apng::to(&mut bytes, &PLAN).unwrap();
        film.add(&frame(3, 7), false).unwrap();
        film.add(&frame(3, 255), true).unwrap();
        Box::new(film).finish().unwrap();
        let mut reader = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
        let control = *reader.info().animation_control().unwrap();
        assert_eq!((control.num_frames, control.num_plays), (2, 0));
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        for (value, delay) in [(7, 400), (255, 5000)] {
            reader.next_frame(&mut buffer).unwrap();
            assert_eq!(buffer, frame(3, value).rgba);
            let of_frame = *reader.info().frame_control().unwrap();
            assert_eq!((of_frame.delay_num, of_frame.delay_den), (delay, TICKS));
        }
    }
}
