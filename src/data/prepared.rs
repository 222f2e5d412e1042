//! Data made ready for training: split, scaled, and able to map a raw input.

use std::path::Path;

use ndarray::{Array2, ArrayView2};

use super::config::{DEFAULT_VALIDATION, DataConfig, Scale};
use super::dataset::{ImageShape, Target, Task};
use super::error::DataError;
use super::features::InputFeature;
use super::generators::DOMAIN;
use super::load::load_with;
use super::scale::Scaler;
use super::source::{SourceKind, source_kind};
use super::split::{Split, split};
use crate::rng::{Stream, stream};

/// A data set split into its parts and scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The name of the source.
    pub name: String,
    /// What the network learns from.
    pub train: Part,
    /// What it is checked on; may be empty.
    pub validation: Part,
    /// How the features were scaled, fitted on the training part.
    pub scaler: Scaler,
    /// One name per input of the network.
    pub feature_names: Vec<String>,
    /// What is asked, with the names of the classes or outputs.
    pub task: Task,
    /// How a sample lies in an image, when it is one.
    pub image: Option<ImageShape>,
    /// How a raw input becomes features, for problems in the plane or on a line.
    pub input_features: Option<Vec<InputFeature>>,
    /// The raw inputs of a problem in the plane, `[all samples, 2]`; a part's
    /// `rows` point into it.
    pub points: Option<Array2<f32>>,
    /// The raw inputs of a problem on a line; a part's `rows` point into it.
    pub line: Option<Vec<f32>>,
    /// Whether the raw inputs were drawn over Playground's square.
    pub(super) generated: bool,
}

/// One part of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The scaled features, `[samples, features]`.
    pub x: Array2<f32>,
    /// What is wanted, in the data's own units: targets are not scaled.
    pub target: Target,
    /// The row of each sample in the whole set, ascending.
    pub rows: Vec<usize>,
}

impl Part {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Prepared {
    /// The number of inputs of a network for these data.
    pub fn n_inputs(&self) -> usize {
        self.feature_names.len()
    }

    /// The number of classes or of values to fit.
    pub fn n_targets(&self) -> usize {
        self.task.names().len()
    }

    /// Whether the raw input is a point in the plane.
    pub fn is_plane(&self) -> bool {
        self.points.is_some()
    }

    /// What the network sees at the raw point `(x1, x2)`: features, scaled.
    /// `None` unless the data are a problem in the plane.
    pub fn map_point(&self, x1: f32, x2: f32) -> Option<Vec<f32>> {
        self.points.as_ref()?;
        self.map_raw(x1, x2)
    }

    /// What the network sees at each raw point, `[points, 2]` to
    /// `[points, features]`. `None` unless the data are a problem in the plane.
    pub fn map_points(&self, points: ArrayView2<f32>) -> Option<Array2<f32>> {
        self.points.as_ref()?;
        let features = self.input_features.as_ref()?;
        Some(Array2::from_shape_fn(
            (points.nrows(), features.len()),
            |(i, j)| {
                self.scaler
                    .scaled(j, features[j].apply(points[[i, 0]], points[[i, 1]]))
            },
        ))
    }

    /// What the network sees at the raw input `x` of a problem on a line, and
    /// `None` for other data.
    pub fn map_line(&self, x: f32) -> Option<Vec<f32>> {
        self.line.as_ref()?;
        self.map_raw(x, 0.0)
    }

    fn map_raw(&self, x1: f32, x2: f32) -> Option<Vec<f32>> {
        let features = self.input_features.as_ref()?;
        Some(
            features
                .iter()
                .enumerate()
                .map(|(j, f)| self.scaler.scaled(j, f.apply(x1, x2)))
                .collect(),
        )
    }

    /// The rectangle in which to draw a problem in the plane, `[[least x1,
    /// greatest x1], [least x2, greatest x2]]`: Playground's square for generated
    /// problems, and the points with a margin of a tenth for others.
    pub fn domain(&self) -> Option<[[f32; 2]; 2]> {
        let points = self.points.as_ref()?;
        Some([0, 1].map(|axis| self.interval(points.column(axis).iter().copied())))
    }

    /// The interval in which to draw a problem on a line, as [`Self::domain`].
    pub fn line_domain(&self) -> Option<[f32; 2]> {
        Some(self.interval(self.line.as_ref()?.iter().copied()))
    }

    fn interval(&self, values: impl Iterator<Item = f32>) -> [f32; 2] {
        if self.generated {
            return [-DOMAIN, DOMAIN];
        }
        let (least, greatest) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, g), v| {
            (l.min(v), g.max(v))
        });
        let margin = if greatest > least {
            0.1 * (greatest - least)
        } else {
            1.0
        };
        [least - margin, greatest + margin]
    }
}

