use super::*;
use crate::experiment::Experiment;
use crate::train::{Session, TrainCommand};

const BUDGET: Budget = Budget::Seconds(0.1);

struct Case {
    session: Session,
    training: Training,
    view: SurfaceView,
    planner: Planner,
}

impl Case {
    fn new() -> Self {
        let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                    layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        Case {
            session: Session::new(Arc::clone(&problem)),
            training: Training::at_start(problem),
            view: SurfaceView {
                grid: 33,
                ..Default::default()
            },
            planner: Planner::default(),
        }
    }

    fn command(&mut self, command: TrainCommand) {
        self.session.command(command);
        self.training.snapshot = self.session.snapshot();
    }

    fn due(&mut self, busy: bool) -> Option<Request> {
        self.planner
            .due(&self.training, &self.view, busy, BUDGET)
            .unwrap()
    }
}

fn plane(request: &Request) -> &Arc<crate::landscape::Plane> {
    match &request.aim {
        Aim::Have(found) => &found.plane,
        Aim::Find(_) => panic!("it has to be found"),
    }
}

#[test]
fn nothing_is_due_while_nothing_changes() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    assert_eq!(first.side, 33);
    assert!(case.due(true).is_none());
    assert!(case.due(false).is_none());
}

#[test]
fn a_surface_that_follows_moves_its_centre_and_keeps_its_directions() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    case.command(TrainCommand::Step);
    assert!(case.due(true).is_none(), "the first one may finish");
    let second = case.due(false).unwrap();
    assert_eq!(plane(&second).center(), &case.training.snapshot.params[..]);
    assert_eq!(plane(&second).direction_x(), plane(&first).direction_x());
    assert_ne!(plane(&second).center(), plane(&first).center());
}

#[test]
fn a_surface_that_stays_keeps_its_plane_while_the_path_grows() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    case.view.follow = false;
    case.command(TrainCommand::Step);
    let second = case.due(false).unwrap();
    assert!(Arc::ptr_eq(plane(&first), plane(&second)));
    assert_eq!(second.newest.0, 1);
    case.view.follow = true;
    let third = case.due(false).unwrap();
    assert_eq!(plane(&third).center(), &case.training.snapshot.params[..]);
}

#[test]
fn other_directions_range_or_a_reset_are_due_at_once() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    case.view.directions = Directions::Weights(0, 3);
    let second = case.due(true).unwrap();
    assert_ne!(plane(&second).direction_x(), plane(&first).direction_x());
    case.view.range = 3.0;
    assert_eq!(case.due(true).unwrap().reach, 3.0);
    case.command(TrainCommand::Reseed(9));
    let fourth = case.due(true).unwrap();
    assert_eq!(plane(&fourth).center(), &case.training.snapshot.params[..]);
}

#[test]
fn directions_that_are_not_there_are_told_once_and_nothing_is_computed() {
    let mut case = Case::new();
    case.view.directions = Directions::Weights(0, 10_000);
    let told = case.planner.due(&case.training, &case.view, false, BUDGET);
    assert!(matches!(
        told,
        Err(DirectionsError::NoParameter { index: 10_000, .. })
    ));
    assert!(case.due(false).is_none());
    case.view.directions = Directions::Weights(0, 1);
    assert!(case.due(false).is_some());
}

#[test]
fn a_dear_surface_is_coarser_while_weights_move_and_refined_at_rest() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    assert!(case.planner.accepts(first.tag, 33, None, true, Some(1e-3)));
    case.command(TrainCommand::Start);
    case.session.advance();
    case.training.snapshot = case.session.snapshot();
    assert_eq!(case.due(false).unwrap().side, 9);
    case.command(TrainCommand::Pause);
    assert_eq!(case.due(false).unwrap().side, 33);
}

