use super::*;
use crate::experiment::{Experiment, OptimizerConfig, OptimizerName};
use crate::landscape::{Analytic, Builtin};
use crate::train::Problem;

fn entry(name: OptimizerName, rate: f64) -> Entry {
    Entry::new(OptimizerConfig::new(name, rate))
}

fn function(builtin: Builtin) -> Course {
    Course::analytic(Arc::new(builtin.into()))
}

/// Mini-batches, dropout, penalties, clipping and a schedule that watches losses.
fn network(training: &str) -> Course {
    let text = format!(
        "seed = 3\n[data]\nsource = \"moons\"\nsamples = 120\n[network]\n\
         layers = [{{ dense = 6 }}, {{ dropout = 0.2 }}, {{ dense = 4 }}]\n\
         loss = \"cross-entropy\"\n[training]\n{training}"
    );
    let problem = Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap();
    Course::network(Arc::new(problem))
}

const LIVELY: &str = "batch = 16\nepochs = 40\nl2 = 0.001\nclip_norm = 0.5\n\
                      schedule = { name = \"plateau\", patience = 1, factor = 0.5 }";

/// Where a racer is, to the last bit.
fn bits(racer: &Racer) -> Vec<u64> {
    match (racer.ball(), racer.params()) {
        (Some(at), _) => at.iter().map(|v| v.to_bits()).collect(),
        (_, Some(params)) => params.iter().map(|v| u64::from(v.to_bits())).collect(),
        _ => Vec::new(),
    }
}

fn all_bits(race: &Race) -> Vec<Vec<u64>> {
    race.racers().iter().map(bits).collect()
}

fn paths(race: &Race) -> Vec<(Vec<BallPoint>, Vec<(u64, u64, Vec<f32>)>)> {
    let path = |r: &Racer| {
        let weights = r.weight_path().iter();
        let weights = weights.map(|p| (p.step, p.loss.to_bits(), p.params.to_vec()));
        (r.ball_path().to_vec(), weights.collect())
    };
    race.racers().iter().map(path).collect()
}

fn all_first_order(rate: f64) -> Vec<Entry> {
    // Without Rprop, which goes with no schedule.
    let names = OptimizerName::ALL.into_iter().take(12);
    names.map(|name| entry(name, rate)).collect()
}

#[test]
fn momentum_and_qhm_without_their_memory_are_gradient_descent_bit_for_bit() {
    let with = |name, momentum, nu| {
        let mut entry = entry(name, 0.02);
        entry.optimizer.momentum = momentum;
        entry.optimizer.nu = nu;
        entry
    };
    use OptimizerName::{Momentum, Nesterov, Qhm, Sgd};
    for course in [function(Builtin::Himmelblau), network(LIVELY)] {
        let entries = vec![
            with(Sgd, None, None),
            with(Momentum, Some(0.0), None),
            with(Nesterov, Some(0.0), None),
            with(Qhm, Some(0.9), Some(0.0)),
            with(Qhm, Some(0.0), Some(1.0)),
            with(Momentum, Some(0.5), None),
        ];
        let mut race = Race::new(course, entries).unwrap();
        for _ in 0..60 {
            race.step();
            let all = all_bits(&race);
            for other in &all[1..5] {
                assert_eq!(*other, all[0], "step {}", race.steps());
            }
        }
        let all = all_bits(&race);
        assert_ne!(all[5], all[0], "momentum moves elsewhere");
        let table = race.standings();
        assert!(
            table.iter().filter(|s| s.place == table[0].place).count() != 1 || table[0].id == 5
        );
    }
}

