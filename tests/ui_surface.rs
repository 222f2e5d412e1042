//! The panel of the error surface, without a window: what can be chosen, what it
//! says about the picture, the curvature, the line, and the files.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod desk;

use bevy_egui::egui::Key;
use desk::Desk;
use gradscape::app::ui::Intent;
use gradscape::app::{
    Choices, CurvatureHere, Item, Language, LineHere, PlaneFacts, Settings, StudyWish, Texts,
};
use gradscape::landscape::curvature::{Curvature, CurvatureOptions};
use gradscape::landscape::{
    Axis, Directions, Gauge, LAST_STEP, Line, Measure, Over, PathOnPlane, PlaneContext, Quantity,
    Scope, Slice, evaluate, span,
};
use gradscape::train::{Evaluator, Session, TrainCommand};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const SPIRAL: &str = "seed = 2\n[data]\nsource = \"spiral\"\nsamples = 120\nvalidation = 0.25\n\
    [network]\nlayers = [ { dense = 5 } ]\nloss = \"cross-entropy\"\n\
    [training]\nepochs = 20\nl2 = 0.001\n";
const CURVE: &str = "[data]\nsource = \"plane\"\nvalidation = 0.0\n[network]\n\
    layers = [ { dense = 3 } ]\nloss = \"half-squared-error\"\n";

fn trained(text: &str, language: Language) -> (Desk, Texts) {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(text, [1280.0, 4200.0], choices);
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    for _ in 0..8 {
        session.command(TrainCommand::Epoch);
    }
    desk.training.snapshot = session.snapshot();
    for point in session.take_outbox().points {
        desk.training.path.push(point);
    }
    desk.frames(4);
    (desk, Texts::new(language))
}

/// Puts the surface along `directions` before the panel, as the window does.
fn show(desk: &mut Desk, directions: Directions, measure: Measure) {
    let problem = Arc::clone(&desk.training.problem);
    let (go, points) = (AtomicBool::new(false), desk.training.path.points());
    let params = Arc::clone(&desk.training.snapshot.params);
    let batch = problem.train.select_rows(&desk.training.snapshot.batch);
    let gauge = Gauge::new(&problem, measure, Some(&batch)).unwrap();
    let spanned = span(&PlaneContext {
        gauge,
        center: &params,
        path: points,
        directions,
        scope: &Scope::Whole,
        cancel: &go,
    })
    .unwrap();
    let axis = Axis::new(-1.0, 1.0, 9).unwrap();
    let slice = Slice::new(gauge, &spanned.plane);
    let surface = evaluate(&slice, axis, axis, &go, |_| {}, |_| {}).unwrap();
    let mut path = PathOnPlane::default();
    assert!(path.update(gauge, &spanned.plane, points, &go));
    let shown = &mut desk.surface;
    shown.surface = Some(Arc::new(surface));
    shown.path = path;
    shown.measure = measure;
    shown.samples = gauge.samples().len();
    shown.facts = Some(PlaneFacts {
        directions,
        scope: Scope::Whole,
        stands_in: false,
        range: spanned.range,
        shares: spanned.shares,
        eigenvalues: spanned.eigenvalues,
        gradient_norm: spanned.gradient_norm,
        steps: spanned.steps,
        found_at: desk.training.snapshot.step,
    });
    shown.plane = Some(Arc::new(spanned.plane));
    shown.problem = Some(problem);
    desk.frames(3);
}

fn studies(intents: &[Intent]) -> Vec<StudyWish> {
    let wishes = intents.iter().filter_map(|i| match i {
        Intent::Study(wish) => Some(*wish),
        _ => None,
    });
    wishes.collect()
}

