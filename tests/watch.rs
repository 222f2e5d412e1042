//! Runs elsewhere: the protocol with a peer of bytes, folders of checkpoints and logs, and the
//! command `watch`.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use gradscape::interop::EventWriter;
use gradscape::run::{EventKind, RunFile, SavedState};
use gradscape::train::{Problem, Session, Trainer};
use gradscape::watch::frame::{MOST_BODY, frame};
use gradscape::watch::{
    Followed, Follower, News, Poll, Recorder, RunOfNews, Server, Source, SourceKind,
};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A safetensors file of single-precision tensors, by hand.
fn body(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape, values) in tensors {
        let begin = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    let header = Value::from(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn hello(run: &str) -> Vec<u8> {
    let structure = json!({
        "format": "onnx", "inputs": [{"name": "x", "shape": [null, 4]}], "outputs": ["soft"],
        "nodes": [
            {"name": "a", "op": "Gemm", "inputs": ["x"], "attributes": {"transB": 1},
             "weights": {"1": "a.weight", "2": "a.bias"}},
            {"name": "act", "op": "Tanh", "inputs": ["a"]},
            {"name": "b", "op": "Gemm", "inputs": ["act"], "attributes": {"transB": 1},
             "weights": {"1": "b.weight", "2": "b.bias"}},
            {"name": "soft", "op": "Softmax", "inputs": ["b"]},
        ],
    });
    let header = json!({
        "type": "hello", "protocol": 1, "run": run, "framework": "bytes", "structure": structure,
    });
    frame(&header.to_string(), b"")
}

/// The weights of a 4-5-3 network, all different.
fn weights(from: f32) -> Vec<u8> {
    let many = |n: usize, at: f32| -> Vec<f32> { (0..n).map(|k| at + 0.01 * k as f32).collect() };
    let sets = [
        many(20, from),
        many(5, from + 1.0),
        many(15, from + 2.0),
        many(3, from + 3.0),
    ];
    let slopes = many(20, -from);
    body(&[
        ("weights/a.weight", &[5, 4], &sets[0]),
        ("weights/a.bias", &[5], &sets[1]),
        ("weights/b.weight", &[3, 5], &sets[2]),
        ("weights/b.bias", &[3], &sets[3]),
        ("gradients/a.weight", &[5, 4], &slopes),
        ("activations/act", &[1, 5], &sets[1]),
    ])
}

fn step(step: i64, loss: f64, body: &[u8]) -> Vec<u8> {
    let header = json!({
        "type": "frame", "step": step, "wall": 1.5, "rows": [[step, 1.5, {"loss": loss}]],
    });
    frame(&header.to_string(), body)
}

/// Asks until `enough`, and says what came.
fn until(poll: &mut impl FnMut() -> Poll, enough: impl Fn(&[News]) -> bool) -> Vec<News> {
    let begin = Instant::now();
    let mut all = Vec::new();
    while !enough(&all) {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "waited in vain: {all:?}"
        );
        all.extend(poll().news);
        std::thread::sleep(Duration::from_millis(2));
    }
    all
}

fn listening() -> (Server, SocketAddr) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
    let address = server.address();
    (server, address)
}

/// What the app answers to one who sends `bytes` and listens until the end.
fn answers(bytes: &[u8]) -> (Vec<News>, Vec<Value>) {
    let (mut server, address) = listening();
    let mut peer = TcpStream::connect(address).unwrap();
    peer.write_all(bytes).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        let _ = peer.read_to_end(&mut got);
        got
    });
    let begin = Instant::now();
    let mut news = Vec::new();
    while !reader.is_finished() {
        news.extend(server.poll().news);
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    let got = reader.join().unwrap();
    let (mut rest, mut found) = (&got[..], Vec::new());
    while !rest.is_empty() {
        assert_eq!(&rest[..4], b"GRSP");
        let size = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        found.push(serde_json::from_slice(&rest[8..8 + size]).unwrap());
        rest = &rest[16 + size..];
    }
    (news, found)
}

