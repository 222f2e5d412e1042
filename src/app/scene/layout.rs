//! Where neurons stand: a column for the inputs and one for each layer, along
//! +x, y up, z toward the viewer, centred on the origin.
//!
//! Up to [`LINE`] units stand in a vertical, gently curved line. More of them
//! fill a grid, and the pixels of an image fill the image. The channels of a
//! hidden layer that is image-shaped are tiles, small images side by side and on
//! top of each other. Grids are turned so that one who looks along +x from the
//! left front sees their faces; what comes after a column then leaves from behind
//! it and hides nothing.

use super::choose::share;
use crate::data::ImageShape;
use crate::nn::{LayerKind, Shape, Source};
use crate::train::Problem;
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
/// What is left of that space before a layer whose units each read one value or
/// one window of one channel.
const CLOSE: f32 = 0.62;
/// What is left of it elsewhere in a network with feature maps, which has many columns.
const NARROW: f32 = 0.68;
/// From one tile to the next, as a share of its side, and at least in cells.
const SEAM: (f32, f32) = (0.1, 1.0);
/// The largest cell of a tile, and the longest side of one.
const CELL: f32 = 0.6;
const TILE: f32 = 2.6;
/// How high a column of tiles is at least, in its width.
const HIGH: f32 = 1.3;
/// At most so many units of a column are shown.
pub const COLUMN_LIMIT: usize = 12_000;
/// At most so many are shown in all.
pub const TOTAL_LIMIT: usize = 40_000;
/// At most so many units of a layer are shown where a network is shown in blocks.
pub const UNFOLDED_LIMIT: usize = 6_000;
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
    /// Feature maps, so many in a row.
    Tiles {
        /// Channels, rows and columns.
        shape: Shape,
        /// Tiles in a row.
        across: usize,
    },
}

impl Arrangement {
    /// Whether units are cells that fill a plane, and not balls.
    pub fn has_cells(self) -> bool {
        matches!(self, Arrangement::Image(_) | Arrangement::Tiles { .. })
    }
}

/// What a column is, for its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How its values lie.
    pub shape: Shape,
    /// Whether it belongs close behind the column before it.
    pub close: bool,
}

/// What the columns of a problem's network are, the inputs first.
pub fn plans(problem: &Problem) -> Vec<Plan> {
    let network = &problem.network;
    let input = Plan {
        shape: network.input_shape(),
        close: false,
    };
    let layers = network
        .layers()
        .iter()
        .enumerate()
        .map(|(index, layer)| Plan {
            shape: layer.output_shape(),
            close: !matches!(layer.kind(), LayerKind::Dense { .. } | LayerKind::Conv(_))
                && layer.sources().iter().any(|s| Source::column(*s) == index),
        });
    std::iter::once(input).chain(layers).collect()
}

/// How many units of each column are shown: whole feature maps as far as possible.
pub fn visible(plans: &[Plan]) -> Vec<usize> {
    let sizes: Vec<usize> = plans
        .iter()
        .map(|p| p.shape.size().min(COLUMN_LIMIT))
        .collect();
    let shares = share(&sizes, TOTAL_LIMIT);
    let whole = |(plan, shown): (&Plan, usize)| {
        let pixels = plan.shape.pixels();
        if shown >= plan.shape.size() || shown < pixels {
            shown
        } else {
            shown - shown % pixels
        }
    };
    plans.iter().zip(shares).map(whole).collect()
}

/// The places of a column's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// How they are arranged.
    pub arrangement: Arrangement,
    /// The place of each unit that is shown: the first ones.
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

/// Places every column. `pixels` is the shape of the inputs where they are the
/// pixels of an image, each pixel's channels beside each other.
pub fn lay_out(plans: &[Plan], pixels: Option<ImageShape>) -> Vec<Column> {
    lay_out_with(plans, pixels, &[])
}

/// The standard direction's horizontal axis on the screen.
pub(super) const ACROSS: Vec3 = Vec3::new(0.913, 0.0, 0.408);

/// How far a column reaches to the right (`sign` 1) or to the left (-1) along [`ACROSS`].
pub(super) fn edge_across(column: &Column, sign: f32) -> f32 {
    let along = column.places.iter().map(|place| sign * place.dot(ACROSS));
    sign * (along.fold(f32::NEG_INFINITY, f32::max) + column.radius)
}

