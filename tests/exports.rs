//! A surface's files, read back: every number that goes in comes out, text stays
//! text, and a page draws in a real browser without a network.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod browser;

use browser::{browser, open_page};
use gltf_json::Root;
use gltf_json::mesh::Semantic;
use gltf_json::validation::{Checked, Validate};
use gradscape::figure::{ContourFigure, Heights, Tone};
use gradscape::interop::{SurfaceFile, SurfaceFormat, write_surface_file};
use gradscape::landscape::{Measure, Over, PathOnPlane, Plane, PlanePoint, Quantity, Surface};
use ndarray::{Array1, Array2};
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Text that would do harm if it were taken for markup.
const NASTY: &str =
    "a<b & \"c\" </script><img src=http://example.org/x onerror=alert(1)> 'd' @DATA@";

struct Case {
    surface: Surface,
    path: PathOnPlane,
    plane: Plane,
}

/// A bowl of 9 by 7 points that spans more than a factor of 30, without a value
/// at one and infinite at another, and a path that leaves it once.
fn case() -> Case {
    let x: Vec<f64> = (0..9).map(|i| f64::from(i) / 4.0 - 1.0).collect();
    let y: Vec<f64> = (0..7).map(|j| f64::from(j) / 3.0 - 1.1).collect();
    let height = |x: f64, y: f64| 0.05 + 3.0 * x * x + y * y + 0.1 * x * y;
    let mut loss = Array2::from_shape_fn((7, 9), |(j, i)| height(x[i], y[j]));
    loss[[0, 8]] = f64::NAN;
    loss[[6, 0]] = f64::INFINITY;
    let xs = [0.8, 0.6, 0.4, 7.0, 0.3, 0.2, 0.0];
    let points = xs.iter().enumerate().map(|(k, &x)| PlanePoint {
        step: 10 * k as u64,
        x,
        y: 0.1 * x,
        recorded_loss: height(x, 0.1 * x) + 0.25,
        true_loss: height(x, 0.1 * x) + 0.25,
        slice_loss: height(x, 0.1 * x),
        residual_squared: 0.04,
        distance_squared: 1.0,
    });
    Case {
        path: PathOnPlane {
            points: points.collect(),
        },
        surface: Surface { x, y, loss },
        plane: Plane::new(
            vec![1.0, 2.0, 3.0],
            vec![1.0, 0.0, 0.5],
            vec![0.0, 1.0, 0.0],
        )
        .unwrap(),
    }
}

impl Case {
    fn file(&self) -> SurfaceFile<'_> {
        SurfaceFile {
            figure: ContourFigure {
                surface: &self.surface,
                path: Some(&self.path),
                title: NASTY.to_owned(),
                subtitle: NASTY.to_owned(),
                x_label: NASTY.to_owned(),
                y_label: "y".to_owned(),
                height: "loss".to_owned(),
                heights: Heights::Auto,
                tone: Tone::Dark,
            },
            plane: Some(&self.plane),
            measure: Measure::default(),
        }
    }

    /// The file of that ending, as it is written.
    fn bytes(&self, ending: &str) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(format!("s{ending}"));
        write_surface_file(&path, &self.file()).unwrap();
        fs::read(path).unwrap()
    }

    /// The points of cells whose corners are all finite, in their order.
    fn whole(&self) -> Vec<[f64; 3]> {
        let loss = &self.surface.loss;
        let finite = |j: usize, i: usize| loss[[j, i]].is_finite();
        let cell = |j: usize, i: usize| {
            finite(j, i) && finite(j, i + 1) && finite(j + 1, i) && finite(j + 1, i + 1)
        };
        let mut points = Vec::new();
        for j in 0..7 {
            for i in 0..9 {
                let beside = |n: usize, k: usize| k.saturating_sub(1)..=k.min(n - 2);
                if beside(7, j).any(|b| beside(9, i).any(|a| cell(b, a))) {
                    points.push([self.surface.x[i], self.surface.y[j], loss[[j, i]]]);
                }
            }
        }
        points
    }
}

