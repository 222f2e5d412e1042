//! Runs elsewhere on the screen: the tab that watches them, and a network that another
//! program trains in the place of our own.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::Key;
use desk::{Desk, SPIRAL, problem};
use gradscape::app::capture::{Shot, Studio};
use gradscape::app::ui::{Intent, Tab};
use gradscape::app::{
    ArenaView, Choices, Command, Language, NetworkView, SurfaceView, Texts, Theme, Training,
    ViewMode, WatchWish, Watching,
};
use gradscape::interop::EventHistogram;
use gradscape::train::{Session, TrainCommand};
use gradscape::watch::frame::frame;
use gradscape::watch::{Begun, Logged, News, SourceKind};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn desk(language: Language) -> Desk {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(SPIRAL, [1600.0, 1000.0], choices);
    desk.press(Key::Backtick);
    desk.panels.inside.tab = Tab::Elsewhere;
    desk.frames(3);
    desk
}

fn told<T>(tag: &str, step: i64, value: T) -> Logged<T> {
    Logged {
        run: Arc::from("r"),
        tag: Arc::from(tag),
        step,
        wall_time: 0.0,
        value,
    }
}

fn wish(intents: &[Intent]) -> Option<&WatchWish> {
    intents.iter().find_map(|intent| match intent {
        Intent::Watch(wish) => Some(wish),
        _ => None,
    })
}

#[test]
fn a_source_is_named_and_watched_and_one_that_is_none_is_said_to_be() {
    let mut desk = desk(Language::English);
    assert!(desk.says("TensorBoard"));
    desk.panels.inside.elsewhere.source = "/no/such/folder".to_owned();
    let button = desk.place("Watch").center();
    let intents = desk.click_at(button);
    assert!(wish(&intents).is_none());
    desk.frames(2);
    assert!(desk.says("/no/such/folder: there is no such folder"));
    desk.panels.inside.elsewhere.source = "tcp:6001".to_owned();
    desk.panels.inside.elsewhere.data = " iris ".to_owned();
    desk.frames(2);
    let intents = desk.click_at(button);
    let Some(WatchWish::Start(SourceKind::Tcp { address, remote }, data)) = wish(&intents) else {
        panic!("{intents:?}");
    };
    assert!(address.ip().is_loopback() && address.port() == 6001 && !remote);
    assert_eq!(data.as_deref(), Some("iris"));
}

#[test]
fn curves_and_histograms_of_others_are_on_the_tab_in_both_languages() {
    for (language, says) in [
        (Language::English, "no weights were told"),
        (Language::Chinese, "没有收到权重"),
    ] {
        let mut desk = desk(language);
        let watching = &mut desk.watching;
        watching.run = Some(Begun {
            run: Arc::from("r"),
            framework: "PyTorch 2".to_owned(),
            structure: None,
        });
        for step in 0..30 {
            let loss = 1.0 / (step + 1) as f64;
            watching.board.see(&News::Metric(told("loss", step, loss)));
        }
        let bins = vec![[-1.0, 0.5, 100.0], [0.5, 1.0, 23.0]];
        let histogram = EventHistogram { bins };
        watching
            .board
            .see(&News::Histogram(told("weights/0", 7, histogram)));
        watching
            .board
            .see(&News::Word("something is damaged".to_owned()));
        desk.frames(3);
        for text in [
            "loss",
            "0.03333",
            "weights/0",
            "123",
            "PyTorch 2",
            says,
            "damaged",
        ] {
            assert!(desk.says(text), "{language:?}: {text}");
        }
        desk.panels.inside.elsewhere.filter = "WEIGHTS".to_owned();
        desk.frames(3);
        assert!(desk.says("weights/0") && desk.find("0.03333").is_none());
    }
}

#[test]
fn what_is_trained_elsewhere_has_no_controls_here_and_counts_steps() {
    let mut desk = desk(Language::English);
    desk.training = Training::elsewhere(problem(SPIRAL), Arc::from("resnet"));
    desk.panels.inside.tab = Tab::Curves;
    desk.frames(3);
    assert!(desk.says("Trained elsewhere") && desk.says("resnet"));
    let control = gradscape::app::ui::control_id("run/toggle");
    assert!(desk.ctx.read_response(control).is_none());
    let epoch = Texts::new(Language::English).get("figure.epoch").to_owned();
    assert!(desk.find(&epoch).is_none(), "the axis of the curves");
    // Whoever asks all the same is not obeyed.
    let mut session = Session::following(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Start);
    assert!(!session.advance());
}

