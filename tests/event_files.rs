//! TensorBoard's event files: those of other writers are read to the values that TensorBoard
//! reads (`tests/events/record.py` recorded both), also while they grow, and damaged ones
//! say where.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::interop::{Event, EventReader, EventValue, EventWriter, Growth, events_of_bytes};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events")
}

/// Every recorded file with what TensorBoard finds in it.
fn recorded() -> Vec<(PathBuf, Vec<Value>)> {
    let text = fs::read_to_string(folder().join("values.json")).unwrap();
    let values: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let files = values.into_iter().map(|(name, rows)| {
        let rows = rows.as_array().unwrap().clone();
        (folder().join("files").join(name), rows)
    });
    files.collect()
}

/// An event as the recording has it. TensorBoard rounds a `HistogramProto` to single
/// precision, and leaves the tensors of TensorFlow 2 as they are.
fn row(event: &Event, rounded: bool) -> Value {
    let (plugin, value) = match &event.value {
        EventValue::Scalar(x) if x.is_finite() => ("scalars", Value::from(*x)),
        EventValue::Scalar(x) => ("scalars", Value::from(x.to_string().to_lowercase())),
        EventValue::Histogram(histogram) => {
            let round = |x: f64| if rounded { f64::from(x as f32) } else { x };
            let bins: Vec<_> = histogram.bins.iter().map(|bin| bin.map(round)).collect();
            ("histograms", serde_json::to_value(bins).unwrap())
        }
        EventValue::Text(text) => ("text", Value::from(text.as_str())),
    };
    serde_json::json!([event.tag, event.step, event.wall_time, plugin, value])
}

fn rows(events: &[Event], file: &Path) -> Vec<Value> {
    let writer = file.extension().unwrap();
    let rounded = writer == "pytorch" || writer == "tensorboardx";
    events.iter().map(|event| row(event, rounded)).collect()
}

#[test]
fn files_of_four_writers_are_read_to_the_values_that_tensorboard_reads() {
    let mut kinds = std::collections::BTreeSet::new();
    for (file, expected) in recorded() {
        let (events, faults) = events_of_bytes(&fs::read(&file).unwrap());
        assert_eq!(faults, [], "{}", file.display());
        for (found, expected) in rows(&events, &file).iter().zip(&expected) {
            let name = (&found[0], &found[1]);
            assert!(found == expected, "{}: {name:?}", file.display());
        }
        assert_eq!(events.len(), expected.len(), "{}", file.display());
        let writer = file.extension().unwrap().to_str().unwrap().to_owned();
        kinds.extend(events.iter().map(|event| match event.value {
            EventValue::Scalar(_) => (writer.clone(), "scalar"),
            EventValue::Histogram(_) => (writer.clone(), "histogram"),
            EventValue::Text(_) => (writer.clone(), "text"),
        }));
    }
    // Keras writes no texts of its own.
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[test]
fn a_file_that_grows_by_a_few_bytes_gives_the_same_events_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    for (number, (file, expected)) in recorded().into_iter().enumerate() {
        let bytes = fs::read(&file).unwrap();
        let copy = dir.path().join(format!("{number}.tfevents"));
        let mut reader = EventReader::new(&copy);
        assert!(reader.poll().is_err(), "a file that is not there");
        let mut growing = fs::File::create(&copy).unwrap();
        let mut found = Vec::new();
        // Odd parts, so that every field of the frame is cut through somewhere.
        for (k, part) in bytes.chunks(97 + number).enumerate() {
            growing.write_all(part).unwrap();
            if k % 3 != 1 {
                let growth = reader.poll().unwrap();
                assert_eq!(growth.faults, []);
                found.extend(growth.events);
            }
        }
        found.extend(reader.poll().unwrap().events);
        assert!(rows(&found, &file) == expected, "{}", file.display());
        assert_eq!(reader.offset(), bytes.len() as u64);
        assert_eq!(reader.poll().unwrap(), Growth::default());
    }
}

