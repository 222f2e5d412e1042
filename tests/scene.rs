//! The network's entities from a hand-made `Training`, without a GPU.

#![cfg(feature = "app")]

use bevy::prelude::*;
use gradscape::app::scene::{
    Connection, DrawnConnections, Ends, Learnt, NetworkPart, NetworkScenePlugin, Neuron, Shape,
    Sign, Slot, Standing, Thickness, Tint,
};
use gradscape::app::{
    ConnectionValue, Item, Label, NetworkBounds, NetworkReplaced, NetworkView, Selection, Theme,
    Training,
};
use gradscape::experiment::Experiment;
use gradscape::train::Problem;
use std::sync::Arc;
use std::time::Duration;

const SPIRAL: &str = r#"
    [data]
    source = "spiral"
    [network]
    layers = [{ dense = 8, activation = "tanh" }, { dense = 8, activation = "tanh" }]
    loss = "cross-entropy"
    [training]
    optimizer = { name = "sgd", learning_rate = 0.1 }
    batch = 10
    epochs = 1
"#;
const DIGITS: &str = r#"
    [data]
    source = "digits"
    [network]
    layers = [{ dense = 32, activation = "relu" }]
    loss = "cross-entropy"
    [training]
    optimizer = { name = "sgd", learning_rate = 0.1 }
    batch = 10
    epochs = 1
"#;

fn training(experiment: &str) -> Training {
    let experiment = Experiment::parse(experiment, "test").expect("valid experiment");
    Training::at_start(Arc::new(Problem::new(&experiment).expect("valid problem")))
}

/// An app that shows `experiment` under a budget of connections.
fn app(experiment: &str, budget: usize) -> App {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .insert_resource(training(experiment))
        .insert_resource(NetworkView {
            connection_budget: budget,
            ..default()
        })
        .add_plugins(NetworkScenePlugin);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    app
}

fn count<C: Component>(app: &mut App) -> usize {
    app.world_mut().query::<&C>().iter(app.world()).count()
}

fn of_connection<C: Component + Clone>(app: &mut App, wanted: Connection) -> C {
    let mut query = app.world_mut().query::<(&Connection, &C)>();
    let found = query.iter(app.world()).find(|(this, _)| **this == wanted);
    found.expect("drawn").1.clone()
}

fn set_params(app: &mut App, change: impl FnOnce(&mut [f32])) {
    let mut training = app.world_mut().resource_mut::<Training>();
    let mut params = training.snapshot.params.to_vec();
    change(&mut params);
    training.snapshot.params = params.into();
}

const LINK: Connection = Connection {
    layer: 0,
    source: 0,
    from: 1,
    to: 3,
};
/// Its index among the parameters of 2-8-8-1: row 3 of 2 columns, column 1.
const LINK_PARAMETER: usize = 7;

#[test]
fn a_2_8_8_1_network_is_19_neurons_and_88_connections() {
    let mut app = app(SPIRAL, 4000);
    assert_eq!(count::<Neuron>(&mut app), 19);
    assert_eq!(count::<Connection>(&mut app), 88);
    let bounds = *app.world().resource::<NetworkBounds>();
    let mut places = app.world_mut().query::<(&Neuron, &Transform)>();
    for (_, place) in places.iter(app.world()) {
        let at = place.translation;
        assert!(
            at.cmpgt(bounds.min).all() && at.cmplt(bounds.max).all(),
            "{at}"
        );
    }
}

#[test]
fn replacing_the_network_leaves_nothing_of_the_old_one() {
    let mut app = app(SPIRAL, 4000);
    let old: Vec<Entity> = app
        .world_mut()
        .query_filtered::<Entity, With<NetworkPart>>()
        .iter(app.world())
        .collect();
    *app.world_mut().resource_mut::<Training>() = training(DIGITS);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    assert!(old.iter().all(|&e| app.world().get_entity(e).is_err()));
    assert_eq!(count::<Neuron>(&mut app), 64 + 32 + 10);
    assert_eq!(count::<Connection>(&mut app), 64 * 32 + 32 * 10);
}