/// Waits until the app has what is asked for.
fn until(studio: &mut Studio, what: &str, enough: impl Fn(&Training, &Watching) -> bool) {
    let begin = Instant::now();
    loop {
        studio.update();
        let world = studio.app().world();
        if enough(world.resource::<Training>(), world.resource::<Watching>()) {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(120),
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_network_that_is_sent_takes_the_place_of_our_own_and_moves() {
    let shot = Shot {
        problem: problem(SPIRAL),
        params: None,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        view: ViewMode::Network,
        size: (320, 200),
        frames: 1,
        epochs: 0,
        steps: 1,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
        scale: 1.0,
        panels: false,
        smooth: false,
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    };
    let mut studio = Studio::driven(&shot, gradscape::app::Drive::Thread).unwrap();
    let kind = SourceKind::parse("tcp:0", None).unwrap();
    studio
        .app()
        .world_mut()
        .write_message(WatchWish::Start(kind, None));
    until(&mut studio, "listening", |_, watching| {
        watching.address.is_some()
    });
    let address = studio
        .app()
        .world()
        .resource::<Watching>()
        .address
        .clone()
        .unwrap();
    let mut peer = TcpStream::connect(address).unwrap();
    let gemm = |name: &str, reads: &str| {
        json!({"name": name, "op": "Gemm", "inputs": [reads], "attributes": {"transB": 1},
               "weights": {"1": format!("{name}.weight"), "2": format!("{name}.bias")}})
    };
    let hello = json!({
        "type": "hello", "protocol": 1, "run": "theirs",
        "structure": {
            "format": "onnx", "inputs": [{"name": "x", "shape": [null, 4]}], "outputs": ["soft"],
            "nodes": [gemm("a", "x"), {"name": "act", "op": "Tanh", "inputs": ["a"]},
                      gemm("b", "act"), {"name": "soft", "op": "Softmax", "inputs": ["b"]}],
        },
    });
    peer.write_all(&frame(&hello.to_string(), b"")).unwrap();
    let mut send = |step: i64, value: f32| {
        let sizes = [
            ("a.weight", vec![5, 4]),
            ("a.bias", vec![5]),
            ("b.weight", vec![3, 5]),
            ("b.bias", vec![3]),
        ];
        let (mut header, mut data) = (serde_json::Map::new(), Vec::<u8>::new());
        for (name, shape) in sizes {
            let many: usize = shape.iter().product();
            let begin = data.len();
            data.extend(value.to_le_bytes().repeat(many));
            let entry =
                json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
            header.insert(format!("weights/{name}"), entry);
        }
        let header = serde_json::Value::from(header).to_string();
        let body = [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &data,
        ]
        .concat();
        let head = json!({"type": "frame", "step": step, "wall": 1.0,
                          "rows": [[step, 1.0, {"loss": 1.0 / step as f64, "val_loss": 2.0}]]});
        peer.write_all(&frame(&head.to_string(), &body)).unwrap();
    };
    send(10, 0.25);
    until(&mut studio, "the network", |training, _| {
        training.elsewhere.is_some() && training.snapshot.step == 10
    });
    for step in 2..=6 {
        send(10 * step, 0.1 * step as f32);
    }
    until(&mut studio, "its steps", |training, _| {
        training.snapshot.step == 60
    });
    let training = studio.app().world().resource::<Training>().clone();
    assert_eq!(training.elsewhere.as_deref(), Some("theirs"));
    assert_eq!(training.problem.network.layout().len(), 43);
    assert!(training.snapshot.params.iter().all(|p| *p == 0.1 * 6.0));
    let steps: Vec<u64> = training.path.points().iter().map(|p| p.step).collect();
    assert_eq!(steps, [10, 20, 30, 40, 50, 60]);
    let rows = training.history.rows().iter();
    let rows: Vec<_> = rows
        .map(|r| (training.place_of(r), r.validation_loss))
        .collect();
    assert_eq!(rows.last(), Some(&(60, Some(2.0))));
    // It is not trained here.
    for command in [TrainCommand::Step, TrainCommand::Start] {
        studio.app().world_mut().write_message(Command(command));
    }
    (0..5).for_each(|_| studio.update());
    assert_eq!(
        studio.app().world().resource::<Training>().snapshot.step,
        60
    );
    // What is loaded instead lets go of it.
    let experiment = problem(SPIRAL).experiment.clone();
    let load = gradscape::app::LoadExperiment {
        experiment,
        start: false,
        from: None,
    };
    studio.app().world_mut().write_message(load);
    until(&mut studio, "our own", |training, watching| {
        training.elsewhere.is_none() && !watching.is_on()
    });
}
