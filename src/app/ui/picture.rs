//! Taking a picture of the scene, or of the window, into a file.

use super::learning::named;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::{remark, segmented};
use crate::app::PictureWish;
use bevy_egui::egui::{self, Ui};
use std::path::{Path, PathBuf};

/// What a picture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PictureOf {
    /// The window as it is.
    Window,
    /// The scene, 1920 pixels wide.
    #[default]
    FullHd,
    /// The scene, 3840 pixels wide.
    Uhd4,
    /// The scene, 7680 pixels wide.
    Uhd8,
}

impl PictureOf {
    fn size(self) -> Option<(u32, u32)> {
        match self {
            PictureOf::Window => None,
            PictureOf::FullHd => Some((1920, 1080)),
            PictureOf::Uhd4 => Some((3840, 2160)),
            PictureOf::Uhd8 => Some((7680, 4320)),
        }
    }
}

/// What the next picture will be.
#[derive(Debug, Clone)]
pub struct PictureForm {
    path: String,
    of: PictureOf,
}

impl PictureForm {
    /// Pictures in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        PictureForm {
            path: folder.join("gradscape.png").display().to_string(),
            of: PictureOf::default(),
        }
    }
}

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let form = &mut panels.picture;
    let kinds = [
        (PictureOf::Window, None, stage.t("picture.window")),
        (PictureOf::FullHd, None, "1080p"),
        (PictureOf::Uhd4, None, "4K"),
        (PictureOf::Uhd8, None, "8K"),
    ];
    segmented(ui, "picture/of", &mut form.of, &kinds);
    let edit = egui::TextEdit::singleline(&mut form.path)
        .hint_text(stage.t("file.path"))
        .desired_width(f32::INFINITY);
    ui.add(edit);
    let there = is_picture(&form.path);
    let button = egui::Button::new(stage.t("picture.take"));
    let response = ui.add_enabled_ui(there, |ui| named(ui, "picture/take", button));
    if response.inner.clicked() && there {
        take(stage, panels);
    }
    remark(ui, stage.t("picture.remark"));
}

fn is_picture(path: &str) -> bool {
    let ending = Path::new(path.trim()).extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
}

/// Takes a picture as the form has it, into a file that is not there yet.
pub(super) fn take(stage: &mut Stage<'_>, panels: &Panels) {
    let form = &panels.picture;
    if !is_picture(&form.path) {
        let message = stage.t("picture.ending").to_owned();
        let error = true;
        stage
            .intents
            .push(Intent::Notify(crate::app::Notice { message, error }));
        return;
    }
    let path = PathBuf::from(form.path.trim());
    let path = std::path::absolute(&path).unwrap_or(path);
    stage.intents.push(Intent::Picture(PictureWish {
        path: unused(&path),
        size: form.of.size(),
    }));
}

/// The path itself, or with the first number behind its name that no file has.
fn unused(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let numbered = (2..100_000).map(|n| path.with_file_name(format!("{stem}-{n}.{ending}")));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        for name in ["a.png", "a-2.png", "a-3.png"] {
            let free = unused(&path);
            assert_eq!(free, dir.path().join(name));
            std::fs::write(&free, "").unwrap();
        }
        assert!(is_picture("x/y.PNG ") && !is_picture("x/png") && !is_picture(""));
    }
}
