//! Pictures in the scene: weights as heat maps between the layers, and each neuron's field
//! on the neuron. Their colours are those of the network's numbers, on the entities and on
//! the screen.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use bevy::prelude::*;
use gradscape::app::capture::{Frame, Shot, Studio, capture_lesson};
use gradscape::app::scene::{
    Connection, FieldOf, MapText, NetworkScenePlugin, Picture, Thickness, WeightPanel,
};
use gradscape::app::{
    ArenaView, ConnectionValue, HeatView, Item, Label, Language, Motion, NetworkBounds,
    NetworkReplaced, NetworkView, SceneView, Selection, SurfaceView, Theme, Training, ViewCamera,
    ViewMode,
};
use gradscape::experiment::Experiment;
use gradscape::figure::{HeatColors, Style};
use gradscape::lesson::Lesson;
use gradscape::nn::Workspace;
use gradscape::train::Problem;
use ndarray::Array2;
use std::sync::Arc;

const SPIRAL: &str = "[data]\nsource = \"spiral\"\n[network]\n\
    layers = [{ dense = 8, activation = \"tanh\" }, { dense = 4, activation = \"relu\" }]\n\
    loss = \"cross-entropy\"\n";
const DIGITS: &str = "[data]\nsource = \"digits\"\nlimit = 60\n[network]\n\
    layers = [{ conv = 3, kernel = 3, activation = \"relu\" }, { conv = 2, kernel = 3 }, \
    \"flatten\", { dense = 6 }]\nloss = \"cross-entropy\"\n";