#[test]
fn every_plane_can_be_chosen_and_says_what_it_is_for() {
    for language in Language::ALL {
        let (mut desk, texts) = trained(SPIRAL, language);
        let mut now = "path";
        for (kind, is_it) in [
            ("hessian", Directions::Hessian),
            ("hessian_ends", Directions::HessianEnds),
            ("gradient", Directions::Gradient),
            ("random", Directions::Random { seed: 0 }),
            ("path", Directions::Path),
        ] {
            desk.click_beginning(texts.get(&format!("plane.{now}")));
            desk.frames(2);
            let key = format!("plane.{kind}_note");
            let note = texts.get(&key);
            assert!(desk.says(note), "{note} is not in the menu");
            desk.click_beginning(&format!("{}\n", texts.get(&format!("plane.{kind}"))));
            desk.frames(2);
            assert_eq!(desk.choices.surface.directions, is_it);
            assert!(desk.find(note).is_some(), "{note} stays below the menu");
            now = kind;
        }
    }
}

#[test]
fn keys_go_round_all_planes_and_all_measures_that_there_are() {
    let (mut desk, _) = trained(SPIRAL, Language::English);
    let mut seen = Vec::new();
    for _ in 0..7 {
        desk.press(Key::D);
        seen.push(desk.choices.surface.directions);
    }
    assert_eq!(seen[6], Directions::Path);
    assert!(matches!(
        seen[5],
        Directions::Checkpoints([0, _, LAST_STEP])
    ));
    let mut measures = Vec::new();
    for _ in 0..6 {
        desk.press(Key::M);
        measures.push(desk.choices.surface.measure);
    }
    assert_eq!(measures[5], Measure::default());
    assert_eq!(measures[1].over, Over::Batch);
    assert_eq!(measures[3].quantity, Quantity::Accuracy);
    // Real values, nothing held back: training and batch loss are left.
    let (mut desk, _) = trained(CURVE, Language::English);
    desk.press(Key::M);
    assert_eq!(desk.choices.surface.measure.over, Over::Batch);
    desk.press(Key::M);
    assert_eq!(desk.choices.surface.measure, Measure::default());
}

#[test]
fn checkpoints_are_steps_of_the_path_and_the_button_takes_the_present() {
    let (mut desk, _) = trained(SPIRAL, Language::English);
    let last = desk.training.path.points().last().unwrap().step;
    desk.choices.surface.directions = Directions::Checkpoints([0, 5, last]);
    desk.frames(3);
    desk.click("checkpoint b/now");
    let Directions::Checkpoints(steps) = desk.choices.surface.directions else {
        panic!("another plane")
    };
    assert_eq!(steps, [0, LAST_STEP, last]);
}

#[test]
fn a_scope_is_a_layer_or_what_belongs_to_the_selected_neuron() {
    let (mut desk, texts) = trained(SPIRAL, Language::English);
    desk.click_beginning(texts.get("scope.whole"));
    desk.frames(2);
    desk.click_beginning("layer 2");
    desk.frames(2);
    assert_eq!(desk.choices.surface.scope, Scope::Layers(vec![1]));
    desk.selection.selected = Some(Item::Neuron { column: 1, unit: 2 });
    // The panel says what is selected, which moves what lies below.
    desk.frames(2);
    desk.click_beginning("layer 2");
    desk.frames(2);
    desk.click_beginning(texts.get("scope.chosen"));
    desk.frames(2);
    // Two inputs: weights 4 and 5, and the third of five biases behind ten weights.
    assert_eq!(
        desk.choices.surface.scope,
        Scope::Parameters(vec![4, 5, 12])
    );
}

