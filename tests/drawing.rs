//! Digits drawn as lines, as with a mouse, are read by networks that were trained on the
//! built-in data, whose pictures they come to look like.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::data::Drawing;
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, Session, TrainCommand, WatchedPart};
use std::sync::Arc;

type Stroke = Vec<[f32; 2]>;

/// A piece of an ellipse: its middle, its half axes, and from where to where in degrees,
/// clockwise from the right.
fn arc(middle: [f32; 2], axes: [f32; 2], from: f32, to: f32) -> Stroke {
    let point = |k: usize| {
        let angle = (from + (to - from) * k as f32 / 16.0).to_radians();
        [
            middle[0] + axes[0] * angle.cos(),
            middle[1] + axes[1] * angle.sin(),
        ]
    };
    (0..=16).map(point).collect()
}

/// Digits as somebody may draw them, some in two ways.
fn digits() -> Vec<(usize, Vec<Stroke>)> {
    let seven = vec![[0.3, 0.2], [0.7, 0.2], [0.5, 0.6], [0.45, 0.85]];
    let join = |strokes: [Stroke; 2]| vec![strokes.concat()];
    vec![
        (0, vec![arc([0.5, 0.5], [0.2, 0.32], -90.0, 270.0)]),
        (1, vec![vec![[0.42, 0.32], [0.52, 0.2], [0.52, 0.82]]]),
        (1, vec![vec![[0.5, 0.2], [0.5, 0.82]]]),
        (
            2,
            join([
                arc([0.5, 0.35], [0.18, 0.16], -170.0, 30.0),
                vec![[0.33, 0.8], [0.7, 0.8]],
            ]),
        ),
        (
            3,
            join([
                arc([0.48, 0.34], [0.17, 0.15], -160.0, 80.0),
                arc([0.48, 0.65], [0.19, 0.16], -80.0, 160.0),
            ]),
        ),
        (
            4,
            vec![
                vec![[0.55, 0.2], [0.32, 0.6], [0.72, 0.6]],
                vec![[0.6, 0.42], [0.6, 0.84]],
            ],
        ),
        (
            5,
            join([
                vec![[0.66, 0.2], [0.38, 0.2], [0.36, 0.46]],
                arc([0.49, 0.62], [0.18, 0.18], -120.0, 150.0),
            ]),
        ),
        (
            6,
            join([
                vec![[0.6, 0.2], [0.42, 0.4]],
                arc([0.5, 0.65], [0.16, 0.17], -160.0, 200.0),
            ]),
        ),
        (7, vec![seven.clone()]),
        (7, vec![seven, vec![[0.4, 0.52], [0.68, 0.52]]]),
        (
            8,
            join([
                arc([0.5, 0.34], [0.14, 0.15], 90.0, 450.0),
                arc([0.5, 0.66], [0.17, 0.17], -90.0, 270.0),
            ]),
        ),
        (
            9,
            join([
                arc([0.5, 0.36], [0.16, 0.16], 0.0, 360.0),
                vec![[0.65, 0.5], [0.6, 0.84]],
            ]),
        ),
    ]
}

#[test]
fn networks_of_both_sizes_read_what_is_drawn() {
    for data in ["source = \"digits\"", "source = \"mnist\"\nlimit = 2000"] {
        let text = format!(
            "seed = 7\n[data]\n{data}\n[network]\n\
             layers = [{{ dense = 32, activation = \"relu\" }}]\nloss = \"cross-entropy\"\n\
             [training]\nbatch = 32\noptimizer = {{ name = \"adam\", learning_rate = 0.003 }}\n"
        );
        let experiment = Experiment::parse(&text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let mut session = Session::new(Arc::clone(&problem));
        session.command(TrainCommand::Epochs(15));
        let ink = |sample: &[f32]| {
            let values = sample.iter().enumerate();
            let raw = values.map(|(j, &v)| problem.data.scaler.unscaled(j, v));
            raw.sum::<f32>() / sample.len() as f32
        };
        let rows = problem.train.x.rows();
        let theirs: f32 = rows.into_iter().map(|r| ink(&r.to_vec())).sum();
        let theirs = theirs / problem.train.len() as f32;
        let all = digits();
        let (mut read, mut ours) = (0, 0.0);
        for (digit, strokes) in &all {
            let drawing = Drawing {
                strokes: strokes.clone(),
            };
            let input = drawing
                .input(&problem.data, problem.train.x.view())
                .unwrap();
            ours += ink(&input) / all.len() as f32;
            session.command(TrainCommand::Draw(input.into()));
            let probe = session.snapshot().probe;
            assert_eq!(probe.watched.part, WatchedPart::Drawn);
            assert!(probe.target.is_empty() && probe.loss.is_nan());
            let output = probe.a.last().unwrap();
            let said = (0..10)
                .max_by(|&a, &b| output[a].total_cmp(&output[b]))
                .unwrap();
            read += usize::from(said == *digit);
        }
        // One may be read as another, as people's are.
        assert!(read + 1 >= all.len(), "{data}: {read} of {}", all.len());
        assert!((ours / theirs - 1.0).abs() < 0.1, "{data}: {ours} {theirs}");
    }
}

#[test]
fn what_does_not_fit_the_network_is_not_taken() {
    let text = "[data]\nsource = \"digits\"\nlimit = 60\n[network]\nlayers = []\n\
                loss = \"cross-entropy\"\n";
    let experiment = Experiment::parse(text, "test").unwrap();
    let mut session = Session::new(Arc::new(Problem::new(&experiment).unwrap()));
    let before = session.snapshot().probe;
    session.command(TrainCommand::Draw(vec![1.0; 63].into()));
    assert_eq!(session.snapshot().probe, before);
}
