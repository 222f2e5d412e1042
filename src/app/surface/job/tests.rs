use super::*;
use crate::app::surface::aim::Search;
use crate::experiment::Experiment;
use crate::landscape::{Directions, Quantity, Scope};
use crate::train::{Session, Snapshot};
use std::time::Duration;

fn problem(samples: usize) -> Arc<Problem> {
    let text = format!(
        "seed = 3\n[data]\nsource = \"spiral\"\nsamples = {samples}\n[network]\n\
         layers = [{{ dense = 6 }}]\nloss = \"cross-entropy\"\n"
    );
    Arc::new(Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap())
}

fn search(directions: Directions, snapshot: &Snapshot) -> Search {
    Search {
        directions,
        scope: Scope::Whole,
        weights: Arc::clone(&snapshot.params),
        step: snapshot.step,
        before: None,
    }
}

fn request(problem: &Arc<Problem>, n: usize, tag: u64) -> Request {
    let mut session = Session::new(Arc::clone(problem));
    session.command(crate::train::TrainCommand::Epoch);
    let snapshot = session.snapshot();
    let search = search(Directions::Random { seed: 1 }, &snapshot);
    let gauge = Gauge::training_loss(problem);
    let found = search.find(gauge, &[], &AtomicBool::new(false)).unwrap();
    Request {
        tag,
        problem: Arc::clone(problem),
        aim: Aim::Have(found),
        measure: Measure::default(),
        batch: Arc::clone(&snapshot.batch),
        samples: usize::MAX,
        reach: 1.0,
        side: n,
        path: session.take_outbox().points,
        newest: (snapshot.step, snapshot.epoch, snapshot.params),
        jumps: Arc::default(),
    }
}

fn plane(request: &Request) -> &crate::landscape::Plane {
    match &request.aim {
        Aim::Have(found) => &found.plane,
        Aim::Find(_) => panic!("it is in hand"),
    }
}

#[test]
fn some_of_the_samples_give_the_surface_and_the_path_of_those_alone() {
    let problem = problem(150);
    let mut request = request(&problem, 9, 1);
    request.samples = 40;
    let worker = SurfaceWorker::spawn(2, || {}).unwrap();
    worker.submit(request.clone());
    let few = worker.wait(1).unwrap().unwrap();
    assert_eq!(few.samples, 40);
    let all = &problem.train;
    let rows: Vec<usize> = (0..40).map(|i| i * all.len() / 40).collect();
    let chosen = all.select(&rows);
    let gauge = Gauge::training_loss(&problem).over(&chosen);
    let mut evaluator = Evaluator::new(&problem.network);
    let plane = plane(&request);
    let corner = plane.point(few.surface.x[0], few.surface.y[8]);
    let loss = gauge.at(&corner, &mut evaluator);
    assert!((few.surface.loss[[8, 0]] - loss).abs() < 1e-5 * loss);
    for (point, of) in few.path.points.iter().zip(&request.path) {
        assert_eq!(point.true_loss, gauge.at(&of.params, &mut evaluator));
    }
    // All of them again, from the same thread.
    request.samples = usize::MAX;
    request.tag = 2;
    worker.submit(request.clone());
    let whole = worker.wait(2).unwrap().unwrap();
    assert_eq!(whole.samples, all.len());
    assert_eq!(whole.path.points[0].true_loss, request.path[0].loss);
    assert_ne!(whole.surface.loss, few.surface.loss);
}

#[test]
fn the_finished_surface_is_the_one_computed_at_once_whatever_the_threads() {
    let problem = problem(150);
    let request = request(&problem, 33, 5);
    let at_once = evaluate(
        &Slice::new(Gauge::training_loss(&problem), plane(&request)),
        Axis::new(-1.0, 1.0, 33).unwrap(),
        Axis::new(-1.0, 1.0, 33).unwrap(),
        &AtomicBool::new(false),
        |_| {},
        |_| {},
    )
    .unwrap();
    let mut paths = Vec::new();
    for threads in [1, 2] {
        let worker = SurfaceWorker::spawn(threads, || {}).unwrap();
        worker.submit(request.clone());
        let news = worker.wait(5).unwrap().unwrap();
        let bits = |s: &Surface| s.loss.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&news.surface), bits(&at_once));
        assert_eq!(news.surface.loss[[16, 16]], news.center_loss);
        let newest = news.path.points.last().unwrap();
        assert_eq!(newest.step, request.newest.0);
        assert_eq!(newest.true_loss, news.center_loss);
        paths.push(news.path);
    }
    assert_eq!(paths[0], paths[1]);
}

