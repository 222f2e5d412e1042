//! Real data inside the program: small, classic, and ready without a file.
//!
//! The tables begin with a line of counts and class names; the label, a class's
//! number, is the last column. The digits are 64 pixels and a label, no header.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use ndarray::{Array2, Axis};

use super::config::{ConfigError, DataConfig};
use super::dataset::{Dataset, ImageShape, Target};
use super::error::DataError;

static DIGITS: &[u8] = include_bytes!("../../assets/data/uci/digits.csv.gz");
static IRIS: &[u8] = include_bytes!("../../assets/data/uci/iris.csv");
static WINE: &[u8] = include_bytes!("../../assets/data/uci/wine_data.csv");
static BREAST_CANCER: &[u8] = include_bytes!("../../assets/data/uci/breast_cancer.csv");

const IRIS_FEATURES: [&str; 4] = ["sepal length", "sepal width", "petal length", "petal width"];

const WINE_FEATURES: [&str; 13] = [
    "alcohol",
    "malic acid",
    "ash",
    "alkalinity of ash",
    "magnesium",
    "total phenols",
    "flavonoids",
    "nonflavonoid phenols",
    "proanthocyanins",
    "colour intensity",
    "hue",
    "OD280/OD315",
    "proline",
];

/// Each is given as mean, as standard error and as worst (UCI, wdbc.names).
const NUCLEUS_FEATURES: [&str; 10] = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
];

/// The built-in data set that `config` names, with the features that it chooses.
pub(super) fn load(config: &DataConfig) -> Result<Dataset, DataError> {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let name = config.source.as_str();
    let data = match name {
        "digits" => digits()?,
        "iris" => table(name, IRIS, owned(&IRIS_FEATURES))?,
        "wine" => table(name, WINE, owned(&WINE_FEATURES))?,
        "breast-cancer" => {
            let names = ["mean", "error of", "worst"]
                .iter()
                .flat_map(|kind| NUCLEUS_FEATURES.map(|feature| format!("{kind} {feature}")))
                .collect();
            table(name, BREAST_CANCER, names)?
        }
        _ => {
            return Err(
                ConfigError::new("data.source", format!("\"{name}\" is not built in")).into(),
            );
        }
    };
    match &config.features {
        Some(features) => choose(data, features),
        None => Ok(data),
    }
}

/// The data with only the columns of these names.
fn choose(data: Dataset, features: &[String]) -> Result<Dataset, DataError> {
    let columns: Result<Vec<usize>, ConfigError> = features
        .iter()
        .map(|name| {
            data.feature_names
                .iter()
                .position(|known| known == name)
                .ok_or_else(|| {
                    ConfigError::new(
                        "data.features",
                        format!(
                            "\"{name}\" is not a feature of {}; allowed: {}",
                            data.name,
                            data.feature_names.join(", ")
                        ),
                    )
                })
        })
        .collect();
    let chosen = data.features.select(Axis(1), &columns?);
    Ok(Dataset::from_columns(
        data.name,
        chosen,
        features.to_vec(),
        data.target,
        data.image,
    ))
}

fn digits() -> Result<Dataset, DataError> {
    let mut text = Vec::new();
    GzDecoder::new(DIGITS)
        .read_to_end(&mut text)
        .map_err(|error| DataError::io(Path::new("digits"), error))?;
    let (features, labels) = numbers("digits", &text, 64)?;
    let image = ImageShape {
        height: 8,
        width: 8,
        channels: 1,
    };
    let target = Target::Classes {
        labels,
        names: (0..10).map(|digit| digit.to_string()).collect(),
    };
    Ok(Dataset::from_columns(
        "digits".to_owned(),
        features,
        image.pixel_names(),
        target,
        Some(image),
    ))
}

fn table(name: &str, bytes: &[u8], feature_names: Vec<String>) -> Result<Dataset, DataError> {
    let end = bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(end);
    let first = String::from_utf8_lossy(first);
    let names = first.trim().split(',').skip(2).map(str::to_owned).collect();
    let (features, labels) = numbers(name, rest, feature_names.len())?;
    let target = Target::Classes { labels, names };
    Ok(Dataset::from_columns(
        name.to_owned(),
        features,
        feature_names,
        target,
        None,
    ))
}

/// Rows of `width` numbers and a label.
fn numbers(name: &str, text: &[u8], width: usize) -> Result<(Array2<f32>, Vec<usize>), DataError> {
    let damaged = |what: String| {
        DataError::file(
            Path::new(name),
            format!("the built-in data are damaged: {what}"),
        )
    };
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text);
    for row in reader.deserialize::<Vec<f32>>() {
        let row = row.map_err(|error| damaged(error.to_string()))?;
        let [values @ .., label] = &row[..] else {
            return Err(damaged("an empty row".to_owned()));
        };
        features.extend_from_slice(values);
        labels.push(*label as usize);
    }
    let features = Array2::from_shape_vec((labels.len(), width), features)
        .map_err(|error| damaged(error.to_string()))?;
    Ok((features, labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_name(name: &str) -> Dataset {
        load(&DataConfig::of(name)).expect("built in")
    }

    #[test]
    fn digits_are_1797_images_of_8_by_8_with_values_0_to_16() {
        let digits = load_name("digits");
        assert_eq!(digits.features.dim(), (1797, 64));
        assert_eq!(
            digits
                .features
                .iter()
                .copied()
                .fold(f32::NEG_INFINITY, f32::max),
            16.0
        );
        assert_eq!(
            digits
                .features
                .iter()
                .copied()
                .fold(f32::INFINITY, f32::min),
            0.0
        );
        assert_eq!(digits.image.map(ImageShape::size), Some(64));
        assert_eq!(
            digits.target.class_counts(),
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        );
    }

    #[test]
    fn tables_have_the_published_sizes_and_class_counts() {
        let iris = load_name("iris");
        assert_eq!(
            (iris.features.dim(), iris.target.class_counts()),
            ((150, 4), vec![50, 50, 50])
        );
        assert_eq!(
            iris.target.task().names(),
            ["setosa", "versicolor", "virginica"]
        );
        let wine = load_name("wine");
        assert_eq!(
            (wine.features.dim(), wine.target.class_counts()),
            ((178, 13), vec![59, 71, 48])
        );
        let cancer = load_name("breast-cancer");
        assert_eq!(
            (cancer.features.dim(), cancer.target.class_counts()),
            ((569, 30), vec![212, 357])
        );
        assert_eq!(cancer.feature_names[20], "worst radius");
    }

    #[test]
    fn two_chosen_features_make_a_problem_in_the_plane() {
        let features = Some(vec!["petal length".to_owned(), "petal width".to_owned()]);
        let iris = load(&DataConfig {
            features,
            ..DataConfig::of("iris")
        })
        .expect("built in");
        assert_eq!(iris.features.row(0).to_vec(), [1.4, 0.2]);
        assert!(iris.points.is_some());
        let wrong = DataConfig {
            features: Some(vec!["petals".to_owned()]),
            ..DataConfig::of("iris")
        };
        assert!(
            load(&wrong)
                .expect_err("unknown")
                .to_string()
                .contains("sepal length")
        );
    }
}
