//! Networks side by side in the scene: laid out and painted alike, on one scale, each in a
//! view of its own.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use bevy::prelude::*;
use gradscape::app::scene::{
    Connection, NetworkScenePlugin, Neuron, RivalConnection, RivalNeuron, RivalScene, Thickness,
    Tint,
};
use gradscape::app::{NetworkReplaced, Rivals, RivalsReplaced, Training};
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, Session};
use std::collections::HashMap;
use std::sync::Arc;

const MOONS: &str = r#"
    [data]
    source = "moons"
    [network]
    layers = [{ dense = 5, activation = "relu" }, { dense = 4, activation = "tanh" }]
    loss = "cross-entropy"
"#;

/// A network with the given ones beside it, painted once.
fn app(beside: &[Arc<Problem>]) -> App {
    let experiment = Experiment::parse(MOONS, "test").unwrap();
    let first = Arc::new(Problem::new(&experiment).unwrap());
    let mut app = App::new();
    let mut rivals = Rivals::default();
    let others = beside.iter().map(|p| Training::at_start(Arc::clone(p)));
    rivals.list = others.collect();
    app.add_plugins(MinimalPlugins)
        .insert_resource(Training::at_start(first))
        .add_plugins(NetworkScenePlugin)
        .insert_resource(rivals);
    app.world_mut().trigger(NetworkReplaced);
    app.world_mut().trigger(RivalsReplaced);
    app.update();
    app
}

fn problem(text: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(text, "test").unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

type Looks = HashMap<(usize, usize, usize), (Tint, f32)>;

fn own(app: &mut App) -> (HashMap<Neuron, (Tint, Vec3)>, Looks) {
    let mut neurons = app.world_mut().query::<(&Neuron, &Tint, &Transform)>();
    let neurons = neurons.iter(app.world());
    let neurons = neurons
        .map(|(n, tint, place)| (*n, (*tint, place.scale)))
        .collect();
    let mut connections = app.world_mut().query::<(&Connection, &Tint, &Thickness)>();
    let connections = connections.iter(app.world());
    let looks = connections.map(|(c, tint, t)| ((c.layer, c.from, c.to), (*tint, t.0)));
    (neurons, looks.collect())
}

fn beside(app: &mut App, rival: usize) -> (HashMap<Neuron, (Tint, Vec3)>, Looks) {
    let mut neurons = app.world_mut().query::<(&RivalNeuron, &Tint, &Transform)>();
    let neurons = neurons.iter(app.world()).filter(|(n, ..)| n.rival == rival);
    let neurons = neurons
        .map(|(n, tint, place)| (n.neuron, (*tint, place.scale)))
        .collect();
    let mut connections = app
        .world_mut()
        .query::<(&RivalConnection, &Tint, &Thickness)>();
    let connections = connections
        .iter(app.world())
        .filter(|(c, ..)| c.rival == rival);
    let looks = connections.map(|(c, tint, t)| {
        let c = c.connection;
        ((c.layer, c.from, c.to), (*tint, t.0))
    });
    (neurons, looks.collect())
}

#[test]
fn a_network_beside_itself_looks_as_it_does() {
    let mut app = app(&[problem(MOONS)]);
    let (neurons, connections) = own(&mut app);
    assert_eq!(
        (neurons.len(), connections.len()),
        (2 + 5 + 4 + 1, 10 + 20 + 4)
    );
    assert_eq!(beside(&mut app, 0), (neurons, connections));
    let scene = app.world().resource::<RivalScene>();
    assert_eq!(scene.0.len(), 1);
}

#[test]
fn all_networks_have_one_scale_that_of_the_largest_weights() {
    let mut app = app(&[problem(MOONS)]);
    let (_, before) = own(&mut app);
    let mut rivals = app.world_mut().resource_mut::<Rivals>();
    let snapshot = &mut rivals.list[0].snapshot;
    let larger: Vec<f32> = snapshot.params.iter().map(|w| 4.0 * w).collect();
    snapshot.params = larger.into();
    app.update();
    let (_, own) = own(&mut app);
    let (_, theirs) = beside(&mut app, 0);
    let (&key, &(_, thick)) = before
        .iter()
        .filter(|((layer, ..), _)| *layer == 1)
        .max_by(|a, b| a.1.1.total_cmp(&b.1.1))
        .unwrap();
    assert!(own[&key].1 < 0.6 * thick, "{} {thick}", own[&key].1);
    assert!(theirs[&key].1 > 1.5 * own[&key].1);
}

#[test]
fn networks_of_any_shape_are_laid_out_and_go_again() {
    let deeper = MOONS.replace("{ dense = 5", "{ dense = 9 }, { dense = 5");
    let mut app = app(&[problem(&deeper), problem(MOONS)]);
    assert_eq!(beside(&mut app, 0).0.len(), 2 + 9 + 5 + 4 + 1);
    assert_eq!(beside(&mut app, 1).0.len(), 12);
    app.world_mut().resource_mut::<Rivals>().list.clear();
    app.world_mut().trigger(RivalsReplaced);
    app.update();
    assert!(beside(&mut app, 0).0.is_empty());
    assert_eq!(own(&mut app).0.len(), 12);
}

#[test]
fn what_stands_beside_shows_the_sample_of_the_first() {
    let mut app = app(&[problem(MOONS)]);
    let problem = Arc::clone(&app.world().resource::<Training>().problem);
    let mut leader = Session::new(Arc::clone(&problem));
    leader.command(gradscape::train::TrainCommand::Watch(
        gradscape::train::Watched {
            part: gradscape::train::WatchedPart::Validation,
            index: 3,
        },
    ));
    let mut other = Session::new(problem);
    other.keep_level(&leader, usize::MAX);
    let (own, theirs) = (leader.snapshot(), other.snapshot());
    assert_eq!(own.probe, theirs.probe);
    app.world_mut().resource_mut::<Training>().snapshot = own;
    app.world_mut().resource_mut::<Rivals>().list[0].snapshot = theirs;
    app.update();
    let (neurons, _) = self::own(&mut app);
    assert_eq!(beside(&mut app, 0).0, neurons);
}