#[test]
fn a_run_that_is_sent_arrives_byte_for_byte_however_it_is_cut() {
    for cut in [1, 7, 64, 100_000] {
        let (mut server, address) = listening();
        let mut peer = TcpStream::connect(address).unwrap();
        peer.set_nodelay(true).unwrap();
        let sent = [weights(0.25), weights(0.75)];
        let bytes = [
            hello("r"),
            step(10, 0.5, &sent[0]),
            step(20, f64::MIN_POSITIVE, &sent[1]),
            frame(r#"{"type":"bye"}"#, b""),
        ]
        .concat();
        let mut parts = bytes.chunks(cut);
        let mut poll = || {
            for _ in 0..16 {
                parts
                    .next()
                    .into_iter()
                    .for_each(|part| peer.write_all(part).unwrap());
            }
            server.poll()
        };
        let ended = |all: &[News]| matches!(all.last(), Some(News::Ended { .. }));
        let news = until(&mut poll, ended);
        let News::Begun(begun) = &news[0] else {
            panic!()
        };
        assert_eq!((&*begun.run, begun.framework.as_str()), ("r", "bytes"));
        let values: Vec<(i64, f64)> = news
            .iter()
            .filter_map(|n| match n {
                News::Metric(m) => Some((m.step, m.value)),
                _ => None,
            })
            .collect();
        assert_eq!(values, [(10, 0.5), (20, f64::MIN_POSITIVE)]);
        let bodies: Vec<&[u8]> = news
            .iter()
            .filter_map(|n| match n {
                News::Tensors(frame) => Some(&frame.body[..]),
                _ => None,
            })
            .collect();
        assert!(bodies == [&sent[0][..], &sent[1]], "cut every {cut}");
    }
}

#[test]
fn what_is_malformed_is_refused_with_a_word_to_both_sides() {
    let mut long = hello("r");
    let at = long.len() - 8;
    long[at..].copy_from_slice(&(MOST_BODY + 1).to_le_bytes());
    let cases: [(Vec<u8>, &str); 8] = [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "GRSP"),
        (long, "at most"),
        (step(1, 0.5, b""), "before the hello"),
        ([hello("r"), hello("r")].concat(), "second hello"),
        (
            [hello("r"), step(1, 0.5, b"\x08\0\0\0\0\0\0\0nonsense")].concat(),
            "safetensors",
        ),
        (hello("a\u{7}b"), "control"),
        (hello(&"x".repeat(300)), "characters"),
        (
            frame(r#"{"type":"hello","protocol":9,"run":"r"}"#, b""),
            "protocol 9",
        ),
    ];
    for (bytes, says) in cases {
        let (news, answers) = answers(&bytes);
        let last = answers.last().unwrap();
        assert_eq!(last["type"], "error", "{says}");
        assert!(last["message"].as_str().unwrap().contains(says), "{last}");
        let word = |n: &News| matches!(n, News::Word(word) if word.contains(says));
        assert!(news.iter().any(word), "{says}: {news:?}");
        assert!(!news.iter().any(|n| matches!(n, News::Tensors(_))));
    }
    // Broken off within a frame: said here; nobody is there to be answered.
    let (news, _) = answers(&hello("r")[..20]);
    assert!(
        matches!(&news[..], [News::Word(word)] if word.contains("broke off")),
        "{news:?}"
    );
}

#[test]
fn one_bad_connection_does_not_disturb_another() {
    let (mut server, address) = listening();
    let mut good = TcpStream::connect(address).unwrap();
    good.write_all(&hello("good")).unwrap();
    let mut bad = TcpStream::connect(address).unwrap();
    bad.write_all(b"nonsense").unwrap();
    let said = |all: &[News]| all.iter().any(|n| matches!(n, News::Word(_)));
    until(&mut || server.poll(), |all| {
        said(all) && all.iter().any(|n| matches!(n, News::Begun(_)))
    });
    good.write_all(&step(1, 2.0, b"")).unwrap();
    let news = until(&mut || server.poll(), |all| !all.is_empty());
    assert!(matches!(&news[0], News::Metric(m) if m.value == 2.0));
}

#[test]
fn other_machines_are_listened_to_only_if_one_says_so() {
    let any: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let error = Server::bind(any, false).unwrap_err().to_string();
    assert!(error.contains("--listen"), "{error}");
    assert!(Server::bind(any, true).is_ok());
    let own = SourceKind::parse("tcp:6000", None).unwrap();
    let SourceKind::Tcp {
        address,
        remote: false,
    } = own
    else {
        panic!()
    };
    assert!(address.ip().is_loopback());
    assert!(SourceKind::parse("tcp:70000", None).is_err());
    assert!(SourceKind::parse("/no/such/folder", None).is_err());
    let (taken, address) = listening();
    let error = Server::bind(address, false).unwrap_err().to_string();
    assert!(error.contains("port"), "{error}");
    drop(taken);
}

#[test]
fn a_foreign_network_becomes_one_of_ours_and_moves_as_it_is_told() {
    let (mut server, address) = listening();
    let mut peer = TcpStream::connect(address).unwrap();
    let bytes = [
        hello("r"),
        step(10, 0.5, &weights(0.25)),
        step(20, 0.4, &weights(0.75)),
    ];
    peer.write_all(&bytes.concat()).unwrap();
    let tensors = |all: &[News]| all.iter().filter(|n| matches!(n, News::Tensors(_))).count();
    let news = until(&mut || server.poll(), |all| tensors(all) == 2);
    let mut follower = Follower::new(None);
    let mut followed = Vec::new();
    news.iter().for_each(|n| follower.see(n, &mut followed));
    let mut session: Option<Session> = None;
    let mut history = Vec::new();
    for found in followed {
        match found {
            Followed::Network(problem) => {
                // 4 inputs and 3 classes are iris.
                assert_eq!(problem.experiment.data.source, "iris");
                session = Some(Session::following(problem));
            }
            Followed::Step(step) => {
                // Rows before the network are of no session.
                let Some(session) = &mut session else {
                    continue;
                };
                session.follow(step);
                history.extend(session.take_outbox().rows);
            }
            Followed::Refused(why) => panic!("{why}"),
        }
    }
    let mut session = session.unwrap();
    let snapshot = session.snapshot();
    assert_eq!(snapshot.step, 20);
    // In our layout: a's weights, its biases, b's weights, its biases.
    assert_eq!(snapshot.params[..2], [0.75, 0.76]);
    assert_eq!(snapshot.params[20], 1.75);
    assert_eq!(snapshot.params[25], 2.75);
    assert_eq!(snapshot.params[40], 3.75);
    assert_eq!(snapshot.gradient[..2], [-0.75, -0.74]);
    assert_eq!(snapshot.gradient[20], 0.0, "what has no gradient");
    assert!(snapshot.update.iter().all(|u| (u - 0.5).abs() < 1e-6));
    assert_eq!(session.trajectory().points().len(), 2);
    let told: Vec<(u64, f64)> = history.iter().map(|r| (r.step, r.train_loss)).collect();
    assert_eq!(told, [(20, 0.4)]);
    // The probe is our own forward pass at their weights.
    let problem = session.trainer().problem();
    let mut own = Trainer::with_params(Arc::clone(problem), snapshot.params.to_vec(), 0);
    let loss = session.trajectory().points()[1].loss;
    assert_eq!(own.train_loss(), loss);
}

#[test]
fn checkpoints_come_in_the_order_of_their_steps_and_only_when_they_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let kind = SourceKind::parse(dir.path().to_str().unwrap(), None).unwrap();
    let mut source = Source::open(&kind).unwrap();
    assert_eq!(source.poll(), Poll::default());
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let whole = weights(0.5);
    put("step-100.safetensors", &whole);
    put("step-20.safetensors", &whole);
    put("step-300.safetensors", &whole[..whole.len() - 1]);
    put(".hidden.safetensors", &whole);
    put("notes.txt", b"x");
    let steps = |news: &[News]| -> Vec<i64> {
        let tensors = news.iter().filter_map(|n| match n {
            News::Tensors(frame) => Some(frame.step),
            _ => None,
        });
        tensors.collect()
    };
    let first = source.poll().news;
    assert!(matches!(first[0], News::Begun(_)));
    assert_eq!(steps(&first), [20, 100]);
    assert_eq!(source.poll(), Poll::default());
    // The rest of the half-written one.
    put("step-300.safetensors", &whole);
    assert_eq!(steps(&source.poll().news), [300]);
    // One that is never finished, and one that is none: said once each.
    put("step-400.safetensors", &whole[..40]);
    let mut long = 1_000_000_000_000_u64.to_le_bytes().to_vec();
    long.extend(b"xxxx");
    put("step-500.safetensors", &long);
    let mut words = Vec::new();
    for _ in 0..30 {
        for news in source.poll().news {
            let News::Word(word) = news else { panic!() };
            words.push(word);
        }
    }
    words.sort();
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(
        words[0].contains("incomplete") && words[1].contains("header"),
        "{words:?}"
    );
    // The same name again with other contents is another checkpoint.
    let mut said = body(&[("w", &[1], &[1.0])]);
    let header = r#"{"__metadata__":{"step":"7","loss":"0.125"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    said.splice(
        ..said.len() - 4,
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat(),
    );
    put("step-100.safetensors", &said);
    let news = source.poll().news;
    assert_eq!(steps(&news), [7]);
    assert!(
        matches!(&news[0], News::Metric(m) if (m.step, m.value, &*m.tag) == (7, 0.125, "loss"))
    );
}