#[test]
fn a_changed_weight_changes_the_thickness_of_its_connection_alone() {
    let mut app = app(SPIRAL, 4000);
    let all = |app: &mut App| -> Vec<(Connection, Thickness)> {
        let mut query = app.world_mut().query::<(&Connection, &Thickness)>();
        query.iter(app.world()).map(|(c, t)| (*c, *t)).collect()
    };
    let before = all(&mut app);
    set_params(&mut app, |params| params[LINK_PARAMETER] *= 0.5);
    app.update();
    let after = all(&mut app);
    let changed: Vec<Connection> = before
        .iter()
        .zip(&after)
        .filter(|(a, b)| a.1 != b.1)
        .map(|(a, _)| a.0)
        .collect();
    assert_eq!(changed, [LINK]);
    assert_eq!(
        count::<Connection>(&mut app),
        88,
        "nothing is spawned for a weight"
    );
}

#[test]
fn larger_weights_are_thicker_and_the_sign_is_shown_in_two_ways() {
    let mut app = app(SPIRAL, 4000);
    let palette = Theme::DARK.palette().diverging;
    let mut seen = Vec::new();
    for weight in [-2.0, -1.0, 0.0, 1.0, 2.0] {
        set_params(&mut app, |params| {
            params[..16].fill(2.0);
            params[LINK_PARAMETER] = weight;
        });
        app.update();
        let thickness: Thickness = of_connection(&mut app, LINK);
        let sign: Sign = of_connection(&mut app, LINK);
        let tint: Tint = of_connection(&mut app, LINK);
        seen.push((thickness.0, sign, tint.0));
    }
    assert!(seen[4].0 > seen[3].0 && seen[3].0 > seen[2].0 && seen[2].0 > 0.0);
    assert_eq!(seen[4].0, seen[0].0);
    assert_eq!(seen[3].1, Sign::Positive);
    assert_eq!(seen[1].1, Sign::Negative);
    let strongest = |rgb: gradscape::colormap::Rgb| Color::srgb(rgb.r, rgb.g, rgb.b).to_linear();
    assert_eq!(seen[4].2, strongest(palette.at(1.0)));
    assert_eq!(seen[0].2, strongest(palette.at(-1.0)));
}

#[test]
fn connections_can_show_the_gradient_instead() {
    let mut app = app(SPIRAL, 4000);
    {
        let world = app.world_mut();
        let mut training = world.resource_mut::<Training>();
        let mut gradient = vec![0.01f32; training.snapshot.params.len()];
        gradient[LINK_PARAMETER] = -1.0;
        training.snapshot.gradient = gradient.into();
        world.resource_mut::<NetworkView>().connections = ConnectionValue::Gradient;
    }
    app.update();
    let link: Thickness = of_connection(&mut app, LINK);
    let other: Thickness = of_connection(&mut app, Connection { to: 0, ..LINK });
    assert!(link.0 > 5.0 * other.0, "{link:?} {other:?}");
    assert_eq!(of_connection::<Sign>(&mut app, LINK), Sign::Negative);
}

#[test]
fn neurons_show_the_activations_of_the_watched_sample() {
    let mut app = app(SPIRAL, 4000);
    {
        let mut training = app.world_mut().resource_mut::<Training>();
        training.snapshot.probe.a[0][3] = 1.0;
        training.snapshot.probe.a[0][4] = -1.0;
        training.snapshot.probe.a[0][5] = 0.0;
    }
    app.update();
    let mut query = app.world_mut().query::<(&Neuron, &Tint, &Transform)>();
    let mut of = |unit| {
        let found = query
            .iter(app.world())
            .find(|(neuron, ..)| neuron.column == 1 && neuron.unit == unit);
        let (_, tint, place) = found.expect("spawned");
        (tint.0, place.scale.x)
    };
    let map = Theme::DARK.palette().diverging;
    let linear = |rgb: gradscape::colormap::Rgb| Color::srgb(rgb.r, rgb.g, rgb.b).to_linear();
    assert_eq!(of(3).0, linear(map.at(1.0)));
    assert_eq!(of(4).0, linear(map.at(-1.0)));
    assert_eq!(of(5).0, linear(map.at(0.0)));
    assert!(of(3).1 > of(5).1, "a large activation is a larger ball");
}

#[test]
fn a_budget_is_kept_shared_and_said() {
    let mut app = app(DIGITS, 500);
    assert_eq!(count::<Connection>(&mut app), 500);
    let shown: Vec<usize> = {
        let drawn = app.world().resource::<DrawnConnections>();
        drawn.pairs.iter().map(|pair| pair.shown.len()).collect()
    };
    assert_eq!(shown, [250, 250]);
    let texts: Vec<String> = {
        let mut labels = app.world_mut().query::<&Label>();
        labels.iter(app.world()).map(|l| l.text.clone()).collect()
    };
    let said = |text: &str| texts.iter().any(|t| t == text);
    assert!(said("250 of 2\u{2009}048 shown"), "{texts:?}");
    assert!(said("250 of 320 shown"), "{texts:?}");
    assert!(said("Hidden 1 · 32 relu"), "{texts:?}");
    assert!(said("Input · 8 × 8"), "{texts:?}");

    app.world_mut()
        .resource_mut::<NetworkView>()
        .connection_budget = 100_000;
    app.update();
    assert_eq!(count::<Connection>(&mut app), 64 * 32 + 32 * 10);
}