/// On `0.05 x^2 + y^2` each coordinate goes its own way: with the eigenvalue
/// `l`, gradient descent is at `(1 - lr l)^t x_0`; and momentum, whose places
/// fulfil `x_(t+1) = (1 + m - lr l) x_t - m x_(t-1)`, is at
/// `m^(t/2) (a cos(t w) + b sin(t w))` with `cos w = (1 + m - lr l) / (2 sqrt m)`.
#[test]
fn on_a_quadratic_gradient_descent_and_momentum_go_their_paths_in_closed_form() {
    let (rate, m, start) = (0.05, 0.9, [-9.0, 2.5]);
    let mut momentum = entry(OptimizerName::Momentum, rate);
    momentum.optimizer.momentum = Some(m);
    let entries = vec![entry(OptimizerName::Sgd, rate), momentum];
    let mut race = Race::new(function(Builtin::Ravine), entries).unwrap();
    race.drop_ball(start[0], start[1]).unwrap();
    for t in 1..=300 {
        race.step();
        for (i, eigenvalue) in [0.1, 2.0].into_iter().enumerate() {
            let plain = (1.0_f64 - rate * eigenvalue).powi(t) * start[i];
            let at = race.racers()[0].ball().unwrap()[i];
            assert!(
                (at - plain).abs() <= 1e-12 * start[i].abs(),
                "{t}: {at} {plain}"
            );
            let c = (1.0 + m - rate * eigenvalue) / (2.0 * m.sqrt());
            let w = c.acos();
            // x_1 = (1 - lr l) x_0
            let b = ((1.0 - rate * eigenvalue) / m.sqrt() - c) / w.sin();
            let angle = f64::from(t) * w;
            let heavy = m.powf(f64::from(t) / 2.0) * start[i] * (angle.cos() + b * angle.sin());
            let at = race.racers()[1].ball().unwrap()[i];
            assert!(
                (at - heavy).abs() <= 1e-11 * start[i].abs(),
                "{t}: {at} {heavy}"
            );
        }
    }
}

#[test]
fn rewinding_gives_back_every_bit_and_the_same_future() {
    let entries = all_first_order(0.01);
    let courses = [
        function(Builtin::Beale),
        Course::Analytic {
            function: Arc::new(Builtin::Rosenbrock.into()),
            start: [-1.2, 1.0],
            noise: Some(Noise {
                deviation: 0.1,
                seed: 5,
            }),
        },
        network(LIVELY),
    ];
    for course in courses {
        let mut race = Race::new(course, entries.clone()).unwrap();
        race.advance(77);
        let then = (all_bits(&race), race.standings());
        race.advance(123);
        let end = (all_bits(&race), paths(&race), race.standings());
        assert_ne!(then.0, end.0);
        race.rewind(500);
        assert_eq!(race.steps(), 200);
        for goal in [77, 0, 77] {
            race.rewind(goal);
            assert_eq!(race.steps(), goal);
            race.advance(77 - goal);
            assert_eq!((all_bits(&race), race.standings()), then);
            race.advance(123);
            assert_eq!((all_bits(&race), paths(&race), race.standings()), end);
        }
    }
    let solvers = [
        OptimizerName::Rprop,
        OptimizerName::Gdx,
        OptimizerName::FletcherReeves,
        OptimizerName::PolakRibiere,
        OptimizerName::Lbfgs,
    ];
    let entries = solvers.map(|name| entry(name, 0.01)).to_vec();
    let mut race = Race::new(function(Builtin::Rosenbrock), entries).unwrap();
    race.advance(60);
    let end = (all_bits(&race), race.standings());
    race.rewind(9);
    race.advance(51);
    assert_eq!((all_bits(&race), race.standings()), end);
    assert!(race.racers()[4].loss() < 1e-12, "l-bfgs arrives");
    assert!(race.racers()[4].end().is_some());
}

#[test]
fn who_comes_later_or_takes_another_rate_is_as_if_from_the_start() {
    for course in [function(Builtin::Hills), network(LIVELY)] {
        let (a, b) = (
            entry(OptimizerName::Adam, 0.02),
            entry(OptimizerName::Sgd, 0.1),
        );
        let mut both = Race::new(course.clone(), vec![a.clone(), b.clone()]).unwrap();
        both.advance(50);
        let mut later = Race::new(course, vec![a]).unwrap();
        later.advance(30);
        let id = later.add(entry(OptimizerName::Sgd, 0.9)).unwrap();
        assert_eq!(later.racer(id).unwrap().steps(), 30);
        assert!(later.replace(id, b).unwrap());
        later.advance(20);
        assert_eq!(all_bits(&later), all_bits(&both));
        assert_eq!(paths(&later), paths(&both));
        // Colours stay with their racers and are given again.
        assert!(later.remove(0) && !later.remove(0));
        assert_eq!(later.racers()[0].color(), 1);
        let id = later.add(entry(OptimizerName::Lion, 0.01)).unwrap();
        assert_eq!((later.racer(id).unwrap().color(), id), (0, 2));
        later.set_rate(0.03).unwrap();
        assert!(
            later
                .racers()
                .iter()
                .all(|r| r.entry().optimizer.learning_rate == 0.03)
        );
        assert!(later.set_rate(-1.0).is_err());
    }
}

