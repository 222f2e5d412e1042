//! Explanation, activation maximisation and similarity in the panel of the inside, on a
//! bare egui context: what they show is what the library computes, and what they light
//! in the scene is lit there.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy::prelude::{App, MinimalPlugins, PluginGroup as _, default};
use bevy_egui::egui::Key;
use desk::Desk;
use gradscape::app::scene::{
    Connection, NetworkScenePlugin, Neuron, Outline, Standing, Thickness, neuron_value,
};
use gradscape::app::ui::{Intent, Tab};
use gradscape::app::{
    Choices, Label, Language, LitWays, NetworkReplaced, NetworkView, NeuronValue, Training,
    WaysShown,
};
use gradscape::insight::contributions::contributions;
use gradscape::insight::explain::{Explainer, Method, readout_of, sentence_about};
use gradscape::insight::maximise::{Ascent, Plan, Space};
use gradscape::insight::model::Model;
use gradscape::insight::similarity::cka_of_layers;
use gradscape::nn::Readout;
use gradscape::train::{Problem, Session, TrainCommand, Watched, WatchedPart};
use ndarray::ArrayView1;
use std::sync::Arc;
use std::time::Duration;

const DIGITS: &str = "seed = 7\n[data]\nsource = \"digits\"\nlimit = 400\n[network]\n\
    layers = [{ conv = 4, kernel = 3, activation = \"relu\" }, \"flatten\", { dense = 12 }]\n\
    loss = \"cross-entropy\"\n";
const MOONS: &str = "seed = 3\n[data]\nsource = \"moons\"\nsamples = 120\n[network]\n\
    layers = [{ dense = 6 }, { dense = 4 }]\nloss = \"cross-entropy\"\n[training]\n\
    optimizer = { name = \"adam\", learning_rate = 0.02 }\n";
const IRIS: &str = "seed = 3\n[data]\nsource = \"iris\"\n[network]\n\
    layers = [{ dense = 6 }]\nloss = \"cross-entropy\"\n";

/// Panels over a run that obeys them, the inside open.
struct Room {
    desk: Desk,
    session: Session,
}

impl Room {
    fn new(text: &str, epochs: usize, tab: Tab, language: Language) -> Self {
        let choices = Choices {
            language,
            ..Choices::default()
        };
        let mut desk = Desk::new(text, [1700.0, 1300.0], choices);
        let mut session = Session::new(Arc::clone(&desk.training.problem));
        session.command(TrainCommand::Epochs(epochs));
        desk.training.snapshot = session.snapshot();
        desk.press(Key::Backtick);
        desk.panels.inside.tab = tab;
        desk.frames(4);
        Room { desk, session }
    }

    fn problem(&self) -> Arc<Problem> {
        Arc::clone(&self.desk.training.problem)
    }

    fn params(&self) -> Vec<f64> {
        let params = &self.desk.training.snapshot.params;
        params.iter().map(|&p| p.into()).collect()
    }

    fn command(&mut self, command: TrainCommand) {
        self.session.command(command);
        self.desk.training.snapshot = self.session.snapshot();
    }

    fn watch(&mut self, part: WatchedPart, index: usize) {
        self.command(TrainCommand::Watch(Watched { part, index }));
    }

    /// Has the run do what the panels asked for.
    fn obey(&mut self, intents: Vec<Intent>) -> Vec<Intent> {
        for intent in &intents {
            if let Intent::Train(command) = intent {
                self.command(command.clone());
            }
        }
        intents
    }

    fn frame(&mut self) -> Vec<Intent> {
        let intents = self.desk.frame(Vec::new());
        self.obey(intents)
    }

