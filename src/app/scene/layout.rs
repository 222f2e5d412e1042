//! Where neurons stand: a column for the inputs and one for each layer, along
//! +x, y up, z toward the viewer, centred on the origin.
//!
//! Up to [`LINE`] units stand in a vertical, gently curved line. More of them
//! fill a grid, and the pixels of an image fill the image. Grids are turned so
//! that one who looks along +x from the left front sees their faces; what comes
//! after a column then leaves from behind it and hides nothing.

use crate::data::ImageShape;
use bevy::prelude::*;

/// At most so many units stand in a line.
pub const LINE: usize = 16;
/// What a column's height comes to when it is full, in world units.
const HEIGHT: f32 = 8.0;
/// The largest distance between neighbours.
const SPACING: f32 = 1.3;
/// The radius of a neuron as a share of the distance between neighbours.
const RADIUS: f32 = 0.3;
/// The largest radius of a neuron.
const LARGEST: f32 = 0.34;
/// The angle between a grid and the x axis, in radians.
const TURN: f32 = 0.95;
/// Free space along x between two columns, at least and per unit of the taller
/// one's height.
const GAP: (f32, f32) = (2.2, 0.3);
/// How far the ends of a line bend toward the viewer, as a share of its height.
const BEND: f32 = 0.1;

/// How the units of a column are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// Top to bottom.
    Line,
    /// Row by row from the top, so many in a row.
    Grid {
        /// Units in a row.
        across: usize,
    },
    /// The pixels of an image; several channels stand side by side.
    Image(ImageShape),
}

/// The places of a column's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// How they are arranged.
    pub arrangement: Arrangement,
    /// The place of each unit.
    pub places: Vec<Vec3>,
    /// The radius of a ball, half the side of an image's cell.
    pub radius: f32,
    /// The smallest corner of a box around the column, radius included.
    pub min: Vec3,
    /// The largest corner of that box.
    pub max: Vec3,
}

impl Column {
    /// The middle of the box.
    pub fn center(&self) -> Vec3 {
        0.5 * (self.min + self.max)
    }
}

/// The direction in which the rows of grids and images run.
pub fn row_direction() -> Vec3 {
    Vec3::new(TURN.cos(), 0.0, TURN.sin())
}

/// Places every column: `widths` are the units per column, the inputs first;
/// `image` is the shape of the inputs where they are an image of that size.
pub fn lay_out(widths: &[usize], image: Option<ImageShape>) -> Vec<Column> {
    let mut columns: Vec<Column> = widths
        .iter()
        .enumerate()
        .map(|(column, &units)| {
            let image = image.filter(|shape| column == 0 && shape.size() == units);
            stand(arrange(units, image), units)
        })
        .collect();
    let mut edge = 0.0;
    let mut before: Option<f32> = None;
    for column in &mut columns {
        let height = column.max.y - column.min.y;
        if let Some(before) = before {
            edge += GAP.0 + GAP.1 * height.max(before);
        }
        before = Some(height);
        let shift = edge - column.min.x;
        move_by(column, Vec3::X * shift);
        edge = column.max.x;
    }
    for column in &mut columns {
        move_by(column, Vec3::X * (-0.5 * edge));
    }
    columns
}

/// How `units` are best arranged.
pub fn arrange(units: usize, image: Option<ImageShape>) -> Arrangement {
    match image {
        Some(shape) => Arrangement::Image(shape),
        None if units <= LINE => Arrangement::Line,
        None => Arrangement::Grid {
            across: across(units),
        },
    }
}

/// Units in a row of a grid of `units`: a divisor that makes it 1 to 2.5 times
/// as high as wide where there is one.
fn across(units: usize) -> usize {
    let ideal = (units as f32 / 1.6).sqrt();
    let distance = |across: usize| (across as f32 / ideal).ln().abs();
    let fits = |across: &usize| {
        let ratio = units as f32 / (across * across) as f32;
        units.is_multiple_of(*across) && (1.0..=2.5).contains(&ratio)
    };
    (1..=units)
        .take_while(|across| across * across <= units)
        .filter(fits)
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(ideal.round().max(1.0) as usize)
}