#[test]
fn the_grid_stays_while_a_point_costs_a_little_more_or_less() {
    let mut case = Case::new();
    case.view.grid = 65;
    // The first one: what is measured counts from then on.
    case.due(false).unwrap();
    case.command(TrainCommand::Start);
    let samples = case.training.problem.train.len() as f64;
    let mut side_at = |cost: f64| {
        case.planner.cost = Some(cost / samples);
        case.session.advance();
        case.training.snapshot = case.session.snapshot();
        case.due(false).unwrap().side
    };
    // What 0.1 s buys at so many points a side.
    let cost = |side: f64| 0.1 / (side * side);
    assert_eq!(side_at(cost(34.0)), 33);
    assert_eq!(side_at(cost(31.0)), 33);
    assert_eq!(side_at(cost(28.0)), 25);
    assert_eq!(side_at(cost(34.0)), 25);
    assert_eq!(side_at(cost(39.0)), 33);
    assert_eq!(side_at(cost(70.0)), 49);
    assert_eq!(side_at(cost(80.0)), 65);
    assert_eq!(side_at(cost(5.0)), 9);
}

#[test]
fn where_all_samples_take_too_long_some_are_left_out_while_it_runs() {
    let text = "[data]\nsource = \"digits\"\n[network]\nlayers = [{ dense = 3 }]\n\
                loss = \"cross-entropy\"\n";
    let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
    let problem = Arc::new(problem);
    let mut case = Case {
        session: Session::new(Arc::clone(&problem)),
        training: Training::at_start(Arc::clone(&problem)),
        ..Case::new()
    };
    let all = problem.train.len();
    assert_eq!(case.due(false).unwrap().samples, all);
    case.command(TrainCommand::Start);
    let at = |case: &mut Case, points: f64| {
        // What all samples take at one point, so that 0.1 s is enough for so many.
        case.planner.cost = Some(0.1 / points / all as f64);
        case.session.advance();
        case.training.snapshot = case.session.snapshot();
        let request = case.due(false).unwrap();
        (request.side, request.samples)
    };
    assert_eq!(at(&mut case, 400.0), (17, all));
    assert_eq!(at(&mut case, 250.0), (17, all), "a little dearer");
    assert_eq!(at(&mut case, 170.0), (17, all / 2));
    assert_eq!(at(&mut case, 50.0), (9, all / 2));
    assert_eq!(at(&mut case, 0.1), (9, all / 2), "500 are few enough");
    case.command(TrainCommand::Pause);
    assert_eq!(case.due(false).unwrap().samples, all);
}

#[test]
fn coarse_levels_are_shown_only_where_they_are_news() {
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    assert!(case.planner.accepts(first.tag, 5, None, false, None));
    assert!(case.planner.accepts(first.tag, 33, Some(5), true, None));
    case.command(TrainCommand::Step);
    let second = case.due(false).unwrap();
    assert!(
        !case.planner.accepts(first.tag, 33, Some(33), true, None),
        "out of date"
    );
    assert!(!case.planner.accepts(second.tag, 9, Some(33), false, None));
    assert!(case.planner.accepts(second.tag, 33, Some(33), true, None));
}

#[test]
fn a_thinned_path_keeps_its_points_while_it_grows() {
    let point = |step| PathPoint {
        step,
        epoch: 0,
        params: Arc::from([]),
        loss: 0.0,
    };
    let points: Vec<_> = (0..100).map(point).collect();
    let steps = |n: usize| {
        thinned(&points[..n], 20)
            .iter()
            .map(|p| p.step)
            .collect::<Vec<_>>()
    };
    assert!(steps(100).len() <= 20);
    assert!(steps(90).iter().all(|s| steps(100).contains(s)));
    assert_eq!(thinned(&points, usize::MAX).len(), 100);
}

fn find(case: &mut Case, request: &Request) {
    let Aim::Find(search) = &request.aim else {
        panic!("it is in hand")
    };
    let gauge = Gauge::training_loss(&case.training.problem);
    let found = search.find(gauge, &request.path, &AtomicBool::new(false));
    case.planner
        .found(request.tag, &found.unwrap(), Some(0.001));
}