#[test]
fn logs_are_followed_while_they_grow_and_folders_come() {
    let dir = tempfile::tempdir().unwrap();
    let kind = SourceKind::parse(dir.path().to_str().unwrap(), None).unwrap();
    let mut source = Source::open(&kind).unwrap();
    assert_eq!(source.poll(), Poll::default());
    let mut own = EventWriter::create(dir.path(), 1.0).unwrap();
    own.scalar("loss", 1, 2.0, 0.5).unwrap();
    own.flush().unwrap();
    let values = |news: &[News]| -> Vec<(String, i64)> {
        let metrics = news.iter().filter_map(|n| match n {
            News::Metric(m) => Some((format!("{}:{}", m.run, m.tag), m.step)),
            _ => None,
        });
        metrics.collect()
    };
    assert_eq!(values(&source.poll().news), [(".:loss".to_owned(), 1)]);
    own.scalar("loss", 2, 2.0, 0.5).unwrap();
    let mut other = EventWriter::create(&dir.path().join("a/val"), 1.0).unwrap();
    other.histogram("w", 5, 2.0, &[0.0, 1.0], &[4.0]).unwrap();
    other.scalar("loss", 5, 2.0, 0.5).unwrap();
    own.flush().unwrap();
    other.flush().unwrap();
    let news = source.poll().news;
    let mut found = values(&news);
    found.sort();
    assert_eq!(
        found,
        [(".:loss".to_owned(), 2), ("a/val:loss".to_owned(), 5)]
    );
    assert!(
        news.iter()
            .any(|n| matches!(n, News::Histogram(h) if h.value.total() == 4.0))
    );
    assert_eq!(source.poll().news, []);
}