/// The column around the origin.
fn stand(arrangement: Arrangement, units: usize) -> Column {
    let (rows, across) = match arrangement {
        Arrangement::Line => (units, 1),
        Arrangement::Grid { across } => (units.div_ceil(across), across),
        Arrangement::Image(shape) => (shape.height, shape.width * shape.channels.max(1)),
    };
    let is_image = matches!(arrangement, Arrangement::Image(_));
    let most = if is_image { HEIGHT } else { SPACING };
    let pitch = (HEIGHT / rows.max(1) as f32)
        .min(1.4 * HEIGHT / across.max(1) as f32)
        .min(most);
    let radius = if is_image {
        0.5 * pitch
    } else {
        (RADIUS * pitch).min(LARGEST)
    };
    let places: Vec<Vec3> = (0..units)
        .map(|unit| {
            let (row, place) = match arrangement {
                Arrangement::Image(shape) => image_cell(shape, unit),
                _ => (unit / across, unit % across),
            };
            let up = (0.5 * (rows as f32 - 1.0) - row as f32) * pitch;
            let along = (place as f32 - 0.5 * (across as f32 - 1.0)) * pitch;
            let bend = match arrangement {
                Arrangement::Line => {
                    let half = 0.5 * HEIGHT;
                    BEND * HEIGHT * (up / half).powi(2)
                }
                _ => 0.0,
            };
            up * Vec3::Y + along * row_direction() + bend * Vec3::Z
        })
        .collect();
    let margin = Vec3::splat(radius);
    let (min, max) = places.iter().fold(
        (Vec3::INFINITY, Vec3::NEG_INFINITY),
        |(min, max), &place| (min.min(place - margin), max.max(place + margin)),
    );
    Column {
        arrangement,
        places,
        radius,
        min,
        max,
    }
}

/// Row and place in that row of a pixel; channels are innermost in the data and
/// stand as images side by side.
fn image_cell(shape: ImageShape, unit: usize) -> (usize, usize) {
    let channels = shape.channels.max(1);
    let (pixel, channel) = (unit / channels, unit % channels);
    let width = shape.width.max(1);
    (pixel / width, channel * width + pixel % width)
}

fn move_by(column: &mut Column, shift: Vec3) {
    for place in &mut column.places {
        *place += shift;
    }
    column.min += shift;
    column.max += shift;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MNIST: ImageShape = ImageShape {
        height: 28,
        width: 28,
        channels: 1,
    };

    #[test]
    fn columns_follow_each_other_along_x_without_overlap_around_the_origin() {
        for (widths, image) in [
            (&[2, 8, 8, 1][..], None),
            (&[64, 32, 10], None),
            (&[784, 128, 64, 10], Some(MNIST)),
        ] {
            let columns = lay_out(widths, image);
            assert_eq!(columns.len(), widths.len());
            for (column, &width) in columns.iter().zip(widths) {
                assert_eq!(column.places.len(), width);
            }
            for pair in columns.windows(2) {
                assert!(pair[1].min.x - pair[0].max.x >= GAP.0);
            }
            let ends = columns[0].min.x + columns[widths.len() - 1].max.x;
            assert!(ends.abs() < 1e-3, "{ends}");
        }
    }

    #[test]
    fn no_two_neurons_of_a_column_touch() {
        for (widths, image) in [(&[37, 8, 300, 1][..], None), (&[784, 1], Some(MNIST))] {
            for column in lay_out(widths, image) {
                for (i, a) in column.places.iter().enumerate() {
                    for b in &column.places[i + 1..] {
                        assert!(a.distance(*b) >= 1.999 * column.radius);
                    }
                }
            }
        }
    }

    #[test]
    fn every_column_fits_the_same_height() {
        for units in [1, 2, 8, 16, 17, 128, 784, 5000] {
            let column = stand(arrange(units, None), units);
            let height = column.max.y - column.min.y;
            assert!(height <= HEIGHT + 1e-3, "{units}: {height}");
        }
    }

    #[test]
    fn small_layers_are_lines_and_large_ones_grids_without_gaps_where_possible() {
        assert_eq!(arrange(8, None), Arrangement::Line);
        assert_eq!(arrange(64, None), Arrangement::Grid { across: 8 });
        assert_eq!(arrange(128, None), Arrangement::Grid { across: 8 });
        assert_eq!(arrange(32, None), Arrangement::Grid { across: 4 });
        let Arrangement::Grid { across } = arrange(37, None) else {
            panic!("37 units are a grid");
        };
        assert!((4..=6).contains(&across), "{across}");
    }

    #[test]
    fn an_image_is_read_row_by_row_from_the_top_left() {
        let columns = lay_out(&[784, 10], Some(MNIST));
        let places = &columns[0].places;
        let right = row_direction();
        assert!(
            (places[1] - places[0]).dot(right) > 0.0,
            "second pixel: right"
        );
        assert!((places[28] - places[0]).y < 0.0, "second row: below");
        assert!((places[28].dot(right) - places[0].dot(right)).abs() < 1e-4);
    }

    #[test]
    fn an_image_of_another_size_than_the_inputs_is_not_one() {
        let columns = lay_out(&[2, 8, 1], Some(MNIST));
        assert_eq!(columns[0].arrangement, Arrangement::Line);
    }

    #[test]
    fn channels_stand_side_by_side() {
        let shape = ImageShape {
            height: 2,
            width: 3,
            channels: 3,
        };
        assert_eq!(image_cell(shape, 0), (0, 0));
        assert_eq!(image_cell(shape, 1), (0, 3));
        assert_eq!(image_cell(shape, 9), (1, 0));
    }
}