#[test]
fn the_panel_says_what_is_shown_and_the_gap_is_the_difference_of_two_losses() {
    for language in Language::ALL {
        let (mut desk, texts) = trained(SPIRAL, language);
        show(
            &mut desk,
            Directions::Random { seed: 4 },
            Measure::default(),
        );
        let n = desk.training.problem.train.len();
        assert!(desk.says(texts.get("measure.train_loss")));
        assert!(desk.says(texts.get("loss.cross-entropy")));
        assert!(desk.says(&texts.with("facts.of_train", &[("n", &n)])));
        assert!(desk.says("L2"));
        // The largest gap, from the losses of the weights and their projection.
        let point = *desk.surface.path.largest_gap().unwrap();
        let problem = Arc::clone(&desk.training.problem);
        let plane = desk.surface.plane.clone().unwrap();
        let recorded = desk.training.path.points().iter();
        let there = recorded.clone().find(|p| p.step == point.step).unwrap();
        let mut evaluator = Evaluator::new(&problem.network);
        let loss = |evaluator: &mut Evaluator, params: &[f32]| {
            evaluator.loss(&problem.network, params, &problem.train)
        };
        let below = plane.point(point.x, point.y);
        let gap = loss(&mut evaluator, &there.params) - loss(&mut evaluator, &below);
        assert!((gap - point.gap()).abs() < 1e-9 * gap.abs().max(1.0));
        let shown = format!("{:+.3}", gap).replace('-', "−");
        let shown = &shown[..shown.len() - 1];
        assert!(desk.says(shown), "no {shown}");
        assert!(desk.says(&point.step.to_string()));
    }
}

#[test]
fn a_picture_that_misleads_warns_in_words_and_one_click_chooses_the_components() {
    for language in Language::ALL {
        let (mut desk, texts) = trained(SPIRAL, language);
        show(&mut desk, Directions::Path, Measure::default());
        assert!(!desk.says(texts.get("facts.misleads")));
        desk.choices.surface.directions = Directions::Random { seed: 4 };
        show(
            &mut desk,
            Directions::Random { seed: 4 },
            Measure::default(),
        );
        assert!(desk.says(texts.get("facts.misleads")));
        let share = desk.surface.path.share_in_plane().unwrap();
        assert!(share < 0.5 && desk.says(&format!("{:.1} %", 100.0 * share)));
        desk.click("facts/take_path");
        assert_eq!(desk.choices.surface.directions, Directions::Path);
    }
}

#[test]
fn accuracies_are_in_per_cent_and_have_no_loss_beside_them() {
    let (mut desk, texts) = trained(SPIRAL, Language::English);
    let measure = Measure {
        quantity: Quantity::Accuracy,
        over: Over::Validation,
        penalties: false,
    };
    show(&mut desk, Directions::Path, measure);
    assert!(desk.says(texts.get("measure.validation_accuracy")));
    let newest = desk.surface.path.points.last().unwrap().true_loss;
    assert!(desk.says(&format!("{:.1} %", 100.0 * newest)));
    assert!(!desk.says(texts.get("facts.penalties")));
}

#[test]
fn the_curvature_is_asked_for_and_shown_with_its_numbers_and_its_name() {
    for language in Language::ALL {
        let (mut desk, texts) = trained(SPIRAL, language);
        assert_eq!(studies(&desk.press(Key::K)), [StudyWish::Curvature]);
        assert_eq!(
            studies(&desk.click("curvature/compute")),
            [StudyWish::Curvature]
        );
        let problem = Arc::clone(&desk.training.problem);
        let (gauge, go) = (Gauge::training_loss(&problem), AtomicBool::new(false));
        let weights = Arc::clone(&desk.training.snapshot.params);
        let options = CurvatureOptions {
            probes: 3,
            steps: 20,
            ..CurvatureOptions::default()
        };
        let curvature =
            Curvature::new(gauge, &weights, &Scope::Whole, options, &go, &|_| {}).unwrap();
        let name = texts
            .get(&format!("point.{}", curvature.point().name()))
            .to_owned();
        let largest = curvature.sharpness();
        desk.surface.study.curvature = Some(Arc::new(CurvatureHere {
            step: desk.training.snapshot.step,
            weights,
            measure: Measure::default(),
            samples: problem.train.len(),
            scope: Scope::Whole,
            curvature,
        }));
        desk.frames(4);
        assert!(desk.find(&name).is_some(), "{name}");
        let written = format!("{largest:.6}");
        assert!(desk.says(&written[..4]), "no {written}");
        assert!(desk.says(" ± ") && desk.says(texts.get("curvature.density")));
        // Elsewhere it says where it was.
        desk.training.snapshot.params = desk.training.path.points()[0].params.clone();
        desk.frames(2);
        assert!(desk.find(&name).is_none());
        desk.surface.study.curvature_progress = Some((3, 10));
        desk.frames(2);
        assert_eq!(
            studies(&desk.click("curvature/cancel")),
            [StudyWish::Cancel]
        );
    }
}

