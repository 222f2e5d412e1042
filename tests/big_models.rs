//! Large networks and other programs' models in blocks: what is shown stays bounded, what is
//! looked for is found, what is opened and closed keeps what is selected.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use bevy::prelude::*;
use gradscape::app::scene::{
    BlockLink, Connection, MOST_LINKS, NetworkScenePlugin, Neuron, Slab, UNFOLDED_LIMIT,
};
use gradscape::app::{
    Blocks, CameraRequest, CameraSettings, HoldView, Label, MOST_UNFOLDED, NetworkBounds,
    NetworkReplaced, NetworkView, Training,
};
use gradscape::experiment::Experiment;
use gradscape::insight::outline::{
    FIRST_PARTS, Foreign, Found, MOST_SHOWN, NodeKind, Outline, Part, read_model,
};
use gradscape::interop::{ForeignModel, ModelFormat, Node, Port, translate};
use gradscape::train::Problem;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

fn experiment(layers: &str, source: &str) -> Experiment {
    let text = format!(
        "[data]\nsource = \"{source}\"\nlimit = 40\n[network]\nlayers = [{layers}]\n\
         loss = \"cross-entropy\"\n[training]\nbatch = 10\nepochs = 1\n"
    );
    Experiment::parse(&text, "test").unwrap()
}

fn app(layers: &str, source: &str) -> App {
    let problem = Problem::new(&experiment(layers, source)).unwrap();
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .insert_resource(Training::at_start(Arc::new(problem)))
        .insert_resource(NetworkView::default())
        // Plates stand at once where they go.
        .insert_resource(CameraSettings {
            still: true,
            ..CameraSettings::default()
        })
        .add_plugins(NetworkScenePlugin);
    app.world_mut().trigger(NetworkReplaced);
    app.update();
    app.update();
    app
}

fn deep() -> App {
    app(
        &"{ dense = 20, activation = \"relu\" },".repeat(59),
        "digits",
    )
}

fn count<C: Component>(app: &mut App) -> usize {
    app.world_mut().query::<&C>().iter(app.world()).count()
}

fn slabs(app: &mut App) -> HashMap<Part, (Entity, Slab, String)> {
    let mut query = app.world_mut().query::<(Entity, &Slab, &Label)>();
    let found = query.iter(app.world());
    found
        .map(|(entity, slab, label)| (slab.part, (entity, *slab, label.text.clone())))
        .collect()
}

fn change<R>(app: &mut App, act: impl FnOnce(&mut Blocks) -> R) -> R {
    let result = act(&mut app.world_mut().resource_mut::<Blocks>());
    app.update();
    app.update();
    result
}

