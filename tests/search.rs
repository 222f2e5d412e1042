//! Searches as a library: the grid, what is refused, and the range test, which
//! finds the limit of stability that theory gives.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::search::{MOST_RUNS, Plan, RangeEnd, RangeTest, Vary, value_text};
use gradscape::train::Problem;

const TINY: &str = r#"
seed = 3
data = { source = "xor", samples = 60, validation = 0.25 }
training = { optimizer = { name = "adam", learning_rate = 0.05 }, batch = 16, epochs = 6 }
[network]
layers = [{ dense = 4 }]
loss = "cross-entropy"
"#;

fn values(text: &str) -> Vec<String> {
    let vary: Vary = text.parse().unwrap();
    vary.values().iter().map(value_text).collect()
}

fn plan(vary: &[&str]) -> Result<Plan, String> {
    let base = Experiment::parse(TINY, "tiny.toml").unwrap();
    let vary: Vec<Vary> = vary.iter().map(|v| v.parse().unwrap()).collect();
    Plan::new(&base, &vary).map_err(|error| error.to_string())
}

#[test]
fn lists_and_ranges_have_the_values_that_they_say() {
    assert_eq!(values("a=8,32,128"), ["8", "32", "128"]);
    assert_eq!(values("a=sgd, 'a,b' ,full"), ["sgd", "a,b", "full"]);
    assert_eq!(values("a=.5,1e-5,true"), ["0.5", "1e-5", "true"]);
    assert_eq!(values("a=../x.csv,y/z.csv"), ["../x.csv", "y/z.csv"]);
    assert_eq!(
        values("a=[],[{dense=8}],[{dense=8},{dense=4}]"),
        ["[]", "[{ dense = 8 }]", "[{ dense = 8 }, { dense = 4 }]"]
    );
    assert_eq!(values("a=2..5"), ["2", "3", "4", "5"]);
    assert_eq!(values("a=-4..5:4"), ["-4", "0", "4"]);
    assert_eq!(values("a=0..1:lin:5"), ["0", "0.25", "0.5", "0.75", "1"]);
    assert_eq!(values("a=10..30:lin:3"), ["10", "20", "30"]);
    assert_eq!(values("a=1e-3..1:log:4"), ["0.001", "0.01", "0.1", "1"]);
    // Six digits, so that what a table shows is what was used.
    assert_eq!(values("a=1..10:log:3"), ["1", "3.16228", "10"]);
}

