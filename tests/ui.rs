//! The panels without a window: they fit, in both languages and at every
//! scale, and what is clicked or typed becomes the right wish.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::{Key, Pos2, Rect};
use desk::{Desk, SPIRAL, loaded, train_commands};
use gradscape::app::ui::{self, Intent};
use gradscape::app::{Choices, Item, Language, NetworkView, Notice, Texts, Theme, ViewMode};
use gradscape::experiment::{Extent, LayerConfig, PlainKind};
use gradscape::landscape::Directions;
use gradscape::train::{Problem, RunState, Session, TrainCommand};
use std::sync::Arc;

/// Widths at which all panels are open and nothing may be cut; heights are
/// free, for panels scroll.
#[test]
fn no_text_is_cut_at_the_side_in_any_language_theme_or_data() {
    let digits = "[data]\nsource = \"digits\"\n[network]\nlayers = [ { dense = 32 } ]\nloss = \"cross-entropy\"\n[training]\noptimizer = { name = \"adamw\", learning_rate = 0.001 }\n";
    let sine = "[data]\nsource = \"sine\"\n[network]\nlayers = [ { dense = 8 } ]\nloss = \"half-squared-error\"\n";
    let cancer = "[data]\nsource = \"breast-cancer\"\n[network]\nloss = \"cross-entropy\"\n";
    for text in [SPIRAL, digits, sine, cancer, LENET] {
        for language in Language::ALL {
            for size in [[1280.0, 2400.0], [1920.0, 2400.0]] {
                let choices = Choices {
                    language,
                    theme: Theme::LIGHT,
                    ..Choices::default()
                };
                let mut desk = Desk::new(text, size, choices);
                desk.frames(4);
                let texts = desk.texts();
                assert!(texts.len() > 60, "{} texts", texts.len());
                for (text, rect, clip, elided) in texts {
                    // A path, a name of the user's and a long feature may be shortened.
                    let own = text.contains('/') || text.contains('…');
                    assert!(!elided || own, "{language:?} {size:?}: shortened {text:?}");
                    if own || !clip.intersects(rect) {
                        continue;
                    }
                    assert!(
                        rect.right() <= clip.right() + 1.0 && rect.left() >= clip.left() - 1.0,
                        "{language:?} {size:?}: {text:?} at {rect:?} is cut by {clip:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_window_leaves_room_for_the_scene() {
    for language in Language::ALL {
        for [width, height] in [
            [1280.0, 720.0],
            [1920.0, 1080.0],
            [1024.0, 768.0],
            [800.0, 600.0],
        ] {
            for scale in [1.0, 1.5, 2.0, 3.0] {
                let choices = Choices {
                    language,
                    ..Choices::default()
                };
                // A larger interface is a smaller window in points.
                let size = [width / scale, height / scale];
                if size[0] < 400.0 {
                    continue; // a small window at three times its size has room for nothing
                }
                let mut desk = Desk::new(SPIRAL, size, choices);
                desk.frames(3);
                let screen = Rect::from_min_size(Pos2::ZERO, size.into());
                assert!(
                    screen.expand(0.5).contains_rect(desk.free),
                    "{:?}",
                    desk.free
                );
                let share = desk.free.area() / screen.area();
                let least = if scale < 2.0 { 0.3 } else { 0.2 };
                assert!(share > least, "{language:?} {size:?}: {share} is left");
            }
        }
    }
    // The first screen as it is measured against.
    let mut desk = Desk::new(SPIRAL, [1280.0, 720.0], Choices::default());
    desk.frames(3);
    assert!(
        desk.free.width() > 690.0 && desk.free.height() > 600.0,
        "{:?}",
        desk.free
    );
}

#[test]
fn the_run_buttons_say_what_they_should() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    desk.frames(2);
    for (name, expected) in [
        ("run/toggle", TrainCommand::Start),
        ("run/step", TrainCommand::Step),
        ("run/epoch", TrainCommand::Epoch),
        ("run/reset", TrainCommand::Reset),
        ("run/reseed", TrainCommand::Reseed(8)),
    ] {
        let intents = desk.click(name);
        assert_eq!(train_commands(&intents), [&expected], "{name}");
    }
    desk.training.snapshot.state = RunState::Running;
    desk.frames(1);
    assert_eq!(
        train_commands(&desk.click("run/toggle")),
        [&TrainCommand::Pause]
    );
}

impl Desk {
    /// Clicks the last text on the screen that says this: menus lie on top.
    fn click_text(&mut self, text: &str) -> Vec<Intent> {
        let texts = self.texts();
        let found = texts.iter().rev().find(|(t, ..)| t == text);
        let at = found
            .unwrap_or_else(|| panic!("no {text} on the screen"))
            .1
            .center();
        self.click_at(at)
    }

    /// Adds a layer by the menu of the plus sign.
    fn add_layer(&mut self, kind: &str) -> Vec<Intent> {
        let mut intents = self.click("network/add_layer");
        intents.extend(self.frames(2));
        intents.extend(self.click_text(kind));
        intents.extend(self.frames(8));
        intents
    }
}

#[test]
fn editing_layers_loads_an_experiment_with_those_layers() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 1600.0], Choices::default());
    desk.frames(2);
    let intents = desk.add_layer("dense");
    let layers = &loaded(&intents).unwrap().network.layers;
    assert_eq!(
        layers.iter().map(|l| l.dense).collect::<Vec<_>>(),
        [Some(4), Some(3), Some(3)]
    );
    let mut intents = desk.click("layer/0/more");
    intents.extend(desk.click("layer/0/more"));
    assert_eq!(loaded(&intents), None, "not before the hand rests");
    intents.extend(desk.frames(8));
    assert_eq!(loaded(&intents).unwrap().network.layers[0].dense, Some(6));
    let mut intents = desk.click("network/remove_layer");
    intents.extend(desk.frames(8));
    assert_eq!(loaded(&intents).unwrap().network.layers.len(), 2);
    assert!(desk.frames(10).is_empty(), "and once only");
}

const LENET: &str = "[data]\nsource = \"digits\"\n[network]\nlayers = [ { conv = 4, kernel = 3, activation = \"relu\" }, { max_pool = 2 }, \"flatten\", { dense = 16 } ]\nloss = \"cross-entropy\"\n";

#[test]
fn a_layer_of_every_kind_can_be_added_moved_and_removed() {
    let kinds = [
        "dense",
        "conv",
        "max pool",
        "mean pool",
        "global mean",
        "flatten",
        "dropout",
        "batch norm",
        "layer norm",
        "PReLU",
    ];
    for kind in kinds {
        let empty = "[data]\nsource = \"digits\"\n[network]\nloss = \"cross-entropy\"\n";
        let mut desk = Desk::new(empty, [1280.0, 1600.0], Choices::default());
        desk.frames(2);
        let intents = desk.add_layer(kind);
        let experiment = loaded(&intents).unwrap_or_else(|| panic!("{kind} is not carried out"));
        assert_eq!(experiment.network.layers.len(), 1, "{kind}");
        Problem::new(experiment).unwrap_or_else(|e| panic!("{kind}: {e}"));
    }
    let mut desk = Desk::new(LENET, [1280.0, 1600.0], Choices::default());
    desk.frames(2);
    desk.click("layer/1/menu");
    desk.frames(2);
    let mut intents = desk.click_text("batch norm");
    intents.extend(desk.frames(8));
    let layers = &loaded(&intents).unwrap().network.layers;
    assert_eq!(layers.len(), 5, "inserted above the second");
    assert_eq!(layers[1], LayerConfig::plain(PlainKind::BatchNorm));
    desk.click("layer/1/menu");
    desk.frames(2);
    let mut intents = desk.click_text("Remove this layer");
    intents.extend(desk.frames(8));
    assert_eq!(
        loaded(&intents).unwrap().network.layers[1].max_pool,
        Some(Extent::Both(2))
    );
}

#[test]
fn the_editor_shows_what_each_layer_makes_of_the_image() {
    let mut desk = Desk::new(LENET, [1280.0, 1600.0], Choices::default());
    desk.frames(3);
    let texts = desk.texts();
    for wanted in ["1@8×8", "→ 4@6×6", "→ 4@3×3", "→ 36", "max pool", "3×3"] {
        assert!(
            texts.iter().any(|(t, ..)| t == wanted),
            "{wanted} is not in {texts:?}"
        );
    }
}

#[test]
fn a_network_that_does_not_fit_says_why_and_is_not_carried_out() {
    let mut desk = Desk::new(LENET, [1280.0, 1600.0], Choices::default());
    desk.frames(2);
    let intents = desk.add_layer("max pool");
    assert_eq!(
        loaded(&intents),
        None,
        "nothing is left to pool behind a dense layer"
    );
    let complaint = desk.panels.draft.error().unwrap();
    assert_eq!(complaint.key, "network.layers[4]");
    let shown = desk.texts();
    assert!(
        shown.iter().any(|(t, ..)| t.contains("network.layers[4]")),
        "{shown:?}"
    );
    let mut intents = desk.click("network/remove_layer");
    intents.extend(desk.frames(8));
    assert_eq!(desk.panels.draft.error(), None);
    assert_eq!(
        loaded(&intents),
        None,
        "and back there is nothing to carry out"
    );
}

#[test]
fn two_parameters_begin_with_those_that_the_loss_depends_on_most() {
    let mut desk = Desk::new(LENET, [1280.0, 2600.0], Choices::default());
    let n = desk.training.snapshot.params.len();
    let mut gradient = vec![0.01_f32; n];
    (gradient[70], gradient[200]) = (-3.0, 2.0);
    desk.training.snapshot.gradient = gradient.into();
    desk.frames(3);
    desk.click_text("Principal components");
    desk.frames(2);
    desk.click_beginning("Two parameters");
    assert_eq!(
        desk.choices.surface.directions,
        Directions::Weights(70, 200)
    );
}

#[test]
fn keys_do_what_the_table_says_and_not_while_text_is_typed() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    desk.frames(2);
    assert_eq!(
        train_commands(&desk.press(Key::Space)),
        [&TrainCommand::Start]
    );
    assert_eq!(train_commands(&desk.press(Key::S)), [&TrainCommand::Step]);
    desk.press(Key::Num2);
    assert_eq!(desk.choices.mode, ViewMode::Surface);
    desk.press(Key::T);
    assert_eq!(desk.choices.theme, Theme::LIGHT);
    desk.press(Key::L);
    assert_eq!(desk.choices.language, Language::Chinese);
    desk.press(Key::Plus);
    assert_eq!(desk.choices.scale, 1.25);
    assert!(matches!(desk.press(Key::F)[..], [Intent::Camera(_)]));
    let before = desk.free;
    desk.press(Key::H);
    desk.frames(2);
    assert!(desk.free.width() > before.width() + 400.0);
    desk.press(Key::H);
    desk.frames(2);
    desk.press(Key::Questionmark);
    desk.frames(2);
    let shown = desk.texts();
    for shortcut in &ui::SHORTCUTS {
        let texts = Texts::new(Language::Chinese);
        let text = texts.get(shortcut.text);
        assert!(
            shown.iter().any(|(t, ..)| t == text),
            "{text} is not in the help"
        );
        assert!(
            shown.iter().any(|(t, ..)| t == shortcut.label),
            "{}",
            shortcut.label
        );
    }
    desk.press(Key::Escape);
    assert!(!desk.panels.help);

    let mut desk = Desk::new(SPIRAL, [1280.0, 2000.0], Choices::default());
    desk.frames(2);
    let path = desk.panels.path.clone();
    let field = desk
        .texts()
        .into_iter()
        .find(|(t, ..)| *t == path)
        .unwrap()
        .1;
    desk.click_at(field.center());
    assert!(desk.ctx.text_edit_focused());
    assert!(desk.press(Key::S).is_empty() && desk.press(Key::Space).is_empty());
}

