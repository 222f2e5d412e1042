//! Data in files beside the program: where they lie, and MNIST and
//! Fashion-MNIST, which are there.
//!
//! Both are stratified subsets of the published sets: 10,000 images of the
//! training part and 2,000 of the test part. The test part is the validation
//! part unless `data.validation` asks for a share, which is then drawn from all.

use std::env;
use std::path::{Path, PathBuf};

use ndarray::{Axis, concatenate};

use super::config::ConfigError;
use super::dataset::{Dataset, Target};
use super::error::DataError;
use super::idx;

const DIGIT_NAMES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The classes of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, table 2).
const FASHION_NAMES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The folders in which files that ship with the program may lie, in the order
/// in which they are tried: `GRADSCAPE_ASSETS`; `assets` beside the executable;
/// `assets` in the working folder; `assets` where the program was compiled.
pub fn asset_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = env::var_os("GRADSCAPE_ASSETS").filter(|folder| !folder.is_empty()) {
        folders.push(PathBuf::from(folder));
    }
    if let Some(folder) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.push(folder.join("assets"));
    }
    if let Ok(folder) = env::current_dir() {
        folders.push(folder.join("assets"));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"));
    folders.dedup();
    folders
}

/// MNIST or Fashion-MNIST by its name.
pub(super) fn load(name: &str) -> Result<Dataset, DataError> {
    load_from(name, &asset_folders())
}

fn load_from(name: &str, folders: &[PathBuf]) -> Result<Dataset, DataError> {
    let classes = match name {
        "mnist" => &DIGIT_NAMES,
        "fashion-mnist" => &FASHION_NAMES,
        _ => {
            return Err(
                ConfigError::new("data.source", format!("\"{name}\" is not built in")).into(),
            );
        }
    };
    let tried: Vec<PathBuf> = folders
        .iter()
        .map(|folder| folder.join("data").join(name))
        .collect();
    let Some(folder) = tried.iter().find(|folder| folder.is_dir()) else {
        return Err(DataError::AssetsMissing {
            name: name.to_owned(),
            tried,
        });
    };
    let part = |part: &str| {
        idx::load_classes(
            &folder.join(format!("{part}-images-idx3-ubyte.gz")),
            &folder.join(format!("{part}-labels-idx1-ubyte.gz")),
            classes,
        )
    };
    let (train, image, train_target) = part("10k-train")?;
    let (test, test_image, test_target) = part("2k-test")?;
    if image != test_image {
        return Err(DataError::file(
            folder,
            "the training and the test images differ in size",
        ));
    }
    let features = concatenate(Axis(0), &[train.view(), test.view()])
        .map_err(|error| DataError::file(folder, error.to_string()))?;
    let n_test = test.nrows();
    let mut data = Dataset::from_columns(
        name.to_owned(),
        features,
        image.pixel_names(),
        join(train_target, &test_target),
        Some(image),
    );
    data.fixed_validation = Some(n_test);
    Ok(data)
}

fn join(mut first: Target, second: &Target) -> Target {
    if let (Target::Classes { labels, .. }, Some(more)) = (&mut first, second.labels()) {
        labels.extend_from_slice(more);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_have_a_thousand_images_a_class_to_learn_and_two_hundred_to_check() {
        for name in ["mnist", "fashion-mnist"] {
            let data = load_from(
                name,
                &[Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")],
            )
            .expect("shipped");
            assert_eq!(data.features.dim(), (12_000, 784));
            assert_eq!(data.fixed_validation, Some(2000));
            assert_eq!(data.target.class_counts(), [1200; 10]);
            let test: Vec<usize> = (10_000..12_000).collect();
            assert_eq!(data.target.select(&test).class_counts(), [200; 10]);
        }
    }

    #[test]
    fn missing_files_are_an_error_that_names_every_place_tried() {
        let error = load_from("mnist", &["/nowhere".into(), "/else".into()])
            .expect_err("not there")
            .to_string();
        assert!(
            error.contains("/nowhere/data/mnist") && error.contains("/else/data/mnist"),
            "{error}"
        );
        assert!(error.contains("GRADSCAPE_ASSETS"), "{error}");
    }
}