#[test]
fn the_strongest_are_drawn_and_an_entity_changes_what_it_stands_for() {
    let mut app = app(DIGITS, 500);
    let entities = |app: &mut App| -> Vec<Entity> {
        let mut query = app.world_mut().query_filtered::<Entity, With<Connection>>();
        query.iter(app.world()).collect()
    };
    let before = entities(&mut app);
    let strong = Connection {
        layer: 0,
        source: 0,
        from: 9,
        to: 5,
    };
    set_params(&mut app, |params| params[5 * 64 + 9] = 50.0);
    std::thread::sleep(Duration::from_millis(2));
    app.update();
    app.update();
    let thickness: Thickness = of_connection(&mut app, strong);
    assert!(thickness.0 > 0.0);
    assert_eq!(entities(&mut app), before);
}

#[test]
fn what_is_selected_is_drawn_whole_and_the_rest_steps_back() {
    let mut app = app(DIGITS, 500);
    app.world_mut().resource_mut::<Selection>().selected =
        Some(Item::Neuron { column: 1, unit: 5 });
    app.update();
    app.update();
    let mut query = app.world_mut().query::<(&Connection, &Standing)>();
    let (mut fan_in, mut fan_out) = (0, 0);
    for (connection, standing) in query.iter(app.world()) {
        let of_neuron = (connection.layer == 0 && connection.to == 5)
            || (connection.layer == 1 && connection.from == 5);
        assert_eq!(of_neuron, *standing == Standing::Raised, "{connection:?}");
        fan_in += usize::from(of_neuron && connection.layer == 0);
        fan_out += usize::from(of_neuron && connection.layer == 1);
    }
    assert_eq!((fan_in, fan_out), (64, 10));
}

#[test]
fn an_image_shows_ink_where_the_sample_has_ink() {
    let mut app = app(DIGITS, 500);
    let input = app
        .world()
        .resource::<Training>()
        .snapshot
        .probe
        .input
        .clone();
    let (darkest, brightest) = {
        let by = |a: &usize, b: &usize| input[*a].total_cmp(&input[*b]);
        let least = (0..64).min_by(by).expect("not empty");
        (least, (0..64).max_by(by).expect("not empty"))
    };
    let mut query = app.world_mut().query::<(&Neuron, &Tint, &Shape)>();
    let mut light = |unit| {
        let found = query
            .iter(app.world())
            .find(|(neuron, ..)| neuron.column == 0 && neuron.unit == unit);
        let (_, tint, shape) = found.expect("spawned");
        assert_eq!(*shape, Shape::Cell);
        tint.0.luminance()
    };
    assert!(light(brightest) > light(darkest) + 0.4);
}

#[test]
fn a_frame_without_news_changes_nothing() {
    let mut app = app(DIGITS, 500);
    app.update();
    app.insert_resource(Touched(0));
    app.add_systems(
        PostUpdate,
        |tints: Query<(), Changed<Tint>>,
         widths: Query<(), Changed<Thickness>>,
         labels: Query<(), Changed<Label>>,
         mut touched: ResMut<Touched>| {
            touched.0 = tints.iter().count() + widths.iter().count() + labels.iter().count();
        },
    );
    app.update();
    app.update();
    assert_eq!(app.world().resource::<Touched>().0, 0);
}

#[derive(Resource)]
struct Touched(usize);

#[test]
fn the_other_theme_recolours_what_is_there() {
    let mut app = app(SPIRAL, 4000);
    let before: Tint = of_connection(&mut app, LINK);
    *app.world_mut().resource_mut::<Theme>() = Theme::LIGHT;
    app.update();
    let after: Tint = of_connection(&mut app, LINK);
    assert_ne!(before, after);
    assert_eq!(count::<Connection>(&mut app), 88);
}