/// Whether JSON holds a number, as closely as this reader of JSON gets.
fn holds(value: &serde_json::Value, number: f64) -> bool {
    let value = value.as_f64().unwrap();
    (value - number).abs() <= 2.0 * f64::EPSILON * number.abs()
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[test]
fn tables_hold_the_surface_and_the_path_to_the_last_bit() {
    let case = case();
    let bytes = case.bytes(".csv");
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    assert_eq!(reader.headers().unwrap(), vec!["x", "y", "loss"]);
    let rows: Vec<(f64, f64, f64)> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 63);
    for (k, (x, y, loss)) in rows.into_iter().enumerate() {
        let (j, i) = (k / 9, k % 9);
        assert_eq!((x, y), (case.surface.x[i], case.surface.y[j]));
        assert!(same(loss, case.surface.loss[[j, i]]), "{loss}");
    }
    let bytes = case.bytes(".path.csv");
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let names = "step,x,y,true_loss,slice_loss,gap,distance_from_plane";
    assert_eq!(
        reader.headers().unwrap(),
        names.split(',').collect::<Vec<_>>()
    );
    type Row = (u64, f64, f64, f64, f64, f64, f64);
    let rows: Vec<Row> = reader.deserialize().map(Result::unwrap).collect();
    let expected: Vec<Row> = case
        .path
        .points
        .iter()
        .map(|p| (p.step, p.x, p.y, p.true_loss, p.slice_loss, p.gap(), 0.2))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn an_archive_holds_surface_plane_and_path() {
    let case = case();
    let cursor = std::io::Cursor::new(case.bytes(".npz"));
    let mut npz = ndarray_npy::NpzReader::new(cursor).unwrap();
    let loss: Array2<f64> = npz.by_name("loss").unwrap();
    assert!(
        loss.iter()
            .zip(&case.surface.loss)
            .all(|(a, b)| same(*a, *b))
    );
    let direction: Array1<f32> = npz.by_name("direction_x").unwrap();
    assert_eq!(direction.to_vec(), [1.0, 0.0, 0.5]);
    let steps: Array1<u64> = npz.by_name("path_step").unwrap();
    assert_eq!(steps.to_vec(), [0, 10, 20, 30, 40, 50, 60]);
    let true_loss: Array1<f64> = npz.by_name("path_true_loss").unwrap();
    assert_eq!(true_loss[3], case.path.points[3].true_loss);
    // Without a path and a plane there are their arrays neither.
    let mut file = case.file();
    (file.figure.path, file.plane) = (None, None);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.npz");
    write_surface_file(&path, &file).unwrap();
    let mut npz = ndarray_npy::NpzReader::new(fs::File::open(path).unwrap()).unwrap();
    let mut names = npz.names().unwrap();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn hdf5_has_the_names_shapes_and_marks_of_loss_landscape() {
    let case = case();
    let hdf5 = hdf5_pure::File::from_bytes(case.bytes(".h5")).unwrap();
    let values = |name: &str| hdf5.dataset(name).unwrap().read_f64().unwrap();
    assert_eq!(values("xcoordinates"), case.surface.x);
    assert_eq!(values("ycoordinates"), case.surface.y);
    assert_eq!(hdf5.dataset("train_loss").unwrap().shape().unwrap(), [7, 9]);
    for (&value, &loss) in values("train_loss").iter().zip(&case.surface.loss) {
        assert_eq!(value, if loss.is_nan() { -1.0 } else { loss });
    }
    let xs: Vec<f64> = case.path.points.iter().map(|p| p.x).collect();
    assert_eq!(values("proj_xcoord"), xs);
    // Accuracies are in percent there.
    let mut file = case.file();
    file.measure.quantity = Quantity::Accuracy;
    file.measure.over = Over::Validation;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.h5");
    write_surface_file(&path, &file).unwrap();
    let hdf5 = hdf5_pure::File::open(&path).unwrap();
    let values = hdf5.dataset("test_acc").unwrap().read_f64().unwrap();
    assert_eq!(values[10], 100.0 * case.surface.loss[[1, 1]]);
    assert_eq!(values[8], -1.0);
    assert!(hdf5.dataset("train_loss").is_err());
}

/// The JSON and the binary part of a `.glb`, whose header must fit.
fn parts(bytes: &[u8]) -> (Root, Vec<u8>) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(
        (&bytes[..4], word(4), word(8)),
        (&b"glTF"[..], 2, bytes.len())
    );
    let json = word(12);
    assert_eq!((&bytes[16..20], json % 4), (&b"JSON"[..], 0));
    let at = 20 + json;
    assert_eq!(
        (&bytes[at + 4..at + 8], word(at)),
        (&b"BIN\0"[..], bytes.len() - at - 8)
    );
    let root = Root::from_slice(&bytes[20..at]).unwrap();
    (root, bytes[at + 8..].to_vec())
}

fn words(root: &Root, bytes: &[u8], accessor: usize) -> Vec<[u8; 4]> {
    let view = root.accessors[accessor].buffer_view.unwrap().value();
    let view = &root.buffer_views[view];
    let from = view.byte_offset.unwrap().0 as usize;
    let part = &bytes[from..from + view.byte_length.0 as usize];
    part.chunks(4).map(|c| c.try_into().unwrap()).collect()
}

fn floats_of(value: &Option<serde_json::Value>) -> [f32; 3] {
    serde_json::from_value(value.clone().unwrap()).unwrap()
}

/// An attribute of a mesh's first part, three floats a point.
fn attribute(root: &Root, bytes: &[u8], mesh: usize, semantic: Semantic) -> Vec<[f32; 3]> {
    let attributes = &root.meshes[mesh].primitives[0].attributes;
    let accessor = attributes[&Checked::Valid(semantic)].value();
    let floats = words(root, bytes, accessor);
    let floats: Vec<f32> = floats.into_iter().map(f32::from_le_bytes).collect();
    let points: Vec<[f32; 3]> = floats.chunks(3).map(|c| c.try_into().unwrap()).collect();
    assert_eq!(root.accessors[accessor].count.0, points.len() as u64);
    let bounds = |of: fn(f32, f32) -> f32| {
        let fold = |a: [f32; 3], b: [f32; 3]| std::array::from_fn(|k| of(a[k], b[k]));
        points.iter().copied().reduce(fold).unwrap()
    };
    assert_eq!(floats_of(&root.accessors[accessor].min), bounds(f32::min));
    assert_eq!(floats_of(&root.accessors[accessor].max), bounds(f32::max));
    points
}

#[test]
fn a_model_holds_the_surfaces_points_and_the_path_at_its_true_heights() {
    let case = case();
    let (root, bytes) = parts(&case.bytes(".glb"));
    let mut wrong = Vec::new();
    root.validate(&root, gltf_json::Path::new, &mut |path, error| {
        wrong.push(format!("{} {error}", path()));
    });
    assert!(wrong.is_empty(), "{wrong:?}");
    // On a log scale: the bowl spans more than a factor of 30.
    let place = |x: f64, y: f64, loss: f64| [x as f32, loss.log10() as f32, -y as f32];
    let expected: Vec<[f32; 3]> = case
        .whole()
        .iter()
        .map(|p| place(p[0], p[1], p[2]))
        .collect();
    let positions = attribute(&root, &bytes, 0, Semantic::Positions);
    assert_eq!(positions, expected);
    let normals = attribute(&root, &bytes, 0, Semantic::Normals);
    assert!(
        normals
            .iter()
            .all(|n| { (n.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5 && n[1] > 0.0 })
    );
    let colors = attribute(&root, &bytes, 0, Semantic::Colors(0));
    assert!(colors.iter().flatten().all(|c| (0.0..=1.0).contains(c)));
    // Every triangle looks up, and all together cover the whole cells.
    let indices = root.meshes[0].primitives[0].indices.unwrap().value();
    let indices: Vec<usize> = words(&root, &bytes, indices)
        .into_iter()
        .map(|word| u32::from_le_bytes(word) as usize)
        .collect();
    let mut area = 0.0;
    for triangle in indices.chunks(3) {
        let [a, b, c] = [triangle[0], triangle[1], triangle[2]].map(|k| positions[k]);
        let twice = (b[0] - a[0]) * -(c[2] - a[2]) + (b[2] - a[2]) * (c[0] - a[0]);
        assert!(twice > 0.0);
        area += twice / 2.0;
    }
    // 48 cells less one at each of two corners.
    assert!((area - 46.0 / 12.0).abs() < 1e-5, "{area}");
    // The path is cut where it leaves the surface.
    let path = attribute(&root, &bytes, 1, Semantic::Positions);
    let point = |k: usize| {
        let p = case.path.points[k];
        place(p.x, p.y, p.true_loss)
    };
    assert_eq!(path, [point(0), point(1), point(2)]);
    assert_eq!(root.meshes[1].primitives.len(), 2);
    // The node's place and size put the surface into its box.
    let node = root.nodes.last().unwrap();
    let (scale, shift) = (node.scale.unwrap(), node.translation.unwrap());
    for axis in 0..3 {
        let placed = positions
            .iter()
            .map(|p| scale[axis] * p[axis] + shift[axis]);
        let (lo, hi) = placed.fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let expected = if axis == 1 { (0.0, 1.0) } else { (-1.0, 1.0) };
        assert!(
            (lo - expected.0).abs() < 1e-5 && (hi - expected.1).abs() < 1e-5,
            "{axis} {lo} {hi}"
        );
    }
}

/// A legacy VTK file, field by field.
struct VtkReader {
    bytes: Vec<u8>,
    at: usize,
}

impl VtkReader {
    fn line(&mut self) -> String {
        let end = self.at
            + self.bytes[self.at..]
                .iter()
                .position(|b| *b == b'\n')
                .unwrap();
        let line = String::from_utf8(self.bytes[self.at..end].to_vec()).unwrap();
        self.at = end + 1;
        line
    }

    fn take<const N: usize, T>(&mut self, n: usize, read: fn([u8; N]) -> T) -> Vec<T> {
        let part = &self.bytes[self.at..self.at + N * n];
        let values = part
            .chunks(N)
            .map(|c| read(c.try_into().unwrap()))
            .collect();
        self.at += N * n;
        assert_eq!(self.bytes[self.at], b'\n');
        self.at += 1;
        values
    }
}

#[test]
fn polygons_for_paraview_hold_the_surface_and_the_whole_path() {
    let case = case();
    let mut vtk = VtkReader {
        bytes: case.bytes(".vtk"),
        at: 0,
    };
    assert_eq!(vtk.line(), "# vtk DataFile Version 3.0");
    assert!(vtk.line().len() < 256);
    assert_eq!(
        (vtk.line(), vtk.line()),
        ("BINARY".into(), "DATASET POLYDATA".into())
    );
    let whole = case.whole();
    let (n, k) = (whole.len(), case.path.points.len());
    assert_eq!(vtk.line(), format!("POINTS {} double", n + k));
    let points = vtk.take(3 * (n + k), f64::from_be_bytes);
    assert_eq!(points[..3 * n], whole.concat());
    assert_eq!(points[3 * n + 2], case.path.points[0].true_loss);
    assert_eq!(vtk.line(), format!("LINES 1 {}", k + 1));
    let line = vtk.take(k + 1, i32::from_be_bytes);
    assert_eq!(
        (line[0], line[1], line[k]),
        (k as i32, n as i32, (n + k - 1) as i32)
    );
    assert_eq!(vtk.line(), "POLYGONS 46 230");
    let faces = vtk.take(230, i32::from_be_bytes);
    assert!(
        faces
            .chunks(5)
            .all(|f| f[0] == 4 && f[1..].iter().all(|v| (0..n as i32).contains(v)))
    );
    assert_eq!(vtk.line(), format!("POINT_DATA {}", n + k));
    let mut columns = Vec::new();
    for name in ["loss", "log10_loss", "gap", "step"] {
        assert_eq!(vtk.line(), format!("SCALARS {name} double 1"));
        assert_eq!(vtk.line(), "LOOKUP_TABLE default");
        columns.push(vtk.take(n + k, f64::from_be_bytes));
    }
    assert_eq!(columns[0][5], whole[5][2]);
    assert_eq!(columns[2][n + 2], case.path.points[2].gap());
    assert_eq!((columns[3][0], columns[3][n + 2]), (-1.0, 20.0));
    assert_eq!(vtk.line(), "SCALARS part int 1");
    vtk.line();
    let part = vtk.take(n + k, i32::from_be_bytes);
    assert_eq!(part.iter().sum::<i32>(), k as i32);
    assert_eq!(vtk.at, vtk.bytes.len());
}

#[test]
fn a_page_holds_the_numbers_and_takes_no_text_for_markup() {
    let case = case();
    let page = String::from_utf8(case.bytes(".html")).unwrap();
    let (_, after) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["x_label"], NASTY);
    for ((j, i), &loss) in case.surface.loss.indexed_iter() {
        let value = &data["z"][j][i];
        if loss.is_finite() {
            assert!(holds(value, loss), "{value} {loss}");
        } else {
            assert!(value.is_null(), "{value}");
        }
    }
    assert_eq!(data["path"]["step"][6], 60);
    assert!(holds(&data["path"]["gap"][0], case.path.points[0].gap()));
    assert_eq!(data["log"], true);
    // Outside Plotly there is one page's worth of elements and nothing to load.
    let (head, rest) = page.split_once("<script>").unwrap();
    let (_, own) = rest.split_once("</script>").unwrap();
    for part in [head, own] {
        assert!(!part.contains("<img") && !part.contains("src=\"") && !part.contains("href="));
    }
    assert_eq!(own.matches("</script").count(), 2);
    assert!(own.contains("a&lt;b &amp; &quot;c&quot;") && own.contains("no value (1 point)"));
    assert!(head.contains("default-src 'none'"));
}

#[test]
fn a_picture_names_what_it_leaves_out_and_may_have_no_heading() {
    let case = case();
    let svg = String::from_utf8(case.bytes(".svg")).unwrap();
    for text in [
        "no value (1 point)",
        "diverged, infinite (1 point)",
        "loss (log scale)",
        ">start<",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    // A picture's bytes may spell anything.
    let drawn = svg.lines().filter(|line| !line.starts_with("<image"));
    for line in drawn {
        assert!(!line.contains("<img") && !line.contains("NaN") && !line.contains("inf\""));
    }
    assert_eq!(svg.matches("<pattern").count(), 4);
    let mut figure = case.file().figure;
    let height = figure.total_height();
    (figure.title, figure.subtitle) = (String::new(), String::new());
    assert!(figure.total_height() < height - 50.0);
    figure.draw().unwrap();
}

#[test]
fn a_file_that_cannot_be_made_leaves_the_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = case();
    case.surface.loss.fill(f64::NAN);
    case.path.points.clear();
    for format in SurfaceFormat::ALL {
        let path = dir.path().join(format!("s{}", format.ending()));
        fs::write(&path, "earlier").unwrap();
        let written = write_surface_file(&path, &case.file());
        let kept = matches!(
            format,
            SurfaceFormat::Csv | SurfaceFormat::Npz | SurfaceFormat::Hdf5
        );
        assert_eq!(written.is_ok(), kept, "{format:?}");
        assert_eq!(fs::read(&path).unwrap() != b"earlier", kept, "{format:?}");
    }
    assert!(write_surface_file(&dir.path().join("s.doc"), &case.file()).is_err());
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        SurfaceFormat::ALL.len()
    );
}

