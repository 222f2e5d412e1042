//! The surface that is pinned beside the live one, on the same height scale,
//! and the titles that say which is which.

use super::surface::Laid;
use super::surface_axes::{self, Facing, Titles};
use super::surface_frame::{SurfaceFrame, short};
use super::surface_parts::{PinnedRelief, PinnedRoot, PinnedText, StrokeKind, Strokes};
use super::surface_path;
use super::surface_relief::Relief;
use crate::app::arena::{Pinned, PinnedTitle, letter};
use crate::app::labels::{Label, ViewCamera};
use crate::app::state::{PINNED_OFFSET, SURFACE_MAX, SceneView, SurfaceRoot, SurfaceView};
use crate::app::surface::ErrorSurface;
use crate::app::surface_words;
use crate::app::text::{Language, Texts};
use crate::app::theme::Theme;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_egui::egui::Align2;

pub(super) fn spawn(mut commands: Commands, roots: Query<Entity, With<SurfaceRoot>>) {
    let Ok(root) = roots.single() else { return };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let pinned = commands
        .spawn((
            PinnedRoot,
            ChildOf(root),
            Transform::from_translation(PINNED_OFFSET),
            Visibility::Hidden,
            layer.clone(),
        ))
        .id();
    let child = (
        ChildOf(pinned),
        Transform::default(),
        Visibility::Inherited,
        layer,
    );
    commands.spawn((PinnedRelief::default(), child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Pinned, child));
}

/// What the components were last made from.
type From = (u64, u64, Theme, Language, Facing);

/// Brings the pinned surface up to date when it, or the common scale, changed.
pub(super) fn lay_out(
    mut commands: Commands,
    pinned: Res<Pinned>,
    shown: Res<ErrorSurface>,
    view: Res<SurfaceView>,
    theme: Res<Theme>,
    strings: Res<Texts>,
    laid: Res<Laid>,
    cameras: Query<(&Camera, &RenderLayers, &GlobalTransform), With<ViewCamera>>,
    mut roots: Query<(Entity, &mut Visibility, &GlobalTransform), With<PinnedRoot>>,
    mut reliefs: Query<&mut PinnedRelief>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
    mut texts: Query<
        (&PinnedText, &mut Label, &mut Transform, &mut Visibility),
        Without<PinnedRoot>,
    >,
    mut facing: Local<Facing>,
    mut made_from: Local<Option<From>>,
) {
    let Ok((root, mut visibility, place)) = roots.single_mut() else {
        return;
    };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let eye = cameras
        .iter()
        .find(|(camera, layers, _)| camera.is_active && layers.intersects(&layer));
    if let Some((.., eye)) = eye {
        let eye = place.affine().inverse().transform_point3(eye.translation());
        *facing = facing.towards(eye);
    }
    let from = (
        pinned.revision,
        laid.count,
        *theme,
        strings.language(),
        *facing,
    );
    if made_from.as_ref() == Some(&from) {
        return;
    }
    *made_from = Some(from);
    let both = laid.frame.as_ref().zip(pinned.kept.as_ref());
    let own = both.and_then(|(live, kept)| {
        let frame = SurfaceFrame::scaled(&kept.surface, kept.origin, live.scale.clone())?;
        Some((frame, kept))
    });
    let Some((frame, kept)) = own else {
        visibility.set_if_neq(Visibility::Hidden);
        for (mut strokes, kind) in &mut strokes {
            if *kind == StrokeKind::Pinned {
                strokes.set_if_neq(Strokes::default());
            }
        }
        write(&mut commands, root, &mut texts, &[]);
        return;
    };
    visibility.set_if_neq(Visibility::Inherited);
    let relief = Relief::new(&kept.surface, &frame);
    let palette = theme.palette();
    for (mut strokes, kind) in &mut strokes {
        if *kind == StrokeKind::Pinned {
            *strokes = surface_axes::strokes(&frame, &relief, *facing, &palette);
            let path = surface_path::strokes(&frame, &kept.path, &kept.jumps, &view, &palette);
            strokes.0.extend(path.0);
        }
    }
    for mut of_entity in &mut reliefs {
        of_entity.0.clone_from(&relief);
    }
    let is_function = kept.title.function.is_some();
    let axis = |k: usize, function: &str| match &kept.parameters[k] {
        _ if is_function => function.to_owned(),
        Some(name) => name.clone(),
        None => surface_words::plane_axis(&strings, kept.facts.as_ref(), k),
    };
    let titles = Titles {
        x: axis(0, "x"),
        y: axis(1, "y"),
        height: String::new(),
        // It stands on the live one's scale.
        percent: shown.is_accuracy(),
    };
    let mut all = surface_axes::texts(&frame, *facing, &titles, &strings);
    all.retain(|(_, label)| !label.text.trim().is_empty());
    let live = PinnedTitle::of(&shown);
    // Both titles stand and fall together.
    let [pinned_title, live_title] = match kept.title.beside {
        Some(network) => [
            network_title(network, &kept.title, &strings),
            network_title(0, &live, &strings),
        ],
        None => [
            title("pin.pinned", &kept.title, &strings),
            title("pin.live", &live, &strings),
        ],
    };
    all.push((title_place(), pinned_title));
    // The live one's, from here.
    all.push((title_place() - PINNED_OFFSET, live_title));
    write(&mut commands, root, &mut texts, &all);
}