#[test]
fn a_file_that_begins_anew_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.tfevents");
    let write = |value: f64, many: usize| {
        let _ = fs::remove_file(&file);
        let mut writer = EventWriter::create(dir.path(), 5.0).unwrap();
        for step in 0..many {
            writer.scalar("loss", step as i64, 6.0, value).unwrap();
        }
        let path = writer.path().to_owned();
        drop(writer);
        fs::rename(path, &file).unwrap();
    };
    let mut reader = EventReader::new(&file);
    write(1.0, 9);
    assert_eq!(reader.poll().unwrap().events.len(), 9);
    write(2.0, 4);
    let growth = reader.poll().unwrap();
    assert!(growth.restarted);
    let values = growth.events.iter().map(|event| event.value.clone());
    assert_eq!(values.collect::<Vec<_>>(), vec![EventValue::Scalar(2.0); 4]);
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), 1.7e9).unwrap();
    writer.scalar("loss/train", 3, 1.7e9, 0.1).unwrap();
    let edges = [-2.0, -1.0, 0.0, 0.5, 4.0, 5.0];
    let counts = [0.0, 3.0, 0.0, 2.5, 0.0];
    writer.histogram("w", -1, 8.0, &edges, &counts).unwrap();
    writer
        .histogram("none", 0, 8.0, &[0.0, 1.0], &[0.0])
        .unwrap();
    writer.text("note", 0, 8.0, "α\n**b**").unwrap();
    for (edges, counts) in [
        (&[0.0][..], &[1.0][..]),
        (&[1.0, 0.0], &[1.0]),
        (&[0.0, 1.0], &[-1.0]),
    ] {
        assert!(writer.histogram("w", 0, 8.0, edges, counts).is_err());
    }
    let (path, other) = (
        writer.path().to_owned(),
        EventWriter::create(dir.path(), 1.7e9).unwrap(),
    );
    assert_ne!(path, other.path(), "a second file of the same second");
    drop(writer);
    let (events, faults) = events_of_bytes(&fs::read(path).unwrap());
    assert_eq!(faults, []);
    let found: Vec<_> = events
        .iter()
        .map(|e| (e.tag.as_str(), e.step, e.wall_time))
        .collect();
    assert_eq!(
        found,
        [
            ("loss/train", 3, 1.7e9),
            ("w", -1, 8.0),
            ("none", 0, 8.0),
            ("note", 0, 8.0)
        ]
    );
    assert_eq!(events[0].value, EventValue::Scalar(f64::from(0.1_f32)));
    let EventValue::Histogram(histogram) = &events[1].value else {
        panic!()
    };
    assert_eq!(
        histogram.bins,
        [[-1.0, 0.0, 3.0], [0.0, 0.5, 0.0], [0.5, 4.0, 2.5]]
    );
    assert_eq!(
        (histogram.total(), histogram.range()),
        (5.5, Some([-1.0, 4.0]))
    );
    assert_eq!(events[3].value, EventValue::Text("α\n**b**".to_owned()));
}

#[test]
fn damage_is_named_with_its_place_and_what_lies_behind_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), 1.0).unwrap();
    writer.flush().unwrap();
    let mut starts = Vec::new();
    for step in 0..5 {
        starts.push(fs::metadata(writer.path()).unwrap().len() as usize);
        writer.scalar("loss", step, 2.0, 1.0).unwrap();
        writer.flush().unwrap();
    }
    let bytes = fs::read(writer.path()).unwrap();
    let steps = |bytes: &[u8]| {
        let (events, faults) = events_of_bytes(bytes);
        let steps: Vec<i64> = events.iter().map(|e| e.step).collect();
        (steps, faults)
    };
    // In the data of the third record: that one is left out.
    let mut damaged = bytes.clone();
    damaged[starts[2] + 20] ^= 0x40;
    let (found, faults) = steps(&damaged);
    assert_eq!(found, [0, 1, 3, 4]);
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].offset, starts[2] as u64);
    // In its length: nobody knows where the next one begins.
    let mut damaged = bytes.clone();
    damaged[starts[2]] ^= 1;
    let (found, faults) = steps(&damaged);
    assert_eq!((found, faults[0].offset), (vec![0, 1], starts[2] as u64));
    assert!(
        faults[0].to_string().contains("not read further"),
        "{}",
        faults[0]
    );
    // Cut off anywhere: what is whole is read, and no more is said than that.
    for n in 0..bytes.len() {
        let (found, faults) = steps(&bytes[..n]);
        let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
        let whole = ends.filter(|&end| end <= n).count();
        assert_eq!(found.len(), whole, "{n}");
        let boundary = n == 0 || n == bytes.len() || starts.contains(&n);
        assert_eq!(faults.len(), usize::from(!boundary), "{n}: {faults:?}");
    }
}