#[test]
fn everybody_sees_the_same_batches_and_threads_change_nothing() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let layers = "batch = 100\nepochs = 3";
            let mut race = Race::new(network(layers), all_first_order(0.01)).unwrap();
            race.advance(25);
            (all_bits(&race), paths(&race))
        })
    };
    assert_eq!(run(1), run(3));
    let mut race = Race::new(network(LIVELY), all_first_order(0.01)).unwrap();
    for _ in 0..20 {
        race.step();
        let rows = |r: &Racer| r.trainer().unwrap().last_batch().to_vec();
        let first = rows(&race.racers()[0]);
        assert!((1..=16).contains(&first.len()));
        assert!(race.racers().iter().all(|r| rows(r) == first));
    }
}

#[test]
fn noise_is_the_same_for_all_and_follows_from_its_seed() {
    let course = |seed| Course::Analytic {
        function: Arc::new(Builtin::Bowl.into()),
        start: [1.0, 1.0],
        noise: Some(Noise {
            deviation: 0.5,
            seed,
        }),
    };
    let mut momentum = entry(OptimizerName::Momentum, 0.1);
    momentum.optimizer.momentum = Some(0.0);
    let entries = vec![entry(OptimizerName::Sgd, 0.1), momentum];
    let run = |seed| {
        let mut race = Race::new(course(seed), entries.clone()).unwrap();
        race.advance(40);
        all_bits(&race)
    };
    let (a, b) = (run(1), run(2));
    assert_eq!(a[0], a[1]);
    assert_ne!(a[0], b[0]);
    // About its mean, 0: the last places scatter around the minimum.
    let mut race = Race::new(course(1), entries[..1].to_vec()).unwrap();
    race.advance(4000);
    let path = &race.racers()[0].ball_path()[100..];
    let mean = |i: usize| path.iter().map(|p| p.at[i]).sum::<f64>() / path.len() as f64;
    let spread = |i: usize| path.iter().map(|p| p.at[i].powi(2)).sum::<f64>() / path.len() as f64;
    for i in 0..2 {
        assert!(mean(i).abs() < 0.03, "{}", mean(i));
        // x <- 0.8 x - 0.1 n: the variance is 0.01 * 0.25 / (1 - 0.64).
        assert!(
            (spread(i) / (0.0025 / 0.36) - 1.0).abs() < 0.2,
            "{}",
            spread(i)
        );
    }
}

#[test]
fn who_diverges_says_so_and_the_others_go_on() {
    let entries = vec![
        entry(OptimizerName::Sgd, 0.1),
        entry(OptimizerName::Sgd, 0.001),
    ];
    let mut race = Race::new(function(Builtin::Rosenbrock), entries).unwrap();
    race.set_target(Some(4.0));
    race.advance(200);
    let table = race.standings();
    let lost = race.racers()[0].end().unwrap();
    assert!(lost.is_divergence() && lost.to_string().starts_with("diverged in step "));
    assert_eq!((table[0].id, table[1].id, table[1].place), (1, 0, 2));
    assert!(table[1].diverged && table[1].steps < 20);
    assert!(race.racers()[0].loss().is_finite());
    assert_eq!(table[0].steps, 200);
    // The target is counted to the step.
    let path = race.racers()[1].ball_path();
    let first = path.iter().find(|p| p.value <= 4.0).unwrap();
    assert_eq!(table[0].reached, Some(first.step));
    assert!(first.step > 0);
    let distance = table[0].distance.unwrap();
    let [x, y] = race.racers()[1].ball().unwrap();
    assert_eq!(distance, (x - 1.0).hypot(y - 1.0));
    // Before the divergence it is in the race again.
    race.rewind(2);
    assert!(race.racers()[0].end().is_none());
    assert_eq!(race.racers()[0].steps(), 2);
    let mut alone =
        Race::new(network("batch = 16"), vec![entry(OptimizerName::Sgd, 1e30)]).unwrap();
    assert!(alone.advance(50) < 50 && alone.is_over());
    assert!(
        alone.racers()[0]
            .params()
            .unwrap()
            .iter()
            .all(|p| p.is_finite())
    );
}