/// Two convolutions with a residual connection around the second, a pool, and
/// a dense layer, over images of 8 x 8.
const RESIDUAL: &str = r#"
    [data]
    source = "digits"
    [network]
    layers = [
        { conv = 3, kernel = 3, padding = 1, activation = "relu", name = "first" },
        { conv = 3, kernel = 3, padding = 1 },
        { add = "first", activation = "relu" },
        { max_pool = 2 },
        "flatten",
        { dense = 12 },
    ]
    loss = "cross-entropy"
    [training]
    optimizer = { name = "sgd", learning_rate = 0.1 }
    batch = 10
    epochs = 1
"#;

/// The connections of `layer` and `source` that are drawn, with their colours.
fn drawn(app: &mut App, layer: usize, source: usize) -> Vec<(Connection, Learnt, Tint)> {
    let mut query = app.world_mut().query::<(&Connection, &Learnt, &Tint)>();
    let all = query.iter(app.world()).map(|(c, l, t)| (*c, *l, *t));
    all.filter(|(c, ..)| (c.layer, c.source) == (layer, source))
        .collect()
}

#[test]
fn with_room_enough_every_connection_of_the_core_is_drawn_once() {
    let mut app = app(RESIDUAL, 300_000);
    let network = app.world().resource::<Training>().problem.network.clone();
    let units: usize = network.widths().iter().sum();
    assert_eq!(count::<Neuron>(&mut app), units);
    assert_eq!(units, 64 + 3 * 192 + 48 + 48 + 12 + 10);
    for layer in 0..network.layers().len() {
        for (source, connections) in network.connections(layer).iter().enumerate() {
            let mut seen: Vec<_> = drawn(&mut app, layer, source)
                .iter()
                .map(|(c, learnt, _)| (c.to, c.from, learnt.0))
                .collect();
            let mut all: Vec<_> = (0..connections.len())
                .filter_map(|index| connections.get(index))
                .map(|link| (link.to, link.from, link.parameter))
                .collect();
            seen.sort_unstable();
            all.sort_unstable();
            assert_eq!(seen, all, "layer {layer}, source {source}");
        }
    }
}

#[test]
fn under_a_budget_each_feature_map_shows_the_window_of_its_most_active_unit() {
    let mut app = app(RESIDUAL, 4000);
    let snapshot = app.world().resource::<Training>().snapshot.clone();
    let a = &snapshot.probe.a[1];
    for map in 0..3 {
        let own = map * 64..(map + 1) * 64;
        let most = own
            .clone()
            .max_by(|&i, &j| a[i].abs().total_cmp(&a[j].abs()));
        let most = most.expect("not empty");
        let connections = &app
            .world()
            .resource::<Training>()
            .problem
            .network
            .connections(1)[0];
        let window = connections.into_unit(most).len();
        let shown = drawn(&mut app, 1, 0);
        let of = shown.iter().filter(|(c, ..)| c.to == most).count();
        assert_eq!(of, window, "map {map}, unit {most}");
    }
    let said: Vec<String> = {
        let mut labels = app.world_mut().query::<&Label>();
        labels.iter(app.world()).map(|l| l.text.clone()).collect()
    };
    assert!(said.iter().any(|t| t == "conv 3×3\n3@8×8 relu"), "{said:?}");
    assert!(said.iter().any(|t| t == "Output · 10 softmax"), "{said:?}");
}

#[test]
fn a_filters_weight_colours_all_its_connections_and_sums_have_no_colour() {
    let mut app = app(RESIDUAL, 300_000);
    let palette = Theme::DARK.palette().diverging;
    let linear = |rgb: gradscape::colormap::Rgb| Color::srgb(rgb.r, rgb.g, rgb.b).to_linear();
    set_params(&mut app, |params| {
        params[..27].fill(1.0);
        params[4] = -1.0;
    });
    app.update();
    let of_tap: Vec<Tint> = drawn(&mut app, 0, 0)
        .iter()
        .filter(|(_, learnt, _)| learnt.0 == Some(4))
        .map(|(.., tint)| *tint)
        .collect();
    assert_eq!(
        of_tap.len(),
        64,
        "the middle tap lies inside at each of 8 x 8 places"
    );
    assert!(of_tap.iter().all(|tint| tint.0 == linear(palette.at(-1.0))));
    let before = drawn(&mut app, 2, 0);
    set_params(&mut app, |params| {
        params.iter_mut().for_each(|p| *p *= -3.0)
    });
    app.update();
    assert_eq!(
        drawn(&mut app, 2, 0),
        before,
        "no weight, no colour that follows one"
    );
}

