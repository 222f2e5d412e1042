//! The gallery: that its page has every kind of figure, and that page, pictures and program
//! belong together.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn page() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("docs/gallery.md")).unwrap()
}

/// The arguments of every command on the page.
fn commands(page: &str) -> Vec<Vec<String>> {
    let lines = page
        .lines()
        .filter_map(|l| l.strip_prefix("    gradscape "));
    lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn after<'a>(command: &'a [String], option: &str) -> Option<&'a String> {
    let place = command.iter().position(|word| word == option)?;
    command.get(place + 1)
}

/// The kinds that the program says there are.
fn kinds() -> BTreeSet<String> {
    let error = fails(
        Path::new(ROOT),
        2,
        &["figure", "no-such-kind", "xor", "--out", "x.png"],
    );
    let list = error.split("[possible values: ").nth(1).unwrap();
    let list = list.split(']').next().unwrap();
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_kind_of_figure_and_shows_what_its_commands_make() {
    let page = page();
    let commands = commands(&page);
    let figures = commands.iter().filter(|c| c[0] == "figure");
    let shown: BTreeSet<String> = figures.map(|c| c[1].clone()).collect();
    assert_eq!(shown, kinds());
    let mut size = 0;
    for command in &commands {
        let out = after(command, "--out").unwrap();
        let link = format!("]({})", out.strip_prefix("docs/").unwrap());
        assert_eq!(page.matches(&link).count(), 1, "{out}");
        size += std::fs::metadata(Path::new(ROOT).join(out)).unwrap().len();
    }
    let pictures = std::fs::read_dir(Path::new(ROOT).join("docs/gallery")).unwrap();
    assert_eq!(
        pictures.count(),
        commands.len(),
        "a picture that no command makes"
    );
    assert!(size < 6_000_000, "{size} bytes of pictures");
}

/// Every command, with at most two epochs, so that it takes no time.
#[test]
fn every_command_of_the_page_makes_a_picture_in_both_forms_and_themes() {
    let folder = tempfile::tempdir().unwrap();
    let figures = commands(&page()).into_iter().filter(|c| c[0] == "figure");
    for (k, command) in figures.enumerate() {
        let mut out = PathBuf::new();
        let mut args: Vec<String> = Vec::new();
        let mut words = command.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--epochs" => drop(words.next()),
                "--scale" | "--theme" | "--steps" => drop(words.next()),
                "--out" => out = PathBuf::from(words.next().unwrap()),
                _ => args.push(word),
            }
        }
        let dark = k % 2 == 0;
        let ending = if k % 3 == 0 { "svg" } else { "png" };
        let file = folder
            .path()
            .join(out.file_name().unwrap())
            .with_extension(ending);
        args.extend(["--epochs", "2", "--out", file.to_str().unwrap()].map(str::to_owned));
        args.extend(["--theme", if dark { "dark" } else { "light" }].map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        succeeds(folder.path(), &args);
        let bytes = std::fs::read(&file).unwrap();
        assert!(bytes.len() > 1500, "{args:?}");
        if ending == "svg" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("NaN") && !text.contains("inf\""), "{args:?}");
        }
    }
}

#[test]
fn what_a_network_has_not_and_what_a_kind_does_not_take_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |status: i32, args: &[&str], part: &str| {
        let mut all = vec!["figure"];
        all.extend(args);
        all.extend(["--out", "x.png"]);
        let said = fails(dir.path(), status, &all);
        assert!(said.contains(part), "{args:?}: {said}");
        assert!(!dir.path().join("x.png").exists());
    };
    wrong(1, &["field", "digits"], "64 inputs");
    wrong(1, &["neurons", "iris"], "no points of a plane");
    wrong(
        2,
        &["structure", "xor", "--bins", "9"],
        "goes with histogram, ridge",
    );
    wrong(2, &["flow", "xor", "--log"], "curves");
    wrong(2, &["maximised", "xor"], "--unit");
    wrong(2, &["curves", "xor", "--smooth", "1"], "below 1");
    wrong(2, &["ridge", "xor", "--steps", "9..3"], "9 is after 3");
    wrong(2, &["ridge", "xor", "--bins", "1"], "2 bins at least");
    let none = ["ridge", "xor", "--epochs", "1", "--steps", "100000.."];
    wrong(2, &none, "no moment but the first");
    wrong(2, &["histogram", "xor", "--of", "updates"], "--epochs");
    wrong(
        2,
        &["histogram", "xor", "--part", "train"],
        "--of activations",
    );
    wrong(
        2,
        &["similarity", "iris", "--with", "wine"],
        "do not see the same things",
    );
    wrong(1, &["saliency", "iris", "--method", "grad-cam"], "convol");
    wrong(
        2,
        &["contributions", "iris", "--sample", "0"],
        "samples 1 to",
    );
}

/// A run's folder: its curves are those recorded, what needs more is the same run again.
#[test]
fn a_runs_folder_is_drawn_without_being_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    succeeds(dir, &["train", "xor", "--epochs", "6", "--out", "run"]);
    let weights = || std::fs::read(dir.join("run/weights.safetensors")).unwrap();
    let before = weights();
    succeeds(dir, &["figure", "curves", "run", "--out", "recorded.svg"]);
    let text = std::fs::read_to_string(dir.join("recorded.svg")).unwrap();
    assert!(text.contains("6 epochs as the run recorded them"));
    assert!(!text.contains("gradient norm"));
    succeeds(
        dir,
        &[
            "figure", "curves", "run", "--epochs", "3", "--out", "more.svg",
        ],
    );
    let text = std::fs::read_to_string(dir.join("more.svg")).unwrap();
    assert!(text.contains("gradient norm") && text.contains("3 epochs of"));
    // The run again, from its start: step 0 has the initial weights, as the experiment has.
    succeeds(dir, &["figure", "bands", "run", "--out", "run.svg"]);
    let own = [
        "figure", "bands", "xor", "--epochs", "6", "--out", "own.svg",
    ];
    succeeds(dir, &own);
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(read("run.svg"), read("own.svg"));
    assert_eq!(weights(), before);
}

/// The captures, small and untrained.
#[cfg(feature = "app")]
#[test]
fn every_capture_of_the_page_makes_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    for mut command in commands(&page()).into_iter().filter(|c| c[0] == "capture") {
        let mut put = |option: &str, value: &str| {
            let place = command.iter().position(|word| word == option).unwrap();
            command[place + 1] = value.to_owned();
        };
        put("--epochs", "0");
        put("--size", "240x140");
        put("--out", "scene.png");
        let args: Vec<&str> = command.iter().map(String::as_str).collect();
        succeeds(folder.path(), &args);
        assert!(folder.path().join("scene.png").exists(), "{command:?}");
        std::fs::remove_file(folder.path().join("scene.png")).unwrap();
    }
}