#[test]
fn what_makes_no_race_is_refused_with_a_reason() {
    let refused = |course: Course, entries: Vec<Entry>, said: &str| {
        let error = Race::new(course, entries).err().unwrap().to_string();
        assert!(error.contains(said), "{error}");
    };
    let bowl = || function(Builtin::Bowl);
    let lm = entry(OptimizerName::LevenbergMarquardt, 0.0);
    refused(bowl(), vec![lm], "residuals");
    refused(
        bowl(),
        vec![entry(OptimizerName::Adam, 0.1); 17],
        "at most 16",
    );
    refused(
        bowl(),
        vec![entry(OptimizerName::Adam, 0.0)],
        "learning_rate",
    );
    let noisy = Course::Analytic {
        function: Arc::new(Builtin::Bowl.into()),
        start: [1.0, 1.0],
        noise: Some(Noise {
            deviation: 0.1,
            seed: 0,
        }),
    };
    refused(
        noisy,
        vec![entry(OptimizerName::Lbfgs, 0.0)],
        "without noise",
    );
    let log = Analytic::parse("ln(x) + y").unwrap();
    let log = Course::analytic(Arc::new(log.with_start([-1.0, 0.0])));
    refused(log, vec![], "no place");
    refused(
        network("batch = 16"),
        vec![entry(OptimizerName::Lbfgs, 0.0)],
        "full",
    );
    let Course::Network { problem, seed, .. } = network("batch = 16") else {
        panic!()
    };
    let short = Course::Network {
        problem,
        start: Arc::from([0.0_f32; 3]),
        seed,
    };
    refused(short, vec![], "3 weights are given");
    let mut race = Race::new(bowl(), vec![entry(OptimizerName::Adam, 0.1)]).unwrap();
    assert_eq!(
        race.drop_weights(Arc::from([0.0])),
        Err(RaceError::OtherCourse)
    );
    race.advance(5);
    race.drop_ball(0.5, -0.5).unwrap();
    assert_eq!(
        (race.steps(), race.racers()[0].ball()),
        (0, Some([0.5, -0.5]))
    );
}

/// A linear network of one input with half the squared error is a quadratic in
/// weight and bias, with the Hessian `[[mean x^2, mean x], [mean x, 1]]`. Full
/// batches go `w_t = w* + (I - lr H)^t (w_0 - w*)`.
#[test]
fn gradient_descent_on_a_linear_network_goes_its_path_in_closed_form() {
    let text = "[data]\nsource = \"sine\"\nsamples = 60\nvalidation = 0.0\n[network]\nlayers = []\n\
                loss = \"half-squared-error\"\n[training]\nbatch = \"full\"";
    let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
    let (x, y) = (problem.train.x.column(0), problem.train.y.column(0));
    let n = x.len() as f64;
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        let pairs = x.iter().zip(&y);
        pairs.map(|(&x, &y)| f(x.into(), y.into())).sum::<f64>() / n
    };
    let (a, b) = (mean(&|x, _| x * x), mean(&|x, _| x));
    let (p, q) = (mean(&|x, y| x * y), mean(&|_, y| y));
    let determinant = a - b * b;
    let minimum = [(p - b * q) / determinant, (a * q - b * p) / determinant];
    let rate = 0.1;
    let course = Course::network(Arc::new(problem));
    let Course::Network { start, .. } = &course else {
        panic!()
    };
    let begin = [f64::from(start[0]), f64::from(start[1])];
    // Eigenvalues and vectors of [[a, b], [b, 1]].
    let half = ((a - 1.0) / 2.0).hypot(b);
    let values = [(a + 1.0) / 2.0 + half, (a + 1.0) / 2.0 - half];
    let vectors = values.map(|l| {
        let v = if b.abs() > 1e-9 {
            [b, l - a]
        } else if (l - a).abs() < 1e-9 {
            [1.0, 0.0]
        } else {
            [0.0, 1.0]
        };
        let length = v[0].hypot(v[1]);
        [v[0] / length, v[1] / length]
    });
    let mut race = Race::new(course, vec![entry(OptimizerName::Sgd, rate)]).unwrap();
    for t in 1..=200 {
        race.step();
        let params = race.racers()[0].params().unwrap();
        for i in 0..2 {
            let expected: f64 = minimum[i]
                + (0..2)
                    .map(|k| {
                        let along = (begin[0] - minimum[0]) * vectors[k][0]
                            + (begin[1] - minimum[1]) * vectors[k][1];
                        (1.0 - rate * values[k]).powi(t) * along * vectors[k][i]
                    })
                    .sum::<f64>();
            let at = f64::from(params[i]);
            assert!((at - expected).abs() < 1e-6, "{t}: {at} {expected}");
        }
    }
}