fn foreign() -> Arc<Foreign> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/opaque.onnx");
    match read_model(&path, |_| true) {
        Some(Ok(Found::Foreign(foreign))) => foreign,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_network_of_sixty_layers_is_a_few_plates_without_neurons_at_first() {
    let mut app = deep();
    let plates = slabs(&mut app);
    assert!(
        (3..=FIRST_PARTS).contains(&plates.len()),
        "{}",
        plates.len()
    );
    assert_eq!(count::<Neuron>(&mut app), 0);
    assert_eq!(count::<Connection>(&mut app), 0);
    for (part, (_, _, text)) in &plates {
        assert!(!text.trim().is_empty(), "{part:?} says nothing");
    }
    let bounds = *app.world().resource::<NetworkBounds>();
    for (_, slab, _) in plates.values() {
        assert!(slab.center.cmpgt(bounds.min).all() && slab.center.cmplt(bounds.max).all());
    }
}

#[test]
fn a_small_network_is_shown_as_a_whole() {
    let mut app = app("{ dense = 8 }, { dense = 8 }", "digits");
    assert_eq!(count::<Slab>(&mut app), 0);
    assert_eq!(count::<Neuron>(&mut app), 64 + 8 + 8 + 10);
}

#[test]
fn what_is_opened_comes_and_what_stays_keeps_its_entity() {
    let mut app = deep();
    let before = slabs(&mut app);
    let block = before
        .keys()
        .find_map(|part| match part {
            Part::Block(block) => Some(*block),
            Part::Node(_) => None,
        })
        .unwrap();
    change(&mut app, |blocks| blocks.open(block));
    let after = slabs(&mut app);
    assert!(after.len() > before.len());
    assert!(!after.contains_key(&Part::Block(block)));
    for (part, (entity, ..)) in &before {
        if *part != Part::Block(block) {
            assert_eq!(after[part].0, *entity, "{part:?} was despawned");
        }
    }
    change(&mut app, |blocks| blocks.close(block));
    let closed = slabs(&mut app);
    let parts = |of: &HashMap<Part, _>| of.keys().copied().collect::<BTreeSet<Part>>();
    assert_eq!(
        parts(&closed.into_keys().map(|part| (part, ())).collect()),
        parts(&before.into_keys().map(|part| (part, ())).collect())
    );
}

#[test]
fn what_is_selected_stays_so_when_its_block_is_closed_and_opened() {
    let mut app = deep();
    let node = Part::Node(30);
    change(&mut app, |blocks| blocks.reveal(node));
    assert_eq!(app.world().resource::<Blocks>().selected(), Some(node));
    assert!(slabs(&mut app)[&node].1.raised);
    change(&mut app, Blocks::close_all);
    let blocks = app.world().resource::<Blocks>();
    assert_eq!(blocks.selected(), Some(node));
    // The block that it is in now shows that it is there.
    let holder = blocks.stands_for(node).unwrap();
    assert!(matches!(holder, Part::Block(_)));
    assert!(slabs(&mut app)[&holder].1.raised);
    change(&mut app, Blocks::open_all);
    assert!(slabs(&mut app)[&node].1.raised);
}

#[test]
fn what_is_found_is_opened_selected_and_framed() {
    let mut app = deep();
    let part = change(&mut app, |blocks| {
        let hits = blocks.outline().unwrap().find("dense_47", 5);
        blocks.reveal(hits[0].part);
        hits[0].part
    });
    assert_eq!(part, Part::Node(47));
    let place = slabs(&mut app)[&part].1.center;
    let requests = app.world().resource::<Messages<CameraRequest>>();
    let mut cursor = requests.get_cursor();
    let mut framed = cursor.read(requests);
    let framed = framed.find_map(|request| match *request {
        CameraRequest::Frame { low, high, .. } => Some((low, high)),
        _ => None,
    });
    let (low, high) = framed.expect("the camera is asked to go there");
    assert!(low.cmplt(place).all() && high.cmpgt(place).all());
    // What is opened leaves the point of view alone but for that.
    assert!(app.world().resource::<HoldView>().0);
}

#[test]
fn only_so_many_layers_show_their_neurons_and_no_layer_all_of_very_many() {
    let layers = "{ dense = 7000, activation = \"relu\" },".to_owned()
        + &"{ dense = 30, activation = \"relu\" },".repeat(25);
    let mut app = app(&layers, "digits");
    change(&mut app, Blocks::open_all);
    for column in 0..20 {
        change(&mut app, |blocks| blocks.toggle(Part::Node(column)));
        let unfolded = app.world().resource::<Blocks>().unfolded();
        assert!(unfolded.len() <= MOST_UNFOLDED && unfolded.contains(&column));
        assert!(count::<Neuron>(&mut app) <= MOST_UNFOLDED * UNFOLDED_LIMIT);
        let budget = app.world().resource::<NetworkView>().connection_budget;
        assert!(count::<Connection>(&mut app) <= budget);
    }
    // The last ones that were asked for.
    assert_eq!(
        app.world().resource::<Blocks>().unfolded(),
        (20 - MOST_UNFOLDED..20).collect::<Vec<_>>()
    );
    assert!(count::<Neuron>(&mut app) > 0 && count::<Connection>(&mut app) > 0);
    // Neurons stand in their plate.
    let plates = slabs(&mut app);
    let mut neurons = app.world_mut().query::<(&Neuron, &Transform)>();
    for (neuron, place) in neurons.iter(app.world()) {
        let slab = plates[&Part::Node(neuron.column)].1;
        assert!(slab.unfolded);
        let off = place.translation.distance(slab.center);
        assert!(off <= slab.half.length() + 1.0, "{neuron:?} is {off} away");
    }
    change(&mut app, Blocks::close_all);
    assert_eq!(count::<Neuron>(&mut app), 0);
}

/// A model of 1,500 nodes one behind the other, none of which the engine has.
fn long() -> Arc<Foreign> {
    let port = |name: &str| Port {
        name: name.to_owned(),
        shape: Some(vec![None, Some(8)]),
    };
    let node = |k: usize| {
        let read = match k {
            0 => "x".to_owned(),
            _ => format!("stage{}/{}", (k - 1) / 40, k - 1),
        };
        Node::new(&format!("stage{}/{k}", k / 40), "Wobble", vec![read])
    };
    let model = ForeignModel {
        format: ModelFormat::Onnx,
        producer: String::new(),
        inputs: vec![port("x")],
        outputs: vec![port("stage37/1499")],
        nodes: (0..1500).map(node).collect(),
        channels_last: false,
        notes: Vec::new(),
    };
    let translation = translate(&model);
    let why = translation.result.as_ref().unwrap_err().clone();
    Arc::new(Foreign {
        path: "long.onnx".into(),
        parameters: 0,
        opaque: 1500,
        outline: Arc::new(Outline::of_model(&model, &translation)),
        why,
        model,
    })
}

#[test]
fn however_much_is_opened_plates_and_ways_are_bounded() {
    let mut app = app("{ dense = 8 }", "digits");
    let model = long();
    assert_eq!(model.outline.nodes().len(), 1502);
    change(&mut app, |blocks| blocks.show_foreign(model));
    change(&mut app, Blocks::open_all);
    let shown = count::<Slab>(&mut app);
    assert!(
        (MOST_SHOWN / 2..=MOST_SHOWN).contains(&shown),
        "{shown} plates"
    );
    assert!((shown - 1..=MOST_LINKS).contains(&count::<BlockLink>(&mut app)));
    // One by one as well.
    change(&mut app, Blocks::close_all);
    let outline = Arc::clone(app.world().resource::<Blocks>().outline().unwrap());
    for block in 0..outline.blocks().len() {
        change(&mut app, |blocks| blocks.open(block));
        assert!(app.world().resource::<Blocks>().is_open(block));
        assert!(count::<Slab>(&mut app) <= MOST_SHOWN);
    }
}

#[test]
fn all_of_a_model_is_shown_and_what_the_engine_has_not_looks_different() {
    let mut app = app("{ dense = 8 }", "digits");
    assert!(count::<Neuron>(&mut app) > 0);
    let model = foreign();
    assert!(model.opaque > 0 && !model.why.is_empty());
    change(&mut app, |blocks| {
        blocks.show_foreign(Arc::clone(&model));
        blocks.open_all();
    });
    assert_eq!(count::<Neuron>(&mut app), 0, "the network gives way");
    let plates = slabs(&mut app);
    let nodes = model.outline.nodes();
    // Every node of the file, what it reads and what it gives.
    assert_eq!(plates.len(), model.model.nodes.len() + 1 + 2);
    assert_eq!(plates.len(), nodes.len());
    let mut opaque = 0;
    for (at, node) in nodes.iter().enumerate() {
        let (_, slab, text) = &plates[&Part::Node(at)];
        assert_eq!(
            slab.opaque,
            matches!(node.kind, NodeKind::Opaque(_)),
            "{}",
            node.name
        );
        opaque += usize::from(slab.opaque);
        let short = model.outline.short_name(at);
        assert!(text.starts_with(short), "{text:?} does not name {short:?}");
    }
    assert_eq!(opaque, model.opaque);
    // Everything that is read is connected.
    let shown = app.world().resource::<Blocks>().shown().clone();
    assert_eq!(shown.edges.len(), model.outline.edges().len());
    let lstm = nodes.iter().find(|node| node.operator == "LSTM").unwrap();
    assert!(lstm.kind.reason().unwrap().contains("LSTM"));
    change(&mut app, Blocks::leave_foreign);
    assert_eq!(count::<Slab>(&mut app), 0);
    assert!(count::<Neuron>(&mut app) > 0, "the network is back");
}

#[test]
fn weights_of_a_model_are_measured_where_they_are() {
    let model = foreign();
    let nodes = model.outline.nodes();
    let conv = nodes
        .iter()
        .position(|n| n.name.ends_with("stem.0/Conv"))
        .unwrap();
    let spread = model.spread(Part::Node(conv)).unwrap();
    assert_eq!(spread.count, 24);
    assert_eq!(spread.count, nodes[conv].parameters);
    let own = model
        .model
        .nodes
        .iter()
        .find(|n| n.name == nodes[conv].name)
        .unwrap();
    let values: Vec<f32> = own
        .weights
        .iter()
        .filter_map(|w| w.tensor.floats())
        .flatten()
        .copied()
        .collect();
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert_eq!(spread.greatest, most);
    assert!(
        model.spread(Part::Node(0)).is_none(),
        "an input has no weights"
    );
}