#[test]
fn a_residual_connection_rises_over_the_columns_that_it_passes() {
    let mut app = app(RESIDUAL, 300_000);
    let top = {
        let mut neurons = app.world_mut().query::<(&Neuron, &Transform)>();
        let passed = neurons.iter(app.world()).filter(|(n, _)| n.column == 2);
        passed
            .map(|(_, place)| place.translation.y)
            .fold(f32::MIN, f32::max)
    };
    let bounds = *app.world().resource::<NetworkBounds>();
    let mut query = app.world_mut().query::<(&Connection, &Ends)>();
    let (mut arched, mut straight) = (0, 0);
    for (connection, ends) in query.iter(app.world()) {
        if (connection.layer, connection.source) == (2, 1) {
            arched += 1;
            let middle = ends.at(0.5).y;
            assert!(
                middle > top && middle < bounds.max.y,
                "{middle} {top} {bounds:?}"
            );
            assert_eq!(ends.lines().next().map(|l| l.0), Some(ends.from));
            assert!(
                ends.lines()
                    .last()
                    .is_some_and(|l| l.1.distance(ends.to) < 1e-4)
            );
        } else {
            straight += usize::from(ends.lift == 0.0);
            assert_eq!(ends.lines().count(), 1);
        }
    }
    assert_eq!(arched, 192);
    assert!(straight > 1000);
}

#[test]
fn what_is_drawn_has_a_place_of_its_own_in_the_buffer() {
    let mut app = app(RESIDUAL, 4000);
    let mut query = app
        .world_mut()
        .query_filtered::<(&Slot, &Ends), With<Connection>>();
    let mut taken: Vec<(u32, u32)> = query
        .iter(app.world())
        .map(|(slot, ends)| (slot.0, slot.0 + ends.pieces() as u32))
        .collect();
    taken.sort_unstable();
    assert!(
        taken.windows(2).all(|pair| pair[0].1 == pair[1].0),
        "no gap, no overlap"
    );
}

#[test]
fn a_hovered_unit_of_a_feature_map_lights_its_receptive_field() {
    let mut app = app(RESIDUAL, 4000);
    // Row 4, column 5 of the second map of the first convolution.
    let unit = 64 + 4 * 8 + 5;
    app.world_mut().resource_mut::<Selection>().hovered = Some(Item::Neuron { column: 1, unit });
    app.update();
    app.update();
    let mut lines: Vec<usize> = {
        let mut query = app.world_mut().query::<(&Connection, &Standing)>();
        let raised = query
            .iter(app.world())
            .filter(|(_, s)| **s == Standing::Raised);
        raised
            .filter(|(c, _)| c.layer == 0)
            .map(|(c, _)| c.from)
            .collect()
    };
    lines.sort_unstable();
    let field: Vec<usize> = (3..=5)
        .flat_map(|row| (4..=6).map(move |c| row * 8 + c))
        .collect();
    assert_eq!(lines, field);
    let mut query = app.world_mut().query::<(&Neuron, &Standing)>();
    for (neuron, standing) in query.iter(app.world()).filter(|(n, _)| n.column == 0) {
        let lit = field.contains(&neuron.unit);
        assert_eq!(*standing == Standing::Plain, lit, "{neuron:?}");
    }
}

#[test]
fn of_a_network_too_large_to_draw_whole_maps_are_shown_and_said() {
    let many = RESIDUAL.replace("conv = 3", "conv = 250");
    let mut app = app(&many, 1000);
    let mut query = app.world_mut().query::<&Neuron>();
    let shown = query.iter(app.world()).filter(|n| n.column == 1).count();
    assert!(shown < 250 * 64 && shown.is_multiple_of(64), "{shown}");
    let visible = |app: &App, c: &Connection| {
        let drawn = app.world().resource::<DrawnConnections>();
        drawn.pair_of(c).is_some() && (c.layer != 0 || c.to < shown)
    };
    let connections: Vec<Connection> = {
        let mut query = app.world_mut().query::<&Connection>();
        query.iter(app.world()).copied().collect()
    };
    assert!(connections.iter().all(|c| visible(&app, c)));
    let mut labels = app.world_mut().query::<&Label>();
    let text = labels
        .iter(app.world())
        .find(|l| l.text.starts_with("conv 3×3\n250@8×8"));
    let text = text.map(|l| l.text.clone()).unwrap_or_default();
    assert!(text.ends_with("of 16\u{2009}000 shown"), "{text}");
}

trait Luminance {
    fn luminance(&self) -> f32;
}

impl Luminance for LinearRgba {
    fn luminance(&self) -> f32 {
        0.2126 * self.red + 0.7152 * self.green + 0.0722 * self.blue
    }
}