fn title_place() -> Vec3 {
    Vec3::new(0.0, SURFACE_MAX.y + 1.5, 0.0)
}

/// The title of a surface: which it is, what it is of, when, with what loss.
fn title(key: &'static str, of: &PinnedTitle, strings: &Texts) -> Label {
    let text = match &of.function {
        Some(function) => strings.with(key, &[("what", &function)]),
        None => {
            let widths: Vec<String> = of.widths.iter().map(usize::to_string).collect();
            let source = format!("source.{}", of.experiment);
            let is_source = crate::data::source_info(&of.experiment).is_some();
            let experiment = if is_source {
                strings.get(&source)
            } else {
                &of.experiment
            };
            let mut what = format!("{experiment}, {}", widths.join("-"));
            if let Some(kind) = of.plane {
                let plane = format!("plane.{kind}");
                what += &format!(", {}", strings.get(&plane));
            }
            let loss = short(of.loss);
            let values: [(&str, &dyn std::fmt::Display); 2] = [("step", &of.step), ("loss", &loss)];
            let moment = strings.with("pin.moment", &values);
            format!("{}\n{moment}", strings.with(key, &[("what", &what)]))
        }
    };
    label(text)
}

/// The title of the surface of a network side by side with others: such networks are known
/// by their letters, and stand close together.
fn network_title(network: usize, of: &PinnedTitle, strings: &Texts) -> Label {
    let widths: Vec<String> = of.widths.iter().map(usize::to_string).collect();
    let loss = short(of.loss);
    let values: [(&str, &dyn std::fmt::Display); 2] = [("step", &of.step), ("loss", &loss)];
    let moment = strings.with("pin.moment", &values);
    label(format!(
        "{}  {}\n{moment}",
        letter(network),
        widths.join("-")
    ))
}

fn label(text: String) -> Label {
    Label {
        text,
        view: SceneView::Surface,
        size: 15.0,
        anchor: Align2::CENTER_BOTTOM,
        faint: false,
    }
}

/// Gives each text an entity; those that are too many are hidden.
fn write(
    commands: &mut Commands,
    root: Entity,
    texts: &mut Query<
        (&PinnedText, &mut Label, &mut Transform, &mut Visibility),
        Without<PinnedRoot>,
    >,
    all: &[(Vec3, Label)],
) {
    let mut known = 0;
    for (PinnedText(index), mut label, mut transform, mut visibility) in texts.iter_mut() {
        known += 1;
        match all.get(*index) {
            None => {
                visibility.set_if_neq(Visibility::Hidden);
            }
            Some((place, wanted)) => {
                visibility.set_if_neq(Visibility::Inherited);
                label.set_if_neq(wanted.clone());
                transform.set_if_neq(Transform::from_translation(*place));
            }
        }
    }
    for (index, (place, label)) in all.iter().enumerate().skip(known) {
        commands.spawn((
            PinnedText(index),
            label.clone(),
            Transform::from_translation(*place),
            Visibility::Inherited,
            ChildOf(root),
        ));
    }
}