#[test]
fn the_command_writes_them_all_and_refuses_before_it_computes() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gradscape"))
            .args(args)
            .current_dir(dir.path())
            .env("GRADSCAPE_RUNS_DIR", dir.path().join(".runs"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), error)
    };
    // Without a run there is no path, and nothing else is written either.
    let plain = ["surface", "iris", "--grid", "5", "--out", "s.csv"];
    let (status, error) = run(&[&plain[..], &["--out", "s.path.csv"]].concat());
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains("s.path.csv: there is no path"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let (status, error) = run(&["train", "iris", "--epochs", "3", "--out", "run"]);
    assert_eq!(status, Some(0), "{error}");
    let names = SurfaceFormat::ALL.map(|format| format!("s{}", format.ending()));
    let mut args = vec![
        "surface",
        "run",
        "--directions",
        "path",
        "--grid",
        "9",
        "--title",
        "A<B",
    ];
    for name in &names {
        args.extend(["--out", name]);
    }
    let (status, error) = run(&args);
    assert_eq!(status, Some(0), "{error}");
    let svg = fs::read_to_string(dir.path().join("s.svg")).unwrap();
    assert!(svg.contains(">A&lt;B<"));
    for name in &names {
        assert!(
            dir.path().join(name).metadata().unwrap().len() > 100,
            "{name}"
        );
    }
}