#[test]
fn a_run_that_diverged_is_explained_and_offers_a_way_out() {
    let text = "[data]\nsource = \"plane\"\n[network]\nlayers = [ { dense = 4, activation = \"linear\" } ]\nloss = \"half-squared-error\"\n[training]\noptimizer = { name = \"sgd\", learning_rate = 1e6 }\n";
    for language in Language::ALL {
        let choices = Choices {
            language,
            ..Choices::default()
        };
        let mut desk = Desk::new(text, [1280.0, 900.0], choices);
        let mut session = Session::new(Arc::clone(&desk.training.problem));
        session.command(TrainCommand::Start);
        while session.advance() {}
        desk.training.snapshot = session.snapshot();
        let divergence = desk.training.snapshot.divergence.clone().unwrap();
        desk.frames(3);
        let texts = Texts::new(language);
        let shown = desk.texts();
        let said = |text: &str| {
            shown
                .iter()
                .find(|(t, ..)| t.contains(text))
                .map(|(_, r, ..)| *r)
        };
        assert!(said(texts.get("diverged.title")).is_some());
        assert!(said(&divergence.step.to_string()).is_some());
        let lower = texts.get("diverged.lower").split('{').next().unwrap();
        let button = said(lower).expect("a way out");
        let intents = desk.click_at(button.center());
        let commands = train_commands(&intents);
        assert!(matches!(commands[0], TrainCommand::SetLearningRate(rate) if *rate == 1e5));
        assert_eq!(commands[1], &TrainCommand::Rewind);
    }
}