#[test]
fn what_is_no_list_and_no_range_is_refused_with_a_reason() {
    for (text, reason) in [
        ("a", "KEY="),
        ("=1", "no key"),
        ("a..b=1", "no key"),
        ("a[x]=1", "place in a list"),
        ("a=", "missing"),
        ("a=1,,2", "missing"),
        ("a=1,2,1", "1 is there twice"),
        ("a=[1,2", "not closed"),
        ("a={dense 3}", "no TOML value"),
        ("a=5..2", "upwards"),
        ("a=1..x", "no number"),
        ("a=0.5..2", "no whole number"),
        ("a=1..9:0", "step of 0"),
        ("a=0..1:log:3", "above 0"),
        ("a=1..2:log:1", "give 2 to"),
        ("a=1..2:cubic:4", "KEY="),
        ("a=1..99999999999", "at most"),
    ] {
        let error = text.parse::<Vary>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_plan_is_the_cartesian_product_with_the_last_setting_fastest() {
    let plan = plan(&["training.batch=8,full", "network.layers[0].dense=3..5"]).unwrap();
    let seen: Vec<_> = plan.cases().iter().map(|c| c.texts().join(" ")).collect();
    assert_eq!(seen, ["8 3", "8 4", "8 5", "full 3", "full 4", "full 5"]);
    let last = &plan.cases()[5].experiment;
    assert_eq!(last.network.layers[0].dense, Some(5));
    assert_eq!(plan.cases()[4].run, 5);
    assert_eq!(
        plan.problem(&plan.cases()[5]).unwrap().network.widths(),
        [2, 5, 1]
    );
}

#[test]
fn where_the_experiment_has_whole_numbers_a_range_is_rounded_to_them() {
    let rounded = plan(&["training.batch=2..4:lin:5"]).unwrap();
    let texts: Vec<_> = rounded
        .cases()
        .iter()
        .map(|c| c.texts().remove(0))
        .collect();
    assert_eq!(texts, ["2", "3", "4"]);
    let rates = plan(&["training.optimizer.learning_rate=1..2:lin:3"]).unwrap();
    assert_eq!(
        rates.cases()[1].experiment.training.optimizer.learning_rate,
        1.5
    );
}

#[test]
fn mistakes_are_found_before_any_run_and_name_the_key() {
    for (vary, parts) in [
        (
            &["training.epoch=3"][..],
            &["training.epoch=3", "`epochs`"][..],
        ),
        (&["training.batch=8,0"], &["training.batch=0", "at least 1"]),
        (&["training.batch=8,all"], &["training.batch=all", "full"]),
        (
            &["network.layers[1].dense=3"],
            &["network.layers has 1 entries"],
        ),
        (&["network.loss[0]=3"], &["no list"]),
        (&["seed.x=3"], &["seed is no table"]),
        (&["training.optimizer.momentum=0.9"], &["momentum", "adam"]),
        (
            &["data.source=xor,sine"],
            &["data.source=sine", "cross-entropy"],
        ),
        (&["data.source=nowhere.csv"], &["nowhere.csv"]),
        (&["seed=1,2", "seed=3"], &["given twice"]),
        (
            &["network.layers[0].dense=1,2", "network.layers=[]"],
            &["give it first"],
        ),
        (
            &["seed=1..200", "training.batch=1..60"],
            &["200 x 60 = 12000 runs", "10000"],
        ),
    ] {
        let error = plan(vary).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{vary:?}: no {part:?} in {error}");
        }
    }
    assert_eq!(
        plan(&["seed=1..100", "training.epochs=1..100"])
            .unwrap()
            .cases()
            .len(),
        MOST_RUNS
    );
}

/// Gradient descent on a quadratic is stable up to a rate of 2 / lambda, lambda
/// the greatest eigenvalue of the Hessian (Nocedal and Wright 2006, section 3.3,
/// for fixed steps). For one linear layer with half the squared error that is
/// the greatest eigenvalue of the inputs' second moments, bias included.
#[test]
fn the_range_test_breaks_where_gradient_descent_on_a_quadratic_must() {
    for (source, seed) in [("plane", 1), ("gauss-regression", 2), ("plane", 9)] {
        let text = format!(
            "seed = {seed}\ndata = {{ source = \"{source}\", noise = 0.5, samples = 200 }}\n\
             network = {{ loss = \"half-squared-error\" }}\n\
             training = {{ batch = \"full\", optimizer = {{ name = \"sgd\", learning_rate = 1 }} }}"
        );
        let problem = Problem::new(&Experiment::parse(&text, "linear").unwrap()).unwrap();
        let rows: Vec<[f64; 3]> = problem
            .train
            .x
            .rows()
            .into_iter()
            .map(|r| [f64::from(r[0]), f64::from(r[1]), 1.0])
            .collect();
        let mut v = [1.0, 0.7, 0.3];
        let mut lambda = 0.0;
        for _ in 0..2000 {
            let mut next = [0.0; 3];
            for row in &rows {
                let along: f64 = (0..3).map(|i| row[i] * v[i]).sum();
                (0..3).for_each(|i| next[i] += along * row[i] / rows.len() as f64);
            }
            lambda = next.iter().map(|c| c * c).sum::<f64>().sqrt();
            v = next.map(|c| c / lambda);
        }
        let limit = 2.0 / lambda;
        // From just below the limit: steps of half of it would take the steepest
        // direction to its rounding error, from where it grows for a long time.
        let mut test = RangeTest::new(&problem, 0.9 * limit, 3.0 * limit, 400).unwrap();
        while test.advance() {}
        let Some(RangeEnd::Diverged { rate }) = test.end() else {
            panic!("did not break");
        };
        let ratio = rate / limit;
        assert!(
            (1.0..1.2).contains(&ratio),
            "{source}: {rate} against {limit}: {ratio}"
        );
    }
}

#[test]
fn a_range_test_raises_the_rate_by_one_factor_and_smooths_as_it_says() {
    let problem = Problem::new(&Experiment::parse(TINY, "tiny").unwrap()).unwrap();
    let mut test = RangeTest::new(&problem, 1e-4, 1e-1, 31).unwrap();
    while test.advance() {}
    assert_eq!(test.end(), Some(RangeEnd::Finished));
    let curve = test.curve();
    assert_eq!(curve.len(), 31);
    for (i, point) in curve.iter().enumerate() {
        let rate = 1e-4 * 10f64.powf(i as f64 / 10.0);
        assert!((point.rate / rate - 1.0).abs() < 1e-12);
        // The weighted mean that the recursion comes to, written out.
        let weights: Vec<f64> = (0..=i).map(|k| test.decay().powi((i - k) as i32)).collect();
        let sum: f64 = weights.iter().zip(curve).map(|(w, p)| w * p.loss).sum();
        let mean = sum / weights.iter().sum::<f64>();
        assert!((point.smoothed / mean - 1.0).abs() < 1e-9);
    }
    assert!(!test.advance());
    for (from, to, steps) in [
        (0.0, 1.0, 50),
        (1.0, 0.1, 50),
        (f64::NAN, 1.0, 50),
        (0.1, 1.0, 5),
    ] {
        assert!(RangeTest::new(&problem, from, to, steps).is_err());
    }
}