#[test]
fn the_command_keeps_what_a_log_holds_and_writes_it_again() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/files/pytorch");
    let dir = tempfile::tempdir().unwrap();
    let files = files.to_str().unwrap();
    let args = [
        "watch", files, "--once", "--json", "--out", "kept", "--events", "again",
    ];
    let out = succeeds(dir.path(), &args);
    let lines: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let of = |kind: &str| lines.iter().filter(|l| l["type"] == kind).count();
    assert_eq!((of("run"), of("metric"), of("histogram")), (3, 16, 5));
    assert_eq!(lines.last().unwrap()["rows"], 16);
    let mut table = csv::Reader::from_path(dir.path().join("kept/history.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 16);
    let both = rows.iter().find(|r| &r[0] == "both_b").unwrap();
    assert_eq!((&both[1], &both[2], &both[4]), ("both", "3", "-2.25"));
    // What was written again holds the same.
    let out = succeeds(dir.path(), &["watch", "again", "--once", "--json"]);
    let again: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let told = |lines: &[Value]| {
        let mut told: Vec<String> = lines
            .iter()
            .filter(|l| l["type"] == "metric" || l["type"] == "histogram")
            .map(|line| {
                // Event files have single precision.
                let mut line = line.clone();
                if let Some(value) = line["value"].as_f64() {
                    line["value"] = f64::from(value as f32).into();
                }
                line.to_string()
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(told(&again), told(&lines));
    let people = succeeds(dir.path(), &["watch", files, "--once"]);
    assert!(
        people.contains("loss/train: 0.0244 at step 40, 5 values"),
        "{people}"
    );
}

/// A checkpoint of the 4-5-3 network of [`weights`], with a loss told with it.
fn checkpoint(step: u64, loss: f64, from: f32) -> Vec<u8> {
    let many = |n: usize, at: f32| -> Vec<f32> { (0..n).map(|k| at + 0.01 * k as f32).collect() };
    let sets = [
        many(20, from),
        many(5, from),
        many(15, -from),
        many(3, from),
    ];
    let whole = body(&[
        ("a.weight", &[5, 4], &sets[0]),
        ("a.bias", &[5], &sets[1]),
        ("b.weight", &[3, 5], &sets[2]),
        ("b.bias", &[3], &sets[3]),
    ]);
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&whole[8..8 + length]).unwrap();
    header["__metadata__"] = json!({"step": step.to_string(), "loss": loss.to_string()});
    let header = header.to_string();
    let start = (header.len() as u64).to_le_bytes();
    [&start[..], header.as_bytes(), &whole[8 + length..]].concat()
}

#[test]
fn what_is_watched_is_recorded_as_a_run_with_all_that_is_known_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("saved")).unwrap();
    let steps = [10_u64, 20, 35, 50];
    for (k, step) in steps.into_iter().enumerate() {
        let file = root.join(format!("saved/step-{step}.safetensors"));
        let bytes = checkpoint(step, 1.0 / step as f64, 0.1 * k as f32);
        fs::write(file, bytes).unwrap();
    }
    let text = succeeds(root, &["watch", "saved", "--once", "--record", "r.gsrun"]);
    assert!(text.contains("written to r.gsrun"), "{text}");
    let run = RunFile::open(&root.join("r.gsrun")).unwrap();
    assert_eq!(run.snapshot_steps().unwrap(), steps);
    let info = run.info();
    assert_eq!((info.state, info.parameters), (SavedState::Finished, 43));
    assert!(info.watched.as_ref().unwrap().ends_with("saved"));
    assert!(info.comment.contains("iris"), "{}", info.comment);
    let problem = Problem::new(&run.experiment().unwrap()).unwrap();
    let tensors = problem.network.layout().tensors();
    for (k, step) in steps.into_iter().enumerate() {
        let saved = run.snapshot(step).unwrap();
        // Ours are [outputs, inputs] row by row as well.
        let first: Vec<f32> = (0..20).map(|n| 0.1 * k as f32 + 0.01 * n as f32).collect();
        assert_eq!(saved[tensors[0].range.clone()], first, "step {step}");
    }
    let rows = run.epochs().unwrap();
    let told: Vec<(u64, f64)> = rows.iter().map(|row| (row.step, row.train_loss)).collect();
    let expected: Vec<(u64, f64)> = steps.iter().map(|&s| (s, 1.0 / s as f64)).collect();
    assert_eq!(told, expected);
    let metrics: Vec<(u64, Option<f64>)> = run
        .steps(99)
        .unwrap()
        .iter()
        .map(|s| (s.step, s.loss))
        .collect();
    assert_eq!(metrics.len(), 4);
    assert!(
        metrics
            .iter()
            .zip(&expected)
            .all(|(m, e)| *m == (e.0, Some(e.1)))
    );
    let series = run.told().unwrap();
    assert_eq!((series.len(), series[0].tag.as_str()), (1, "loss"));
    assert_eq!(series[0].values.len(), 4);
    // What takes a run takes this one.
    for args in [
        &["runs", "show", "r.gsrun"][..],
        &["report", "r.gsrun", "--out", "r.html"],
        &["export-run", "r.gsrun", "--out", "exported"],
        &["surface", "r.gsrun", "--grid", "5", "--out", "s.csv"],
    ] {
        succeeds(root, args);
    }
    let page = fs::read_to_string(root.join("r.html")).unwrap();
    assert!(page.contains("need not be those that the other program trains on"));
    // A file that is there is not written over.
    let error = fails(
        root,
        1,
        &["watch", "saved", "--once", "--record", "r.gsrun"],
    );
    assert!(error.contains("already"), "{error}");
}

#[test]
fn of_logs_the_numbers_are_recorded_and_what_needs_a_network_says_that_there_is_none() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/files/pytorch");
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let args = [
        "watch",
        files.to_str().unwrap(),
        "--once",
        "--record",
        "r.gsrun",
    ];
    succeeds(root, &args);
    let run = RunFile::open(&root.join("r.gsrun")).unwrap();
    // Of three runs in the folder one has a training loss.
    let curve: Vec<u64> = run.epochs().unwrap().iter().map(|row| row.step).collect();
    assert_eq!(curve, [0, 10, 20, 30, 40]);
    let told = run.told().unwrap();
    assert_eq!(told.iter().map(|s| s.values.len()).sum::<usize>(), 16);
    let loss = told.iter().find(|s| s.tag == "loss/train").unwrap();
    let (step, last) = *loss.values.last().unwrap();
    assert!(
        step == 40 && (last.unwrap() - 1.0 / 41.0).abs() < 1e-7,
        "{last:?}"
    );
    let shown = succeeds(root, &["runs", "show", "r.gsrun"]);
    assert!(
        shown.contains("loss/train") && shown.contains("watched at"),
        "{shown}"
    );
    let object = succeeds(root, &["runs", "show", "r.gsrun", "--json"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["told"].as_array().unwrap().len(), told.len());
    for args in [
        &["report", "r.gsrun", "--out", "r.html"][..],
        &["export-run", "r.gsrun", "--out", "x"],
        &["train", "r.gsrun", "--from", "0"],
        &["surface", "r.gsrun", "--out", "s.csv"],
    ] {
        let error = fails(root, 1, args);
        assert!(error.contains("has numbers alone"), "{error}");
    }
}

#[test]
fn a_run_that_begins_anew_elsewhere_is_begun_anew_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.gsrun");
    let mut run = RunOfNews::create(&path, "tcp", "watched", 1000).unwrap();
    let mut follower = Follower::new(None);
    let (mut server, address) = listening();
    let mut peer = TcpStream::connect(address).unwrap();
    let bytes = [
        hello("r"),
        step(10, 0.5, &weights(0.25)),
        step(20, 0.4, &weights(0.5)),
        step(30, 0.3, b""),
        step(15, 0.45, &weights(0.75)),
        frame(r#"{"type":"bye"}"#, b""),
    ]
    .concat();
    peer.write_all(&bytes).unwrap();
    let ended = |all: &[News]| matches!(all.last(), Some(News::Ended { .. }));
    for news in until(&mut || server.poll(), ended) {
        let mut followed = Vec::new();
        follower.see(&news, &mut followed);
        run.see(&news, &follower, &followed, 2000).unwrap();
    }
    run.close(false, 3000).unwrap();
    let run = RunFile::open(&path).unwrap();
    assert_eq!(run.info().name, "r");
    assert_eq!(run.info().state, SavedState::Finished);
    assert_eq!(run.info().environment["framework"], "bytes");
    assert_eq!(run.snapshot_steps().unwrap(), [10, 15]);
    let rows = run.epochs().unwrap();
    let steps: Vec<(u64, f64)> = rows.iter().map(|r| (r.step, r.train_loss)).collect();
    assert_eq!(steps, [(10, 0.5), (15, 0.45)]);
    let kinds: Vec<EventKind> = run.events().unwrap().into_iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [EventKind::Started, EventKind::Rewound, EventKind::Finished]
    );
}