#[test]
fn the_line_between_two_steps_is_asked_for_and_drawn() {
    let (mut desk, texts) = trained(SPIRAL, Language::English);
    desk.click_beginning(texts.get("insight.line"));
    desk.frames(6);
    let wish = StudyWish::Line {
        from: 0,
        to: LAST_STEP,
    };
    assert_eq!(studies(&desk.click("line/draw")), [wish]);
    let problem = Arc::clone(&desk.training.problem);
    let points = desk.training.path.points();
    let ends = [points[0].clone(), points.last().unwrap().clone()];
    let line = Line::new(ends[0].params.to_vec(), ends[1].params.to_vec()).unwrap();
    let axis = Axis::new(-0.5, 1.5, 9).unwrap();
    let scores = line.scores(&problem, axis, &AtomicBool::new(false), |_| {});
    desk.surface.study.line = Some(Arc::new(LineHere {
        from: ends[0].step,
        to: ends[1].step,
        length: line.length(),
        points: scores.unwrap(),
    }));
    desk.frames(4);
    let values: [(&str, &dyn std::fmt::Display); 3] = [
        ("from", &ends[0].step),
        ("to", &ends[1].step),
        ("length", &"LENGTH"),
    ];
    let said = texts.with("line.ends", &values);
    assert!(desk.says(said.split("LENGTH").next().unwrap()));
}

#[test]
fn the_surface_on_screen_is_written_where_the_user_says() {
    let (mut desk, texts) = trained(SPIRAL, Language::English);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("surface.csv");
    desk.panels.surface_path = path.display().to_string();
    let notice = |intents: Vec<Intent>| {
        let found = intents.into_iter().find_map(|i| match i {
            Intent::Notify(notice) => Some(notice),
            _ => None,
        });
        found.unwrap()
    };
    let refused = notice(desk.press(Key::I));
    assert!(refused.error && refused.message == texts.get("facts.none"));
    show(&mut desk, Directions::Path, Measure::default());
    let said = notice(desk.press(Key::I));
    assert!(
        !said.error && said.message.contains(&path.display().to_string()),
        "{said:?}"
    );
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 82, "a head and 81 points");
    desk.panels.surface_path = folder.path().join("surface.doc").display().to_string();
    let said = notice(desk.press(Key::I));
    assert!(said.error && said.message.contains(".npz"), "{said:?}");
}

#[test]
fn settings_from_before_there_were_scopes_and_measures_still_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let old = "[choices.surface]\nrange = 2.0\ngrid = 33\nlog_height = true\n\
               [choices.surface.directions]\nrandom = { seed = 3 }\n";
    std::fs::write(&path, old).unwrap();
    let mut settings = Settings::read(&path).unwrap().unwrap();
    let surface = &settings.choices.surface;
    assert_eq!(surface.directions, Directions::Random { seed: 3 });
    assert_eq!((surface.range, surface.measure), (2.0, Measure::default()));
    assert_eq!(surface.scope, Scope::Whole);
    settings.choices.surface.scope = Scope::Layers(vec![1]);
    settings.choices.surface.directions = Directions::Checkpoints([0, 7, LAST_STEP]);
    settings.choices.surface.measure.over = Over::Batch;
    settings.write(&path).unwrap();
    assert_eq!(Settings::read(&path).unwrap().unwrap(), settings);
}

#[test]
fn nothing_in_the_panel_is_cut_in_either_language() {
    for language in Language::ALL {
        let (mut desk, _) = trained(SPIRAL, language);
        desk.choices.surface.directions = Directions::Hessian;
        show(&mut desk, Directions::Hessian, Measure::default());
        let elided: Vec<_> = desk
            .texts()
            .into_iter()
            .filter(|(_, rect, _, elided)| *elided && rect.left() > 960.0)
            .collect();
        assert!(elided.is_empty(), "{elided:?}");
    }
}