#[test]
fn eigenvectors_are_found_elsewhere_kept_while_it_runs_and_found_anew_at_rest() {
    let mut case = Case::new();
    case.view.directions = Directions::Hessian;
    let first = case.due(false).unwrap();
    assert!(matches!(first.aim, Aim::Find(_)));
    assert!(case.due(true).is_none() && case.due(false).is_none());
    find(&mut case, &first);
    case.planner.search_cost = Some(1.0); // ten surfaces
    let mut searches = 0;
    case.command(TrainCommand::Start);
    for _ in 0..24 {
        case.session.advance();
        case.training.snapshot = case.session.snapshot();
        let request = case.due(false).unwrap();
        if let Aim::Find(_) = request.aim {
            searches += 1;
            find(&mut case, &request);
            case.planner.search_cost = Some(1.0);
        } else {
            assert_eq!(plane(&request).center(), &case.training.snapshot.params[..]);
        }
    }
    assert_eq!(searches, 2);
    case.session.advance();
    case.command(TrainCommand::Pause);
    let last = case.due(false).unwrap();
    find(&mut case, &last);
    let found = case.planner.basis.as_ref().unwrap().found.clone().unwrap();
    assert_eq!(found.weights, case.training.snapshot.params);
    assert!(case.due(false).is_none());
}

#[test]
fn a_plane_that_was_not_found_is_told_once_and_tried_again_from_other_weights() {
    let mut case = Case::new();
    case.view.directions = Directions::Gradient;
    let first = case.due(false).unwrap();
    let weights = Arc::clone(&case.training.snapshot.params);
    assert!(case.planner.failed(first.tag, &weights));
    assert!(case.due(false).is_none());
    case.command(TrainCommand::Step);
    let second = case.due(false).unwrap();
    assert!(!case.planner.failed(first.tag, &weights), "superseded");
    assert!(!case.planner.failed(second.tag, &weights), "told before");
}

#[test]
fn checkpoints_stand_where_they_are_and_the_last_goes_with_the_weights() {
    use crate::landscape::LAST_STEP;
    let mut case = Case::new();
    for _ in 0..6 {
        case.command(TrainCommand::Epoch);
        let outbox = case.session.take_outbox();
        outbox
            .points
            .into_iter()
            .for_each(|p| case.training.path.push(p));
    }
    case.view.directions = Directions::Checkpoints([0, 4, LAST_STEP]);
    let first = case.due(false).unwrap();
    let start = &case.training.path.points()[0].params;
    assert_eq!(plane(&first).center(), &start[..]);
    let end = plane(&first).point(0.0, 1.0);
    let now = &case.training.snapshot.params;
    assert!(end.iter().zip(&now[..]).all(|(a, b)| (a - b).abs() < 1e-5));
    case.command(TrainCommand::Step);
    let second = case.due(false).unwrap();
    assert_eq!(plane(&second).center(), plane(&first).center());
    assert_eq!(plane(&second).direction_x(), plane(&first).direction_x());
    assert_ne!(plane(&second).direction_y(), plane(&first).direction_y());
}

#[test]
fn another_measure_is_due_at_once_and_what_cannot_be_measured_is_not_asked_for() {
    use crate::landscape::Quantity;
    let mut case = Case::new();
    let first = case.due(false).unwrap();
    case.view.measure.over = Over::Batch;
    assert!(case.due(false).is_none(), "no step yet");
    case.command(TrainCommand::Step);
    let second = case.due(true).unwrap();
    assert_eq!(second.measure.over, Over::Batch);
    assert_eq!(second.batch, case.training.snapshot.batch);
    case.view.measure = Measure {
        quantity: Quantity::Accuracy,
        over: Over::Train,
        penalties: false,
    };
    let third = case.due(true).unwrap();
    assert_eq!(third.measure.quantity, Quantity::Accuracy);
    assert_eq!(plane(&third).direction_x(), plane(&first).direction_x());
}

#[test]
fn a_scope_moves_its_layer_alone() {
    let mut case = Case::new();
    case.view.directions = Directions::Random { seed: 0 };
    case.view.scope = Scope::Layers(vec![0]);
    let request = case.due(false).unwrap();
    let layout = case.training.problem.network.layout();
    let moves = case.view.scope.mask(layout).unwrap();
    let direction = plane(&request).direction_x();
    let outside = direction.iter().zip(&moves).filter(|(_, m)| !**m);
    assert!(outside.clone().count() > 0 && outside.clone().all(|(d, _)| *d == 0.0));
    case.view.scope = Scope::Layers(vec![7]);
    let told = case.planner.due(&case.training, &case.view, false, BUDGET);
    assert!(matches!(told, Err(DirectionsError::Scope(_))));
}