    /// Frames until something is so; their intents.
    fn until(&mut self, what: &str, done: impl Fn(&Desk) -> bool) -> Vec<Intent> {
        let mut all = Vec::new();
        for _ in 0..6000 {
            all.extend(self.frame());
            if done(&self.desk) {
                return all;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let texts = self.desk.texts().into_iter().map(|(text, ..)| text);
        panic!("{what}: {:?}", texts.collect::<Vec<_>>());
    }

    /// A text on the screen that begins so.
    fn beginning(&self, start: &str) -> Option<String> {
        let mut texts = self.desk.texts().into_iter().map(|(text, ..)| text);
        texts.find(|text| text.starts_with(start))
    }
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<f64> {
    let text = text.replace('−', "-");
    let parts = text.split(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c)));
    let parts = parts.map(|part| part.trim_end_matches('.'));
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * b.abs().max(1e-3)
}

#[test]
fn the_tab_shows_the_sentence_and_the_numbers_of_the_library() {
    let mut room = Room::new(DIGITS, 12, Tab::Explanation, Language::English);
    let (problem, params) = (room.problem(), room.params());
    let mut changed = 0;
    for index in 0..6 {
        room.watch(WatchedPart::Validation, index);
        let x = room.desk.training.snapshot.probe.input.clone();
        let x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let x = ArrayView1::from(&x);
        let mut explainer = Explainer::new(&problem, &params);
        let said = sentence_about(&problem, &mut explainer, x, None);
        let class = said.whole.class;
        let readout = readout_of(&problem.network, problem.encoding, class).unwrap();
        let integrated = explainer.explain(Method::IntegratedGradients, &readout, x);
        let integrated = integrated.unwrap().completeness.unwrap();
        if said.without.as_ref().is_some_and(|without| without.changes) {
            changed += 1;
            let text = said.text.clone();
            room.until(&text, |desk| desk.says(&text));
        }
        let name = format!(
            "Explained: the logit of {}, ",
            problem.data.task.names()[class]
        );
        let sum = integrated.sum();
        let has = |desk: &Desk| {
            let texts = desk.texts();
            let found = texts.iter().find(|(text, ..)| text.starts_with(&name));
            let shown = found.map(|(text, ..)| numbers(&text[name.len()..]));
            let wanted = [integrated.at_sample, sum, integrated.difference()];
            shown.is_some_and(|shown| wanted.iter().zip(&shown).all(|(w, s)| close(*s, *w)))
        };
        room.until(&name, has);
        assert!(integrated.gap() < 1e-3);
    }
    assert!(changed > 0, "of no sample a part decides alone");
    for method in Method::ALL {
        assert!(room.desk.says(method.title()), "{method:?}");
    }
}

#[test]
fn the_sentence_is_in_the_language_in_use() {
    let mut room = Room::new(IRIS, 40, Tab::Explanation, Language::Chinese);
    room.watch(WatchedPart::Train, 0);
    room.until("a sentence", |desk| desk.says("它说是 "));
    let problem = room.problem();
    let name = &problem.data.task.names()[0];
    assert!(
        room.desk.says("平均为"),
        "columns of a table and their means"
    );
    assert!(
        problem.data.task.names().iter().any(|n| room.desk.says(n)),
        "{name}"
    );
    // Bars, with the names of the columns.
    for name in &problem.data.feature_names {
        assert!(room.desk.find(name).is_some(), "{name}");
    }
    assert!(!room.desk.says("Grad-CAM"), "there is no convolution");
}

#[test]
fn another_class_can_be_asked_for() {
    let mut room = Room::new(DIGITS, 4, Tab::Explanation, Language::English);
    let (problem, params) = (room.problem(), room.params());
    room.watch(WatchedPart::Train, 2);
    for class in [3, 8] {
        room.desk.panels.inside.why.target = Some(class);
        let name = format!("Explained: the logit of {class}, ");
        room.until(&name, |desk| desk.says(&name));
        let x = room.desk.training.snapshot.probe.input.clone();
        let x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let readout = Readout::logit(&problem.network, class).unwrap();
        let value = Model::new(&problem.network, &params).value(&readout, ArrayView1::from(&x));
        let shown = room.beginning(&name).unwrap();
        assert!(close(numbers(&shown[name.len()..])[0], value), "{shown}");
    }
}

/// What the panels asked the scene to light last.
fn lit(intents: &[Intent]) -> Option<Option<Arc<LitWays>>> {
    intents.iter().rev().find_map(|intent| match intent {
        Intent::Ways(ways) => Some(ways.clone()),
        _ => None,
    })
}

fn scene(training: &Training, budget: usize, ways: &Arc<LitWays>) -> App {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins.build())
        .insert_resource(training.clone())
        .insert_resource(NetworkView {
            connection_budget: budget,
            ..default()
        })
        .add_plugins(NetworkScenePlugin);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    app.insert_resource(WaysShown(Some(Arc::clone(ways))));
    app.update();
    app
}