fn problem(text: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(text, "test").unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

fn app(text: &str, view: NetworkView) -> App {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .insert_resource(Training::at_start(problem(text)))
        .insert_resource(view)
        .insert_resource(Motion { reduced: true })
        .add_plugins(NetworkScenePlugin);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    app.update();
    app
}

fn with_maps() -> NetworkView {
    NetworkView {
        maps: true,
        ..NetworkView::default()
    }
}

fn panels(app: &mut App) -> Vec<(WeightPanel, Picture)> {
    let mut query = app.world_mut().query::<(&WeightPanel, &Picture)>();
    let mut all: Vec<_> = query
        .iter(app.world())
        .map(|(a, b)| (*a, b.clone()))
        .collect();
    all.sort_by_key(|(panel, _)| panel.map.layer);
    all
}

fn style() -> Style {
    let mut style = Theme::DARK.tone.style();
    style.diverging = Theme::DARK.palette().diverging;
    style
}

/// Whether a cell has a colour, to the steps of a table.
fn is_near(cell: [u8; 4], color: [u8; 3]) -> bool {
    cell[3] == 255 && cell.iter().zip(color).all(|(a, b)| a.abs_diff(b) <= 3)
}

fn colors_are_those_of(app: &mut App, values: &[f32], heat: HeatView) {
    let style = style();
    let problem = Arc::clone(&app.world().resource::<Training>().problem);
    let network = &problem.network;
    let panels = panels(app);
    let of = |layer: usize| network.layout().weight(layer);
    let shared = panels.iter().flat_map(|(p, _)| &values[of(p.map.layer)]);
    let shared = heat.colors.range(shared);
    for (panel, picture) in &panels {
        let map = &panel.map;
        let range = match heat.own_scale {
            true => heat.colors.range(values[of(map.layer)].iter()),
            false => shared,
        };
        assert_eq!(picture.columns, map.columns());
        assert_eq!(picture.rows(), map.rows());
        let mut seen = 0;
        for (k, &cell) in picture.cells.iter().enumerate() {
            let (row, column) = (k / map.columns(), k % map.columns());
            let Some(index) = map.parameter(row, column) else {
                assert_eq!(cell[3], 0, "a seam at {row}, {column}");
                continue;
            };
            seen += 1;
            let exact = heat.colors.at(&style, values[index], range).bytes();
            assert!(
                is_near(cell, exact),
                "layer {}: {cell:?} {exact:?}",
                map.layer
            );
        }
        assert_eq!(seen, of(map.layer).len());
    }
}

#[test]
fn the_cells_of_a_map_have_the_colours_of_the_weights_and_follow_them() {
    for text in [SPIRAL, DIGITS] {
        let mut app = app(text, with_maps());
        assert_eq!(panels(&mut app).len(), if text == SPIRAL { 3 } else { 4 });
        let params = app.world().resource::<Training>().snapshot.params.clone();
        colors_are_those_of(&mut app, &params, HeatView::default());

        let other: Arc<[f32]> = (0..params.len()).map(|i| (i as f32 * 0.7).sin()).collect();
        app.world_mut().resource_mut::<Training>().snapshot.params = Arc::clone(&other);
        app.update();
        colors_are_those_of(&mut app, &other, HeatView::default());

        let heat = HeatView {
            colors: HeatColors::Hot,
            own_scale: true,
        };
        app.world_mut().resource_mut::<NetworkView>().heat = heat;
        app.update();
        colors_are_those_of(&mut app, &other, heat);
    }
}

#[test]
fn maps_show_gradients_where_connections_would() {
    let mut app = app(SPIRAL, with_maps());
    let gradient: Arc<[f32]> = {
        let training = app.world().resource::<Training>();
        let n = training.snapshot.params.len();
        (0..n).map(|i| (i as f32 * 1.3).cos()).collect()
    };
    let world = app.world_mut();
    world.resource_mut::<Training>().snapshot.gradient = Arc::clone(&gradient);
    world.resource_mut::<NetworkView>().connections = ConnectionValue::Gradient;
    app.update();
    colors_are_those_of(&mut app, &gradient, HeatView::default());
}

#[test]
fn maps_take_the_place_of_the_connections_but_of_the_selected_one() {
    let mut app = app(SPIRAL, with_maps());
    let thick = |app: &mut App| -> Vec<Connection> {
        let mut query = app.world_mut().query::<(&Connection, &Thickness)>();
        let drawn = query.iter(app.world()).filter(|(_, t)| t.0 > 0.0);
        drawn.map(|(connection, _)| *connection).collect()
    };
    assert_eq!(thick(&mut app), []);
    let link = Connection {
        layer: 1,
        source: 0,
        from: 5,
        to: 2,
    };
    app.world_mut().resource_mut::<Selection>().selected = Some(link.item());
    app.update();
    assert_eq!(thick(&mut app), [link]);
    let marks: Vec<_> = panels(&mut app).iter().map(|(_, p)| p.mark).collect();
    assert_eq!(marks, [None, Some([2, 5, 3, 6]), None]);
    // A neuron: its row of what it reads by, its column of what reads it.
    app.world_mut().resource_mut::<Selection>().selected =
        Some(Item::Neuron { column: 1, unit: 3 });
    app.update();
    let marks: Vec<_> = panels(&mut app).iter().map(|(_, p)| p.mark).collect();
    assert_eq!(marks, [Some([3, 0, 4, 2]), Some([0, 3, 4, 4]), None]);
}

#[test]
fn maps_go_as_they_came() {
    let mut app = app(SPIRAL, NetworkView::default());
    let bounds = |app: &App| *app.world().resource::<NetworkBounds>();
    let usual = bounds(&app);
    app.world_mut().resource_mut::<NetworkView>().maps = true;
    app.update();
    app.update();
    assert_eq!(panels(&mut app).len(), 3);
    let texts = |app: &mut App| {
        let mut query = app.world_mut().query::<(&MapText, &Label)>();
        let all = query.iter(app.world());
        all.map(|(_, label)| label.text.clone()).collect::<Vec<_>>()
    };
    let written = texts(&mut app);
    assert_eq!(written.len(), 9);
    assert!(written.iter().any(|t| t.contains("8 × 2")), "{written:?}");
    assert!(bounds(&app).max.x > usual.max.x, "columns move apart");
    app.world_mut().resource_mut::<NetworkView>().maps = false;
    app.update();
    app.update();
    app.update();
    assert_eq!(panels(&mut app), []);
    assert_eq!(texts(&mut app), Vec::<String>::new());
    assert_eq!(bounds(&app), usual);
}

#[test]
fn folding_takes_its_time_unless_motion_is_reduced() {
    let mut app = app(SPIRAL, NetworkView::default());
    app.world_mut().resource_mut::<Motion>().reduced = false;
    app.world_mut().resource_mut::<NetworkView>().maps = true;
    app.update();
    app.update();
    let right = |app: &mut App| panels(app)[1].1.right;
    let begin = right(&mut app);
    app.world_mut().resource_mut::<Motion>().reduced = true;
    app.update();
    app.update();
    let end = right(&mut app);
    assert!((begin.length() - end.length()).abs() < 1e-4);
    assert!(
        begin.normalize().dot(end.normalize()) < 0.9,
        "{begin} {end}"
    );
}

#[test]
fn the_fields_on_neurons_are_the_networks_pass_over_the_plane() {
    let view = NetworkView {
        fields: true,
        ..NetworkView::default()
    };
    let mut app = app(SPIRAL, view);
    let training = app.world().resource::<Training>();
    let (problem, params) = (
        Arc::clone(&training.problem),
        training.snapshot.params.clone(),
    );
    let network = &problem.network;
    let mut query = app.world_mut().query::<(&FieldOf, &Picture)>();
    let fields: Vec<_> = query
        .iter(app.world())
        .map(|(a, b)| (*a, b.clone()))
        .collect();
    assert_eq!(fields.len(), 2 + 8 + 4 + 1);
    let [[x0, x1], [y0, y1]] = problem.data.domain().unwrap();
    let style = style();
    let n = fields[0].1.columns;
    assert!(n >= 8);
    let points: Vec<Vec<f32>> = (0..n * n)
        .map(|k| {
            // Pictures begin at the top, where x2 is greatest.
            let share = |i: usize| (i as f32 + 0.5) / n as f32;
            let x = x0 + (x1 - x0) * share(k % n);
            let y = y1 - (y1 - y0) * share(k / n);
            problem.data.map_point(x, y).unwrap()
        })
        .collect();
    let inputs = Array2::from_shape_fn((n * n, 2), |(k, j)| points[k][j]);
    let mut workspace = Workspace::new(network, n * n);
    network.forward(&params, inputs.view(), &mut workspace);
    for (of, picture) in fields {
        // Tanh is as it is, of the output 0.5 is neutral.
        let share = |k: usize| match of.column {
            1 => workspace.a(0)[[k, of.unit]],
            3 => 2.0 * workspace.a(2)[[k, 0]] - 1.0,
            _ => f32::NAN,
        };
        if !matches!(of.column, 1 | 3) {
            continue;
        }
        for (k, &cell) in picture.cells.iter().enumerate() {
            let exact = HeatColors::Diverging.at(&style, share(k), [-1.0, 1.0]);
            assert!(
                is_near(cell, exact.bytes()),
                "{of:?} {k}: {cell:?} {exact:?}"
            );
        }
    }
}

#[test]
fn there_are_no_fields_without_a_plane_and_none_on_too_many_neurons() {
    let wide = "[data]\nsource = \"spiral\"\n[network]\nlayers = [{ dense = 17 }]\nloss = \"cross-entropy\"\n";
    for text in [DIGITS, wide] {
        let view = NetworkView {
            fields: true,
            ..NetworkView::default()
        };
        let mut app = app(text, view);
        let count = app
            .world_mut()
            .query::<&FieldOf>()
            .iter(app.world())
            .count();
        assert_eq!(count, 0);
    }
}

fn shot(network: NetworkView) -> Shot {
    Shot {
        problem: problem(SPIRAL),
        params: None,
        view: ViewMode::Network,
        size: (960, 540),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 3,
        steps: 1,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
        scale: 1.0,
        panels: false,
        smooth: false,
        network,
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    }
}

/// The pixel where a place of the scene is.
fn pixel_at(studio: &mut Studio, frame: &Frame, at: Vec3) -> [u8; 3] {
    let world = studio.app().world_mut();
    let mut cameras = world.query::<(&ViewCamera, &Camera, &GlobalTransform)>();
    let (_, camera, place) = cameras
        .iter(world)
        .find(|(view, ..)| view.0 == SceneView::Network)
        .unwrap();
    let at = camera.world_to_viewport(place, at).unwrap();
    frame.pixel(at.x as u32, at.y as u32)
}

#[test]
fn cells_are_on_the_screen_in_their_colours() {
    let mut studio = Studio::new(&shot(with_maps())).unwrap();
    studio.settle();
    let frame = studio.picture().unwrap();
    let panels = panels(studio.app());
    for (panel, picture) in panels {
        let (rows, columns) = (panel.map.rows(), panel.map.columns());
        for k in 0..rows * columns {
            let share = |at: usize, of: usize| 2.0 * (at as f32 + 0.5) / of as f32 - 1.0;
            let at = picture.center + share(k % columns, columns) * picture.right
                - share(k / columns, rows) * picture.up;
            let seen = pixel_at(&mut studio, &frame, at);
            let cell = picture.cells[k];
            let near = cell.iter().zip(seen).all(|(a, b)| a.abs_diff(b) <= 4);
            assert!(
                near,
                "layer {} cell {k}: {cell:?} {seen:?}",
                panel.map.layer
            );
        }
    }
}

#[test]
fn fields_are_on_the_screen_in_their_colours() {
    let view = NetworkView {
        fields: true,
        ..NetworkView::default()
    };
    let mut studio = Studio::new(&shot(view)).unwrap();
    studio.settle();
    let frame = studio.picture().unwrap();
    let mut query = studio.app().world_mut().query::<(&FieldOf, &Picture)>();
    let fields: Vec<_> = query
        .iter(studio.app().world())
        .map(|(of, picture)| (*of, picture.clone()))
        .collect();
    let [dot, palette] = [Theme::DARK.palette().text, Theme::DARK.palette().background];
    for (of, picture) in fields {
        let seen = pixel_at(&mut studio, &frame, picture.center);
        let n = picture.columns;
        // Between the four cells in the middle; or the watched sample's dot is there.
        let around = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .map(|(y, x)| picture.cells[(n / 2 - 1 + y) * n + n / 2 - 1 + x]);
        let is_between = (0..3).all(|c| {
            let low = around.iter().map(|cell| cell[c]).min().unwrap();
            let high = around.iter().map(|cell| cell[c]).max().unwrap();
            (low.saturating_sub(24)..=high.saturating_add(24)).contains(&seen[c])
        });
        let is_dot = [dot, palette].iter().any(|color| {
            color
                .bytes()
                .iter()
                .zip(seen)
                .all(|(a, b)| a.abs_diff(b) <= 24)
        });
        assert!(is_between || is_dot, "{of:?}: {seen:?} {around:?}");
    }
}

#[test]
fn a_lessons_scene_can_switch_them_on() {
    let both = |text: &str| format!("{{ en = \"{text}\", zh = \"{text}\" }}");
    let scene = |keys: &str| {
        let text = both("a");
        format!("[[scene]]\ntitle = {text}\ncaption = {text}\nexperiment = \"xor\"\n{keys}\n")
    };
    let title = both("a");
    let scenes = [scene(""), scene("maps = true"), scene("fields = true")].concat();
    let lesson = format!("title = {title}\nsummary = {title}\n{scenes}");
    let lesson = Arc::new(Lesson::parse(&lesson, "test", std::path::Path::new(".")).unwrap());
    let flags: Vec<_> = lesson.scenes.iter().map(|s| (s.maps, s.fields)).collect();
    assert_eq!(flags, [(false, false), (true, false), (false, true)]);
    let mut frames = Vec::new();
    let shot = shot(NetworkView::default());
    capture_lesson(&shot, &lesson, |_, frame| {
        frames.push(frame);
        Ok(())
    })
    .unwrap();
    let differ = |a: &Frame, b: &Frame| {
        let pixels = a.rgba.chunks(4).zip(b.rgba.chunks(4));
        pixels.filter(|(p, q)| p != q).count() as f64 / (a.rgba.len() / 4) as f64
    };
    assert!(differ(&frames[0], &frames[1]) > 0.02);
    assert!(differ(&frames[0], &frames[2]) > 0.005);
}