/// Opens a page without a network and returns what the browser prints.
fn open(browser: &Path, page: &Path, dir: &Path, args: &[&str]) -> String {
    open_page(
        browser,
        page,
        dir,
        &[
            &["--window-size=1000,800", "--virtual-time-budget=20000"],
            args,
        ]
        .concat(),
    )
}

#[test]
fn a_page_draws_in_a_browser_and_asks_for_nothing() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let case = case();
    let page = dir.join("s.html");
    write_surface_file(&page, &case.file()).unwrap();
    // A copy that says what it loaded and what its policy kept it from.
    let watched = fs::read_to_string(&page).unwrap().replacen(
        "<meta name=\"viewport\"",
        "<script>addEventListener('securitypolicyviolation', e => \
         document.documentElement.dataset.kept = e.blockedURI);\
         addEventListener('error', e => document.documentElement.dataset.error = e.message);\
         setInterval(() => document.documentElement.dataset.loads = \
         performance.getEntriesByType('resource').length, 100);</script><meta name=\"viewport\"",
        1,
    );
    let copy = dir.join("watched.html");
    fs::write(&copy, watched).unwrap();
    let document = open(&browser, &copy, dir, &["--dump-dom"]);
    let (_, root) = document.split_once("<html").unwrap();
    let (root, _) = root.split_once('>').unwrap();
    assert!(root.contains("data-drawn=\"yes\""), "{root}");
    assert!(root.contains("data-loads=\"0\""), "{root}");
    assert!(
        !root.contains("data-kept") && !root.contains("data-error"),
        "{root}"
    );

    let picture = dir.join("s.png");
    let shot = format!("--screenshot={}", picture.display());
    open(&browser, &page, dir, &[&shot]);
    let file = std::io::BufReader::new(fs::File::open(picture).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let bytes = info.color_type.samples();
    // Right of the legend and left of the colour bar.
    let width = info.width as usize;
    let inside: Vec<[u8; 3]> = pixels
        .chunks(bytes)
        .enumerate()
        .filter(|(k, _)| (250..750).contains(&(k % width)))
        .map(|(_, p)| [p[0], p[1], p[2]])
        .collect();
    let colours: HashSet<&[u8; 3]> = inside.iter().collect();
    assert!(colours.len() > 300, "{}", colours.len());
    let count = |is: fn(&&[u8; 3]) -> bool| inside.iter().filter(is).count();
    let green = count(|[r, g, b]| *g > 90 && g > r && *g > b.saturating_add(20));
    let red = count(|[r, g, b]| *r > 180 && *g < 120 && *b < 150);
    assert!(green > 1000 && red > 50, "{green} {red}");
}