/// The same with so much room free before each column as it is seen along [`ACROSS`], where
/// what is usual is less.
pub(super) fn lay_out_with(
    plans: &[Plan],
    pixels: Option<ImageShape>,
    room: &[f32],
) -> Vec<Column> {
    let has_maps = plans.iter().skip(1).any(|plan| !plan.shape.is_flat());
    let shown = visible(plans);
    let mut columns: Vec<Column> = plans
        .iter()
        .zip(shown)
        .enumerate()
        .map(|(index, (plan, shown))| {
            let pixels = pixels.filter(|p| index == 0 && p.size() == plan.shape.size());
            stand(arrange(plan.shape, pixels, index == 0), shown)
        })
        .collect();
    let mut edge = 0.0;
    let mut before: Option<f32> = None;
    let mut right = f32::NEG_INFINITY;
    for (index, (column, plan)) in columns.iter_mut().zip(plans).enumerate() {
        let height = column.max.y - column.min.y;
        if let Some(before) = before {
            let share = match (has_maps, plan.close) {
                (_, true) => CLOSE,
                (true, false) => NARROW,
                (false, false) => 1.0,
            };
            edge += share * (GAP.0 + GAP.1 * height.max(before));
        }
        before = Some(height);
        let shift = edge - column.min.x;
        move_by(column, Vec3::X * shift);
        let missing = room.get(index).copied().unwrap_or(0.0) - (edge_across(column, -1.0) - right);
        if missing > 0.0 && right.is_finite() {
            move_by(column, Vec3::X * (missing / ACROSS.x));
        }
        right = edge_across(column, 1.0);
        edge = column.max.x;
    }
    for column in &mut columns {
        move_by(column, Vec3::X * (-0.5 * edge));
    }
    columns
}

/// How values of this shape are best arranged; `pixels` where they are an
/// image's as above, `input` where they are the network's.
pub fn arrange(shape: Shape, pixels: Option<ImageShape>, input: bool) -> Arrangement {
    match pixels {
        Some(pixels) => Arrangement::Image(pixels),
        None if !shape.is_flat() && input && shape.channels == 1 => {
            Arrangement::Image(ImageShape {
                height: shape.height,
                width: shape.width,
                channels: 1,
            })
        }
        None if !shape.is_flat() && input => Arrangement::Tiles {
            shape,
            across: shape.channels,
        },
        None if !shape.is_flat() => Arrangement::Tiles {
            shape,
            across: tiles_across(shape),
        },
        None if shape.channels <= LINE => Arrangement::Line,
        None => Arrangement::Grid {
            across: across(shape.channels),
        },
    }
}