/// Loads, splits and scales the data that `config` describes; the same seed
/// gives the same samples in the same parts. A relative path starts from `base`.
///
/// Fitting the scaler, like everything that the network learns from, sees the
/// training part alone.
///
/// # Errors
/// As [`load`](super::load).
pub fn prepare(config: &DataConfig, seed: u64, base: &Path) -> Result<Prepared, DataError> {
    let rng = &mut stream(seed, Stream::Split);
    let data = load_with(config, seed, base, rng)?;
    let n = data.n_samples();
    let Split { train, validation } = match (config.validation, data.fixed_validation) {
        (None, Some(m)) => Split {
            train: (0..n - m).collect(),
            validation: (n - m..n).collect(),
        },
        (share, _) => split(&data.target, share.unwrap_or(DEFAULT_VALIDATION), rng),
    };
    let generated = source_kind(&config.source)? == SourceKind::Generated;
    let scale = match (config.scale, data.image) {
        (Scale::Auto, _) if generated => Scale::None,
        (Scale::Auto, Some(_)) => Scale::MinMax,
        (Scale::Auto, None) => Scale::Standard,
        (scale, _) => scale,
    };
    let part = |x, rows: Vec<usize>| Part {
        x,
        target: data.target.select(&rows),
        rows,
    };
    let image = data.image;
    let (x, held_back) = part_rows(data.features, &train, &validation);
    let (mut train, mut validation) = (part(x, train), part(held_back, validation));
    let scaler = Scaler::fit(scale, train.x.view(), image.is_some());
    scaler.apply(train.x.view_mut());
    scaler.apply(validation.x.view_mut());
    Ok(Prepared {
        name: data.name,
        train,
        validation,
        scaler,
        feature_names: data.feature_names,
        task: data.target.task(),
        image: data.image,
        input_features: data.input_features,
        points: data.points,
        line: data.line,
        generated,
    })
}