#[test]
fn a_key_lights_the_strongest_contributions_in_the_scene_and_nothing_else() {
    for (text, budget) in [(MOONS, 4000), (DIGITS, 200)] {
        let mut room = Room::new(text, 10, Tab::Weights, Language::English);
        room.watch(WatchedPart::Train, 3);
        let pressed = room.desk.press(Key::Num9);
        let mut intents = room.obey(pressed);
        for _ in 0..6000 {
            if lit(&intents).flatten().is_some() {
                break;
            }
            intents.extend(room.frame());
            std::thread::sleep(Duration::from_millis(5));
        }
        let ways = lit(&intents).flatten().unwrap();
        // The same by the library.
        let (problem, params) = (room.problem(), room.params());
        let x = room.desk.training.snapshot.probe.input.clone();
        let x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let mut model = Model::new(&problem.network, &params);
        let outputs = model.output(ArrayView1::from(&x));
        let class = problem.encoding.class(ArrayView1::from(&outputs)).unwrap();
        let readout = readout_of(&problem.network, problem.encoding, class).unwrap();
        let found = contributions(&mut model, &readout, ArrayView1::from(&x), 10);
        assert_eq!(*ways, LitWays::of(&found, 5).unwrap());
        assert!(ways.ways[0].value.abs() >= ways.ways.last().unwrap().value.abs());

        let mut app = scene(&room.desk.training, budget, &ways);
        let world = app.world_mut();
        let mut raised = 0;
        let mut thickest = (0.0, 0.0);
        let mut connections = world.query::<(&Connection, &Standing, &Thickness)>();
        for (this, standing, thickness) in connections.iter(world) {
            let share = ways.link((this.layer, this.source, this.from, this.to));
            assert_eq!(*standing == Standing::Raised, share.is_some(), "{this:?}");
            assert_eq!(*standing == Standing::Receded, share.is_none(), "{this:?}");
            raised += usize::from(share.is_some());
            if this.layer == 0 && thickness.0 > thickest.0 {
                thickest = (thickness.0, share.unwrap_or(0.0).abs());
            }
        }
        // Those on the ways are drawn before all others.
        assert_eq!(raised, ways.links().count());
        assert_eq!(thickest.1, 1.0, "the strongest way is the thickest");
        let mut neurons = world.query::<(&Neuron, &Standing, &Outline)>();
        for (neuron, standing, outline) in neurons.iter(world) {
            let on_way = ways.unit(neuron.column, neuron.unit).is_some();
            assert_eq!(*standing == Standing::Raised, on_way, "{neuron:?}");
            let of_strongest = ways.ways[0].units.contains(&(neuron.column, neuron.unit));
            assert_eq!(outline.0.alpha > 0.0, of_strongest, "{neuron:?}");
        }
        let mut labels = world.query::<&Label>();
        let said: Vec<f64> = labels
            .iter(world)
            .filter(|label| label.text.starts_with(['+', '−']))
            .flat_map(|label| numbers(&label.text))
            .collect();
        for (_, _, value) in &ways.stations {
            let near = |s: &f64| (s - value).abs() <= 5e-3 * value.abs().max(1e-3);
            assert!(said.iter().any(near), "{value} is not among {said:?}");
        }

        let pressed = room.desk.press(Key::Num9);
        let mut intents = room.obey(pressed);
        intents.extend(room.frame());
        assert_eq!(lit(&intents), Some(None), "the same key puts them out");
    }
}

/// What of the pictures that grew went to the network.
fn grown(intents: &[Intent]) -> Vec<Vec<f32>> {
    let inputs = intents.iter().filter_map(|intent| match intent {
        Intent::Train(TrainCommand::Maximised(input)) => Some(input.to_vec()),
        _ => None,
    });
    inputs.collect()
}

/// Presses start and waits for the end of the ascent.
fn climb(room: &mut Room) -> Vec<Vec<f32>> {
    let at = room.desk.place("Start").center();
    let clicked = room.desk.click_at(at);
    let mut intents = room.obey(clicked);
    intents.extend(room.until("the end", |desk| !desk.panels.inside.climb.is_climbing()));
    grown(&intents)
}

/// The same by the library, in 64 parts.
fn by_the_library(room: &Room, readout: &Readout, seed: u64, steps: usize) -> Vec<Vec<f32>> {
    let (problem, params) = (room.problem(), room.params());
    let space = Space::<f64>::of(&problem);
    let plan = Plan {
        steps,
        ..Plan::fitting(&space, seed)
    };
    let model = Model::new(&problem.network, &params);
    let mut ascent = Ascent::new(model, readout.clone(), space, plan);
    let input = |ascent: &Ascent<'_, f64>| ascent.input().iter().map(|&v| v as f32).collect();
    let mut inputs = vec![input(&ascent)];
    while !ascent.is_done() {
        (0..steps.div_ceil(64)).for_each(|_| ascent.step());
        inputs.push(input(&ascent));
    }
    inputs
}