#[test]
fn messages_show_until_they_are_closed_and_good_news_goes_by_itself() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    for (message, error) in [("a failure", true), ("a success", false)] {
        let notice = Notice {
            message: message.into(),
            error,
        };
        desk.panels.notify(notice, 0.0);
    }
    desk.frames(2);
    let shows = |desk: &Desk, text: &str| desk.texts().iter().any(|(t, ..)| t == text);
    assert!(shows(&desk, "a failure") && shows(&desk, "a success"));
    desk.time += 20.0;
    desk.frames(4);
    assert!(shows(&desk, "a failure") && !shows(&desk, "a success"));
    desk.click("toast 0");
    desk.frames(1);
    assert!(!shows(&desk, "a failure"));
}

#[test]
fn a_click_on_a_point_watches_its_sample() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 2000.0], Choices::default());
    desk.frames(3);
    let intents = desk.click("watched/next");
    let [TrainCommand::Watch(watched)] = train_commands(&intents)[..] else {
        panic!("{intents:?}")
    };
    assert_eq!(watched.index, 1);
}

#[test]
fn the_selected_connection_becomes_an_axis_and_shows_its_numbers() {
    let choices = Choices::default();
    let mut desk = Desk::new(SPIRAL, [1280.0, 2600.0], choices);
    desk.choices.surface.directions = Directions::Weights(0, 1);
    desk.selection.selected = Some(Item::Connection {
        layer: 1,
        source: 0,
        from: 2,
        to: 1,
    });
    desk.frames(3);
    let texts = Texts::new(Language::English);
    let label = texts.get("surface_view.use_selected");
    let buttons: Vec<Rect> = desk
        .texts()
        .into_iter()
        .filter(|(t, ..)| t == label)
        .map(|(_, r, ..)| r)
        .collect();
    assert_eq!(buttons.len(), 2);
    desk.click_at(buttons[0].center());
    let layout = desk.training.problem.network.layout().clone();
    let Directions::Weights(x, y) = desk.choices.surface.directions else {
        panic!()
    };
    // Row 1, column 2 of the second layer's 3 x 4 weights.
    assert_eq!((x, y), (layout.weight(1).start + 4 + 2, 1));
    let value = desk.training.snapshot.params[x];
    let shown = format!("{:.3}", value.abs());
    assert!(
        desk.texts().iter().any(|(t, ..)| t.contains(&shown)),
        "{shown}"
    );
}

#[test]
fn choices_live_in_one_place_and_panels_change_nothing_else() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    let before = desk.choices.clone();
    let intents = desk.frames(20);
    assert!(intents.is_empty(), "{intents:?}");
    assert_eq!(desk.choices, before);
    assert_eq!(desk.choices.network, NetworkView::default());
}