#[test]
fn the_command_says_what_makes_no_sense() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    fs::write(dir.path().join("a-file"), "").unwrap();
    for (args, says) in [
        (&["watch", "nowhere"][..], "no such folder"),
        (&["watch", "tcp", "--once"], "--once"),
        (&["watch", here, "--listen", "0.0.0.0:1"], "--listen"),
        (&["watch", "tcp", "--for", "0"], "--for"),
        (&["watch", "a-file", "--once"], "this is a file"),
    ] {
        let error = fails(dir.path(), 2, args);
        assert!(error.contains(says), "{error}");
    }
    let out = succeeds(dir.path(), &["watch", "tcp:0", "--for", "0.2", "--json"]);
    assert!(out.starts_with(r#"{"address":"127.0.0.1:"#), "{out}");
    let out = succeeds(
        dir.path(),
        &["watch", "tcp", "--listen", "0.0.0.0:0", "--for", "0.2"],
    );
    assert!(out.contains("warning: other machines"), "{out}");
}

#[test]
fn a_folder_with_nothing_to_watch_says_what_was_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::write(root.join("deep/notes.txt"), "none").unwrap();
    let error = fails(root, 1, &["watch", "deep", "--once"]);
    for part in [
        "deep: nothing to read",
        "tfevents",
        ".safetensors",
        "8 deep",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let said = succeeds(root, &["watch", "deep", "--for", "0.3"]);
    assert!(said.contains("waiting"), "{said}");
}

#[test]
fn what_was_kept_of_a_stream_is_watched_again_as_it_came() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let mut recorder = Recorder::create(&root.join("kept")).unwrap();
    let (mut server, address) = listening();
    let mut stream = TcpStream::connect(address).unwrap();
    for run in ["first", "second"] {
        stream.write_all(&hello(run)).unwrap();
        stream.write_all(&step(3, 0.5, &weights(0.1))).unwrap();
        stream.write_all(&step(10, 0.25, &weights(0.2))).unwrap();
        let told = until(&mut || server.poll(), |news| {
            news.iter()
                .filter(|n| matches!(n, News::Tensors(_)))
                .count()
                == 2
        });
        for news in &told {
            recorder.see(news).unwrap();
        }
        stream = TcpStream::connect(address).unwrap();
    }
    recorder.flush().unwrap();
    drop(recorder);
    for (place, runs) in [
        ("kept", vec!["snapshots/first", "snapshots/second"]),
        ("kept/snapshots", vec!["first", "second"]),
        ("kept/snapshots/second", vec!["second"]),
    ] {
        let said = succeeds(root, &["watch", place, "--once", "--json"]);
        let said: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of =
            |kind: &str| -> Vec<&Value> { said.iter().filter(|v| v["type"] == kind).collect() };
        let begun: Vec<&Value> = of("run").iter().map(|v| &v["run"]).collect();
        assert_eq!(begun, runs, "{place}");
        // The structure that was kept beside them.
        assert!(of("run").iter().all(|v| v["structure"] == true), "{place}");
        let tensors = of("tensors");
        let steps: Vec<(&Value, &Value)> =
            tensors.iter().map(|v| (&v["run"], &v["step"])).collect();
        let expected: Vec<(Value, Value)> = runs
            .iter()
            .flat_map(|run| [3, 10].map(|step| (json!(run), json!(step))))
            .collect();
        let expected: Vec<(&Value, &Value)> = expected.iter().map(|(r, s)| (r, s)).collect();
        assert_eq!(steps, expected, "{place}");
        for told in tensors {
            let values = json!({"weights": 43, "gradients": 20, "activations": 5});
            assert_eq!(told["values"], values, "{place}");
        }
        assert!(!of("network").is_empty(), "{place}");
    }
}