#[test]
fn the_picture_that_grows_is_the_librarys_and_the_network_in_the_scene_sees_it() {
    let mut room = Room::new(DIGITS, 12, Tab::Maximise, Language::English);
    room.watch(WatchedPart::Train, 5);
    room.desk.panels.inside.climb.steps = 128;
    room.desk.panels.inside.climb.seed = 11;
    room.frame();
    let inputs = climb(&mut room);
    let readout = Readout::logit(&room.problem().network, 0).unwrap();
    assert_eq!(inputs, by_the_library(&room, &readout, 11, 128));
    assert_eq!(inputs.len(), 65, "it is seen as it grows");

    let probe = &room.desk.training.snapshot.probe;
    assert_eq!(probe.watched.part, WatchedPart::Maximised);
    assert_eq!(Some(&probe.input), inputs.last());
    assert!(room.desk.says("A maximised input, not a sample"));
    let answer = room.beginning("Logit of 0: ").unwrap();
    let shown = numbers(&answer["Logit of 0: ".len()..]);
    assert!(
        shown[0] > *shown.last().unwrap(),
        "no real sample has more: {answer}"
    );
    assert_eq!(shown[1..3], [128.0, 128.0]);

    // The scene has its values in the cells, and says what it is.
    let mut app = App::new();
    app.add_plugins(MinimalPlugins.build())
        .insert_resource(room.desk.training.clone())
        .add_plugins(NetworkScenePlugin);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    let training = app.world().resource::<Training>();
    for (unit, value) in inputs.last().unwrap().iter().enumerate() {
        let neuron = Neuron { column: 0, unit };
        let shown = neuron_value(training, NeuronValue::Activation, neuron);
        assert_eq!(shown, Some(*value));
    }
    let world = app.world_mut();
    let mut labels = world.query::<&Label>();
    let caption = |label: &Label| label.text.contains("a maximised input, not a sample");
    assert!(labels.iter(world).any(caption));

    // From the same seed the same, from another one another.
    let again = climb(&mut room);
    assert_eq!(again, inputs);
    room.desk.panels.inside.climb.seed = 12;
    assert_ne!(climb(&mut room).last(), inputs.last());
}

#[test]
fn it_ends_where_the_panel_is_closed_or_another_sample_is_chosen() {
    let mut room = Room::new(DIGITS, 2, Tab::Maximise, Language::English);
    let before = Watched {
        part: WatchedPart::Train,
        index: 9,
    };
    room.command(TrainCommand::Watch(before));
    room.frame();
    let begin = |room: &mut Room| {
        let at = room.desk.place("Start").center();
        let clicked = room.desk.click_at(at);
        room.obey(clicked);
        let is_seen =
            |desk: &Desk| desk.training.snapshot.probe.watched.part == WatchedPart::Maximised;
        room.until("a maximised input", is_seen);
        room.frame();
    };
    begin(&mut room);
    assert!(room.desk.panels.inside.climb.is_climbing());
    let pressed = room.desk.press(Key::Backtick);
    room.obey(pressed);
    room.frame();
    assert!(!room.desk.panels.inside.climb.is_climbing());
    assert_eq!(room.desk.training.snapshot.probe.watched, before);

    room.desk.press(Key::Backtick);
    room.frame();
    begin(&mut room);
    room.watch(WatchedPart::Train, 30);
    for _ in 0..5 {
        assert!(grown(&room.frame()).is_empty());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!room.desk.panels.inside.climb.is_climbing());
    assert_eq!(room.desk.training.snapshot.probe.watched.index, 30);
}

#[test]
fn points_and_tables_are_maximised_too() {
    for (text, names) in [(MOONS, vec!["x1", "x2"]), (IRIS, vec!["petal length (cm)"])] {
        let mut room = Room::new(text, 30, Tab::Maximise, Language::English);
        room.desk.panels.inside.climb.steps = 64;
        room.frame();
        let inputs = climb(&mut room);
        let problem = room.problem();
        let readout = readout_of(&problem.network, problem.encoding, 0).unwrap();
        assert_eq!(inputs, by_the_library(&room, &readout, 7, 64));
        for name in names {
            let shown = problem.data.feature_names.iter().any(|n| n == name);
            assert!(room.desk.find(name).is_some() || !shown, "{name}");
        }
        assert!(room.desk.find("maximised").is_some());
        assert!(room.beginning("most like it").is_some());
    }
}

#[test]
fn every_two_layers_have_their_similarity() {
    let mut room = Room::new(MOONS, 6, Tab::Similarity, Language::English);
    room.until("similarity", |desk| desk.says("Linear CKA between"));
    let problem = room.problem();
    let params = room.desk.training.snapshot.params.clone();
    let mut model = Model::new(&problem.network, &params);
    let cka = cka_of_layers(&mut model, problem.train.x.view());
    assert_eq!(cka.dim(), (4, 4));
    let shown: Vec<String> = room.desk.texts().into_iter().map(|(t, ..)| t).collect();
    let at = shown.iter().position(|text| text == "0 input").unwrap();
    // Row by row: the name, then for each column its cell; the first has the headings.
    let cells: Vec<f64> = shown[at..]
        .iter()
        .filter(|text| text.len() == 4 && text.contains('.'))
        .filter_map(|text| text.parse().ok())
        .take(16)
        .collect();
    let wanted: Vec<f64> = cka.iter().map(|v| (100.0 * v).round() / 100.0).collect();
    let off = cells.iter().zip(&wanted).map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f64::max) < 0.0101, "{cells:?} {wanted:?}");
    assert_eq!(cells.len(), 16);
}