/// Tiles in a row: the whole is [`HIGH`] times as high as wide, or little more.
fn tiles_across(shape: Shape) -> usize {
    let high = |across: &usize| {
        let height = (shape.channels.div_ceil(*across) * shape.height) as f32;
        height >= HIGH * (across * shape.width) as f32
    };
    (1..=shape.channels).take_while(high).last().unwrap_or(1)
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

/// Rows and places in a row of a column, in cells, from one to the next, and a unit's radius.
struct Measures {
    rows: f32,
    across: f32,
    pitch: f32,
    radius: f32,
}

/// Tiles have seams between them; in cells.
fn seam(cells: usize) -> f32 {
    (SEAM.0 * cells as f32).max(SEAM.1)
}

fn measure(arrangement: Arrangement, shown: usize) -> Measures {
    let (rows, across) = match arrangement {
        Arrangement::Line => (shown as f32, 1.0),
        Arrangement::Grid { across } => (shown.div_ceil(across) as f32, across as f32),
        Arrangement::Image(shape) => {
            let wide = shape.width * shape.channels.max(1);
            (shape.height as f32, wide as f32)
        }
        Arrangement::Tiles { shape, across } => {
            let tiles = shown.div_ceil(shape.pixels());
            let (down, across) = (tiles.div_ceil(across), across.min(tiles));
            let side = |tiles: usize, cells: usize| {
                (tiles * cells) as f32 + tiles.saturating_sub(1) as f32 * seam(cells)
            };
            (side(down, shape.height), side(across, shape.width))
        }
    };
    let most = match arrangement {
        Arrangement::Image(_) => HEIGHT,
        Arrangement::Tiles { shape, .. } => CELL.min(TILE / shape.height.max(shape.width) as f32),
        _ => SPACING,
    };
    let pitch = (HEIGHT / rows.max(1.0))
        .min(1.4 * HEIGHT / across.max(1.0))
        .min(most);
    let radius = if arrangement.has_cells() {
        0.5 * pitch
    } else {
        (RADIUS * pitch).min(LARGEST)
    };
    Measures {
        rows,
        across,
        pitch,
        radius,
    }
}

/// How a column stands in a network that is shown in blocks, and how many of its units are
/// shown when it is unfolded.
pub(super) fn unfolded(
    plan: &Plan,
    pixels: Option<ImageShape>,
    input: bool,
) -> (Arrangement, usize) {
    let pixels = pixels.filter(|p| input && p.size() == plan.shape.size());
    let size = plan.shape.size();
    let map = plan.shape.pixels();
    let shown = if size > UNFOLDED_LIMIT && map <= UNFOLDED_LIMIT {
        UNFOLDED_LIMIT - UNFOLDED_LIMIT % map
    } else {
        size.min(UNFOLDED_LIMIT)
    };
    (arrange(plan.shape, pixels, input), shown)
}

/// Half of how far such a column reaches along its rows, and up.
pub(super) fn half_extent(arrangement: Arrangement, shown: usize) -> [f32; 2] {
    let Measures {
        rows,
        across,
        pitch,
        radius,
    } = measure(arrangement, shown);
    [across, rows].map(|cells| 0.5 * (cells - 1.0).max(0.0) * pitch + radius)
}

/// The column around `center`, with its first `shown` units.
pub(super) fn stand_at(arrangement: Arrangement, shown: usize, center: Vec3) -> Column {
    let mut column = stand(arrangement, shown);
    let shift = center - column.center();
    move_by(&mut column, shift);
    column
}

/// The column around the origin, with its first `shown` units.
fn stand(arrangement: Arrangement, shown: usize) -> Column {
    let Measures {
        rows,
        across,
        pitch,
        radius,
    } = measure(arrangement, shown);
    let place = |unit: usize| -> Vec3 {
        // Rows from the top and places in a row, in cells.
        let (row, place) = match arrangement {
            Arrangement::Image(shape) => {
                let (row, place) = image_cell(shape, unit);
                (row as f32, place as f32)
            }
            Arrangement::Tiles { shape, across } => {
                let (tile, pixel) = (unit / shape.pixels(), unit % shape.pixels());
                let (down, right) = ((tile / across) as f32, (tile % across) as f32);
                let (row, column) = (pixel / shape.width, pixel % shape.width);
                (
                    row as f32 + down * (shape.height as f32 + seam(shape.height)),
                    column as f32 + right * (shape.width as f32 + seam(shape.width)),
                )
            }
            Arrangement::Line => (unit as f32, 0.0),
            Arrangement::Grid { across } => ((unit / across) as f32, (unit % across) as f32),
        };
        let up = (0.5 * (rows - 1.0) - row) * pitch;
        let along = (place - 0.5 * (across - 1.0)) * pitch;
        let bend = match arrangement {
            Arrangement::Line => BEND * HEIGHT * (up / (0.5 * HEIGHT)).powi(2),
            _ => 0.0,
        };
        up * Vec3::Y + along * row_direction() + bend * Vec3::Z
    };
    let places: Vec<Vec3> = (0..shown).map(place).collect();
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

    fn flat(widths: &[usize]) -> Vec<Plan> {
        let plan = |&units: &usize| Plan {
            shape: Shape::flat(units),
            close: false,
        };
        widths.iter().map(plan).collect()
    }

    fn maps(channels: usize, side: usize) -> Plan {
        Plan {
            shape: Shape::image(channels, side, side),
            close: false,
        }
    }

    #[test]
    fn columns_follow_each_other_along_x_without_overlap_around_the_origin() {
        for (widths, image) in [
            (&[2, 8, 8, 1][..], None),
            (&[64, 32, 10], None),
            (&[784, 128, 64, 10], Some(MNIST)),
        ] {
            let columns = lay_out(&flat(widths), image);
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
    fn room_that_is_asked_for_is_free_between_two_columns() {
        let plans = flat(&[784, 128, 10]);
        let usual = lay_out(&plans, Some(MNIST));
        let wide = lay_out_with(&plans, Some(MNIST), &[0.0, 9.0, 0.0]);
        let free = |columns: &[Column], k: usize| {
            edge_across(&columns[k], -1.0) - edge_across(&columns[k - 1], 1.0)
        };
        assert!(free(&usual, 1) < 5.0);
        assert!((free(&wide, 1) - 9.0).abs() < 1e-2, "{}", free(&wide, 1));
        assert!((free(&wide, 2) - free(&usual, 2)).abs() < 1e-3);
        let ends = wide[0].min.x + wide[2].max.x;
        assert!(ends.abs() < 1e-3, "{ends}");
    }

    #[test]
    fn no_two_neurons_of_a_column_touch() {
        for (widths, image) in [(&[37, 8, 300, 1][..], None), (&[784, 1], Some(MNIST))] {
            for column in lay_out(&flat(widths), image) {
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
            let column = stand(arrange(Shape::flat(units), None, false), units);
            let height = column.max.y - column.min.y;
            assert!(height <= HEIGHT + 1e-3, "{units}: {height}");
        }
    }

    #[test]
    fn small_layers_are_lines_and_large_ones_grids_without_gaps_where_possible() {
        assert_eq!(arrange(Shape::flat(8), None, false), Arrangement::Line);
        assert_eq!(
            arrange(Shape::flat(64), None, false),
            Arrangement::Grid { across: 8 }
        );
        assert_eq!(
            arrange(Shape::flat(128), None, false),
            Arrangement::Grid { across: 8 }
        );
        assert_eq!(
            arrange(Shape::flat(32), None, false),
            Arrangement::Grid { across: 4 }
        );
        let Arrangement::Grid { across } = arrange(Shape::flat(37), None, false) else {
            panic!("37 units are a grid");
        };
        assert!((4..=6).contains(&across), "{across}");
    }

    #[test]
    fn an_image_is_read_row_by_row_from_the_top_left() {
        let columns = lay_out(&flat(&[784, 10]), Some(MNIST));
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
        let columns = lay_out(&flat(&[2, 8, 1]), Some(MNIST));
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

    #[test]
    fn feature_maps_are_tiles_that_do_not_touch() {
        let columns = lay_out(
            &[maps(1, 28), maps(6, 24), maps(16, 4), flat(&[10])[0]],
            None,
        );
        let Arrangement::Tiles { across, .. } = columns[1].arrangement else {
            panic!("six maps are tiles");
        };
        assert_eq!(across, 2, "two in a row, three on top of each other");
        let cell = 2.0 * columns[1].radius;
        let tile = |k: usize| &columns[1].places[k * 576..(k + 1) * 576];
        for (k, l) in [(0, 1), (0, 2), (3, 5)] {
            for a in tile(k).iter().step_by(5) {
                for b in tile(l) {
                    assert!(a.distance(*b) > 1.9 * cell, "tiles {k} and {l}");
                }
            }
        }
        let [first, below, beside] = [tile(0)[0], tile(0)[24], tile(1)[0]];
        assert!(below.y < first.y && (beside - first).dot(row_direction()) > 0.0);
    }

    #[test]
    fn of_more_units_than_can_be_drawn_whole_maps_are_shown() {
        let plans = [maps(3, 32), maps(64, 28), flat(&[50_000])[0]];
        assert_eq!(visible(&plans), [3 * 32 * 32, 15 * 28 * 28, COLUMN_LIMIT]);
        let columns = lay_out(&plans, None);
        assert_eq!(columns[1].places.len(), 15 * 28 * 28);
        let many = vec![maps(16, 28); 9];
        let shown: usize = visible(&many).iter().sum();
        assert!(shown <= TOTAL_LIMIT && shown > TOTAL_LIMIT / 2, "{shown}");
    }
}