#[test]
fn another_request_cancels_the_one_in_the_making_and_dropping_ends_the_thread_at_once() {
    let problem = problem(1500);
    let worker = SurfaceWorker::spawn(1, || {}).unwrap();
    let begun = Instant::now();
    worker.submit(request(&problem, 2049, 1)); // minutes of work
    while worker.progress().is_none_or(|(done, _)| done == 0) {
        std::thread::sleep(Duration::from_millis(1));
    }
    worker.submit(request(&problem, 17, 2));
    let news = worker.wait(2).unwrap().unwrap();
    assert_eq!((news.tag, news.surface.loss.len()), (2, 289));
    assert!(worker.wait(1).is_none());
    worker.submit(request(&problem, 2049, 3));
    drop(worker);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_same_plane_again_costs_only_the_new_path_points() {
    let problem = problem(150);
    let worker = SurfaceWorker::spawn(1, || {}).unwrap();
    let mut request = request(&problem, 17, 1);
    worker.submit(request.clone());
    let first = worker.wait(1).unwrap().unwrap();
    request.tag = 2;
    let further: Arc<[f32]> = request.newest.2.iter().map(|p| p * 1.1).collect();
    request.newest = (request.newest.0 + 1, 1, further);
    worker.submit(request);
    let second = worker.wait(2).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first.surface, &second.surface));
    assert_eq!(second.seconds_per_point, None);
    assert_eq!(second.path.points.len(), first.path.points.len() + 1);
    assert!(second.path.points.last().unwrap().distance_squared > 0.0);
}

#[test]
fn another_measure_over_the_same_plane_is_another_surface() {
    let problem = problem(150);
    let worker = SurfaceWorker::spawn(1, || {}).unwrap();
    let mut request = request(&problem, 17, 1);
    worker.submit(request.clone());
    let loss = worker.wait(1).unwrap().unwrap();
    request.tag = 2;
    request.measure.over = Over::Batch;
    worker.submit(request.clone());
    let batch = worker.wait(2).unwrap().unwrap();
    assert_eq!(batch.samples, request.batch.len());
    assert!(batch.samples < loss.samples && batch.samples > 0);
    assert_ne!(batch.surface.loss, loss.surface.loss);
    assert_eq!(batch.surface.loss[[8, 8]], batch.center_loss);
    let newest = batch.path.points.last().unwrap();
    assert_eq!(newest.true_loss, batch.center_loss);
    assert_ne!(newest.recorded_loss, newest.true_loss);
    request.tag = 3;
    request.measure = Measure {
        quantity: Quantity::Accuracy,
        ..Measure::default()
    };
    worker.submit(request);
    let accuracy = worker.wait(3).unwrap().unwrap();
    let inside = accuracy
        .surface
        .loss
        .iter()
        .all(|a| (0.0..=1.0).contains(a));
    assert!(inside);
}

#[test]
fn a_plane_of_the_hessian_is_found_on_the_thread_and_says_its_eigenvalues() {
    let problem = problem(60);
    let worker = SurfaceWorker::spawn(1, || {}).unwrap();
    let mut request = request(&problem, 17, 1);
    let mut session = Session::new(Arc::clone(&problem));
    session.command(crate::train::TrainCommand::Epoch);
    let search = search(Directions::Hessian, &session.snapshot());
    let go = AtomicBool::new(false);
    let gauge = Gauge::training_loss(&problem);
    let at_once = search.find(gauge, &[], &go).unwrap();
    request.aim = Aim::Find(search);
    worker.submit(request);
    let news = worker.wait(1).unwrap().unwrap();
    assert_eq!(news.found.facts, at_once.facts);
    assert!(news.found.facts.eigenvalues.is_some() && news.seconds_to_find.is_some());
    assert_eq!(news.found.plane.direction_x(), at_once.plane.direction_x());
    assert!(!worker.is_finding());
}

#[test]
fn a_plane_that_cannot_be_found_is_told() {
    let problem = problem(60);
    let worker = SurfaceWorker::spawn(1, || {}).unwrap();
    let mut request = request(&problem, 17, 1);
    let mut session = Session::new(Arc::clone(&problem));
    let mut search = search(Directions::Gradient, &session.snapshot());
    search.scope = Scope::Parameters(vec![0]);
    request.aim = Aim::Find(search);
    worker.submit(request);
    let failure = worker.wait(1).unwrap().unwrap_err();
    assert_eq!(failure.tag, 1);
    assert!(matches!(failure.error, DirectionsError::SmallScope(_)));
}
