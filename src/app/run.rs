//! The window.

use super::blocks::OpenFile;
use super::capture::LOG_FILTER;
use super::graphics::{self, GraphicsError};
use super::lecture::Lecture;
use super::plugins::GradscapePlugins;
use super::presenter::Presenter;
use super::runs::RunKeeper;
use super::settings::{Choices, Settings, SettingsPlugin};
use super::state::ViewMode;
use super::text::Texts;
use super::training::{Command, Drive, Notice, Notices, Training};
use super::ui::{FirstTab, Tab, UiPlugin, recorded};
use super::watch::WatchWish;
use crate::run::Catalogue;
use crate::train::{Problem, RunState, TrainCommand};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::window::{MonitorSelection, PresentMode, WindowDestroyed, WindowMode, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::EguiPlugin;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the window opens with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Network and data.
    pub problem: Arc<Problem>,
    /// Whether training starts by itself.
    pub start: bool,
    /// The user's settings, and what to say of their loading; without them the
    /// defaults hold and nothing is kept.
    pub settings: Option<(Settings, Option<Notice>)>,
    /// The recorded run that is opened, if one is.
    pub run: Option<PathBuf>,
    /// Where runs are recorded, if they are.
    pub runs: Option<Catalogue>,
    /// A file that is opened once the window is there.
    pub file: Option<std::path::PathBuf>,
    /// The lesson that is given; then nothing of the settings is changed.
    pub lecture: Option<Lecture>,
    /// What is watched from the start.
    pub watch: Option<WatchWish>,
}

/// Opens the window and returns when it is closed, with whether all went well.
pub fn run(opening: &Opening) -> Result<bool, GraphicsError> {
    graphics::find_display()?;
    graphics::find_adapter()?;
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin {
                primary_window: Some(Window {
                    title: "gradscape".into(),
                    resolution: WindowResolution::new(1280, 800),
                    present_mode: PresentMode::AutoVsync,
                    ..default()
                }),
                ..default()
            })
            .set(LogPlugin {
                filter: LOG_FILTER.into(),
                ..default()
            }),
    );
    app.add_plugins(EguiPlugin::default())
        .insert_resource(WinitSettings::desktop_app())
        .insert_resource(graphics::error_handler())
        .add_plugins(GradscapePlugins {
            problem: Arc::clone(&opening.problem),
            drive: Drive::Thread,
        })
        .add_plugins(UiPlugin)
        .add_systems(
            Update,
            (pace_frames, leave_without_window, toggle_full_screen),
        );
    if let Some(lecture) = &opening.lecture {
        app.insert_resource(lecture.clone());
        if let Some(scene) = lecture.current() {
            app.insert_state(ViewMode::from(scene.view));
        }
        if let Some((settings, _)) = &opening.settings {
            let choices = &settings.choices;
            app.insert_resource(choices.theme)
                .insert_resource(Texts::new(choices.language))
                .insert_resource(Choices {
                    scale: choices.scale,
                    ..Choices::default()
                });
        }
        app.add_systems(Update, fill_screen);
    } else if let Some((settings, notice)) = &opening.settings {
        app.add_plugins(SettingsPlugin {
            settings: settings.clone(),
            notice: notice.clone(),
        });
    }
    if let Some(catalogue) = &opening.runs {
        let settings = opening.settings.as_ref();
        let on = settings.is_none_or(|(settings, _)| settings.choices.record);
        let keeper = RunKeeper::into_folder(catalogue.clone(), on);
        app.insert_resource(keeper);
    }
    if let Some(path) = &opening.run {
        match recorded(path.clone()) {
            Ok(load) => {
                app.world_mut().write_message(load);
            }
            Err(message) => {
                let mut notices = app.world_mut().get_resource_or_init::<Notices>();
                let error = true;
                notices.0.push(Notice { message, error });
            }
        }
    }
    if let Some(path) = &opening.file {
        app.world_mut().write_message(OpenFile {
            path: path.clone(),
            start: Some(false),
        });
    }
    if let Some(wish) = &opening.watch {
        app.insert_resource(FirstTab(Some(Tab::Elsewhere)));
        app.world_mut().write_message(wish.clone());
    }
    if opening.start {
        app.world_mut().write_message(Command(TrainCommand::Start));
    }
    Ok(app.run().is_success())
}

/// A window that something else destroyed, such as the window manager, is not one
/// that was asked to close: its entity stays, and the program would run on unseen.
fn leave_without_window(
    mut destroyed: MessageReader<WindowDestroyed>,
    mut exit: MessageWriter<AppExit>,
) {
    if destroyed.read().count() > 0 {
        exit.write(AppExit::Success);
    }
}

fn full_screen(on: bool) -> WindowMode {
    if on {
        WindowMode::BorderlessFullscreen(MonitorSelection::Current)
    } else {
        WindowMode::Windowed
    }
}

/// A lesson has the whole screen. Only once the window is there: where nobody grants
/// it the screen, it keeps the size that it has.
fn fill_screen(mut windows: Query<&mut Window>, mut frames: Local<u32>) {
    *frames = frames.saturating_add(1);
    if *frames == 3 {
        for mut window in &mut windows {
            window.mode = full_screen(true);
        }
    }
}

/// F11 takes the whole screen, and gives it back; so does presenting.
fn toggle_full_screen(
    keys: Res<ButtonInput<KeyCode>>,
    presenter: Res<Presenter>,
    mut presented: Local<bool>,
    mut windows: Query<&mut Window>,
) {
    let turned = presenter.on != *presented;
    *presented = presenter.on;
    if turned {
        for mut window in &mut windows {
            window.mode = full_screen(presenter.on);
        }
    }
    if !keys.just_pressed(KeyCode::F11) {
        return;
    }
    for mut window in &mut windows {
        window.mode = full_screen(window.mode == WindowMode::Windowed);
    }
}

/// While training runs, frames come by themselves; at rest only when something
/// happens, and to look whether a lesson's file was changed.
fn pace_frames(
    training: Res<Training>,
    lecture: Res<Lecture>,
    mut settings: ResMut<WinitSettings>,
) {
    let running = training.snapshot.state == RunState::Running;
    let wanted = if running {
        UpdateMode::reactive(Duration::from_millis(16))
    } else if lecture.file.is_some() {
        UpdateMode::reactive(Duration::from_millis(500))
    } else {
        UpdateMode::reactive(Duration::from_secs(60))
    };
    if settings.focused_mode != wanted {
        settings.focused_mode = wanted;
        settings.unfocused_mode = if running {
            UpdateMode::reactive_low_power(Duration::from_millis(33))
        } else {
            UpdateMode::reactive_low_power(Duration::from_secs(60))
        };
    }
}