/// The rows of `x` that train and those that are held back, which together are
/// all. Rows change places where they are: of a large set a second copy would be
/// most of what the program needs.
fn part_rows(x: Array2<f32>, train: &[usize], validation: &[usize]) -> (Array2<f32>, Array2<f32>) {
    let (n, width) = x.dim();
    debug_assert_eq!(train.len() + validation.len(), n);
    let mut values = if x.is_standard_layout() {
        let (values, offset) = x.into_raw_vec_and_offset();
        debug_assert_eq!(offset.unwrap_or(0), 0);
        values
    } else {
        x.iter().copied().collect()
    };
    // Row i takes the values of row from[i]; one cycle of such moves after another.
    let mut from: Vec<usize> = train.iter().chain(validation).copied().collect();
    let mut first = vec![0.0; width];
    for start in 0..n {
        if from[start] == start {
            continue;
        }
        first.copy_from_slice(&values[start * width..][..width]);
        let mut to = start;
        loop {
            let next = std::mem::replace(&mut from[to], to);
            if next == start {
                values[to * width..][..width].copy_from_slice(&first);
                break;
            }
            values.copy_within(next * width..(next + 1) * width, to * width);
            to = next;
        }
    }
    let held_back = values.split_off(train.len() * width);
    values.shrink_to_fit();
    let matrix = |rows, values| {
        Array2::from_shape_vec((rows, width), values).expect("so many rows of this width")
    };
    (
        matrix(train.len(), values),
        matrix(validation.len(), held_back),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;

    #[test]
    fn rows_that_change_places_are_those_that_a_copy_selects() {
        let x = Array2::from_shape_fn((97, 3), |(i, j)| (10 * i + j) as f32);
        let held_back: Vec<usize> = (0..97).filter(|i| i * i % 7 == 2).collect();
        let train: Vec<usize> = (0..97).filter(|i| !held_back.contains(i)).collect();
        let shuffled: Vec<usize> = train.iter().rev().copied().collect();
        for train in [&train, &shuffled] {
            for x in [
                x.clone(),
                x.t().as_standard_layout().into_owned().reversed_axes(),
            ] {
                let (a, b) = part_rows(x.clone(), train, &held_back);
                assert_eq!(a, x.select(Axis(0), train));
                assert_eq!(b, x.select(Axis(0), &held_back));
            }
        }
    }

    fn ready(toml: &str) -> Prepared {
        let config: DataConfig = toml::from_str(toml).expect("valid TOML");
        prepare(&config, 7, Path::new(".")).expect("valid data")
    }

    #[test]
    fn scaling_is_fitted_on_the_training_part_alone() {
        let iris = ready("source = \"iris\"\nvalidation = 0.4");
        assert_eq!((iris.train.len(), iris.validation.len()), (90, 60));
        for column in iris.train.x.columns() {
            let mean = column.sum() / 90.0;
            assert!(mean.abs() < 1e-5, "{mean}");
        }
        let off = iris
            .validation
            .x
            .columns()
            .into_iter()
            .any(|c| (c.sum() / 60.0).abs() > 1e-3);
        assert!(off, "the validation part was not what was fitted");
    }

    #[test]
    fn parts_hold_the_classes_in_exact_proportion() {
        let iris = ready("source = \"iris\"");
        assert_eq!(iris.train.target.class_counts(), [40, 40, 40]);
        assert_eq!(iris.validation.target.class_counts(), [10, 10, 10]);
        let spiral = ready("samples = 200\nvalidation = 0.3");
        assert_eq!(spiral.validation.target.class_counts(), [30, 30]);
    }

    #[test]
    fn a_seed_repeats_its_data_and_another_gives_others() {
        let config = DataConfig {
            noise: Some(0.1),
            ..DataConfig::of("moons")
        };
        let of = |seed| prepare(&config, seed, Path::new(".")).expect("valid");
        assert_eq!(of(3), of(3));
        assert_ne!(of(3).points, of(4).points);
    }

    #[test]
    fn a_point_is_mapped_as_the_samples_were() {
        let circle = ready(
            "source = \"circle\"\nfeatures = [\"x1^2\", \"sin(x2)\", \"x1*x2\"]\nscale = \"standard\"",
        );
        let points = circle.points.as_ref().expect("in the plane");
        let mapped = circle.map_points(points.view()).expect("in the plane");
        for (i, &row) in circle.train.rows.iter().enumerate() {
            let point = circle
                .map_point(points[[row, 0]], points[[row, 1]])
                .expect("in the plane");
            assert_eq!(point, circle.train.x.row(i).to_vec());
            assert_eq!(point, mapped.row(row).to_vec());
        }
        assert_eq!(circle.domain(), Some([[-6.0, 6.0], [-6.0, 6.0]]));
    }

    #[test]
    fn a_sine_is_a_problem_on_a_line_and_digits_are_neither() {
        let sine = ready("source = \"sine\"\nfeatures = [\"x\", \"x^2\"]");
        assert_eq!(sine.feature_names, ["x", "x^2"]);
        assert_eq!(sine.map_line(-3.0), Some(vec![-3.0, 9.0]));
        assert_eq!((sine.map_point(0.0, 0.0), sine.domain()), (None, None));
        let digits = ready("source = \"digits\"");
        assert_eq!(
            (digits.map_line(0.0), digits.map_point(0.0, 0.0)),
            (None, None)
        );
        assert_eq!(
            (digits.scaler.scale, digits.scaler.factor[0]),
            (Scale::MinMax, 1.0 / 16.0)
        );
    }

    #[test]
    fn a_fixed_validation_part_is_used_unless_a_share_is_asked_for() {
        let mnist = ready("source = \"mnist\"\nlimit = 1200");
        assert_eq!(mnist.train.target.class_counts(), [100; 10]);
        assert_eq!(mnist.validation.target.class_counts(), [20; 10]);
        assert_eq!(
            (mnist.scaler.shift[0], mnist.scaler.factor[0]),
            (0.0, 1.0 / 255.0)
        );
        let share = ready("source = \"mnist\"\nlimit = 1200\nvalidation = 0.5");
        assert_eq!(share.train.len(), 600);
    }

    #[test]
    fn a_table_is_found_from_the_folder_of_its_experiment() {
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::write(
            dir.path().join("t.csv"),
            "a,b,y\n1,2,0.5\n3,4,1.5\n5,9,2.5\n",
        )
        .expect("writable");
        let data = prepare(&DataConfig::of("t.csv"), 0, dir.path()).expect("valid");
        assert_eq!(
            (data.n_inputs(), data.n_targets(), data.name.as_str()),
            (2, 1, "t.csv")
        );
        let domain = data.domain().expect("two columns are a plane");
        assert!(
            (domain[0][0] - 0.6).abs() < 1e-6 && (domain[1][1] - 9.7).abs() < 1e-6,
            "{domain:?}"
        );
        let error = prepare(&DataConfig::of("none.csv"), 0, dir.path()).expect_err("not there");
        assert!(error.to_string().contains("none.csv"), "{error}");
    }
}
