use super::*;
use proptest::prelude::*;

/// Points spread over the middle of a domain.
fn points(function: &Analytic) -> impl Iterator<Item = [f64; 2]> + use<> {
    let [x, y] = function.domain();
    let at = |[lo, hi]: [f64; 2], share: f64| lo + share * (hi - lo);
    (1..12).flat_map(move |i| {
        (1..12).map(move |j| {
            [
                at(x, 0.013 + f64::from(i) / 12.3),
                at(y, 0.007 + f64::from(j) / 12.1),
            ]
        })
    })
}

/// Central differences of `f`, extrapolated: an error of the order `h^4`.
fn difference(f: impl Fn(f64) -> f64, at: f64) -> f64 {
    let central = |h: f64| (f(at + h) - f(at - h)) / (2.0 * h);
    let h = 2e-4 * at.abs().max(1.0);
    (4.0 * central(h) - central(2.0 * h)) / 3.0
}

fn assert_near(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!(
        (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs())),
        "{what}: {a} {b}"
    );
}

/// Gradient and Hessian against differences of value and gradient.
fn assert_derivatives(function: &Analytic, at: impl Iterator<Item = [f64; 2]>) {
    for [x, y] in at {
        let jet = function.jet(x, y);
        let what = format!("{} at ({x}, {y})", function.name());
        assert_near(jet.value, function.value(x, y), 1e-15, &what);
        assert_eq!(jet.gradient, function.gradient(x, y), "{what}");
        assert_near(
            jet.gradient[0],
            difference(|x| function.value(x, y), x),
            1e-8,
            &what,
        );
        assert_near(
            jet.gradient[1],
            difference(|y| function.value(x, y), y),
            1e-8,
            &what,
        );
        for i in 0..2 {
            let by_x = difference(|x| function.gradient(x, y)[i], x);
            let by_y = difference(|y| function.gradient(x, y)[i], y);
            assert_near(function.hessian(x, y)[i][0], by_x, 1e-7, &what);
            assert_near(function.hessian(x, y)[i][1], by_y, 1e-7, &what);
        }
    }
}

#[test]
fn derivatives_of_the_built_in_functions_are_those_of_central_differences() {
    for builtin in Builtin::ALL {
        let function = Analytic::from(builtin);
        assert_derivatives(&function, points(&function));
    }
}

/// Two ways to the same numbers: the formulas as coded, and as printed, read by
/// exmex.
#[test]
fn a_built_in_function_is_what_its_printed_formula_says() {
    for builtin in Builtin::ALL {
        let coded = Analytic::from(builtin);
        let typed = Analytic::parse(builtin.formula()).unwrap();
        for [x, y] in points(&coded) {
            let (a, b) = (coded.jet(x, y), typed.jet(x, y));
            let what = format!("{} at ({x}, {y})", builtin.name());
            assert_near(a.value, b.value, 1e-12, &what);
            for i in 0..2 {
                assert_near(a.gradient[i], b.gradient[i], 1e-11, &what);
            }
            for i in 0..3 {
                assert_near(a.second[i], b.second[i], 1e-10, &what);
            }
        }
    }
}

#[test]
fn known_minima_have_their_published_values_and_are_minima() {
    for builtin in Builtin::ALL {
        let function = Analytic::from(builtin);
        let mut before = f64::NEG_INFINITY;
        for minimum in builtin.minima() {
            let [x, y] = minimum.at;
            let jet = function.jet(x, y);
            let name = builtin.name();
            assert_near(jet.value, minimum.value, 1e-14, name);
            assert!(minimum.value >= before, "{name}: the deepest first");
            before = minimum.value;
            let steepest = jet.gradient[0].hypot(jet.gradient[1]);
            assert!(steepest < 1e-12, "{name}: {steepest}");
            let [xx, xy, yy] = jet.second;
            assert!(xx > 0.0 && xx * yy - xy * xy > 0.0, "{name}: {jet:?}");
            let [[x_lo, x_hi], [y_lo, y_hi]] = function.domain();
            assert!(
                (x_lo..x_hi).contains(&x) && (y_lo..y_hi).contains(&y),
                "{name}"
            );
        }
    }
    // From the literature: the test functions' deepest points.
    let value = |name: &str, x, y| Analytic::find(name).unwrap().value(x, y);
    assert_eq!(value("rosenbrock", 1.0, 1.0), 0.0);
    // Moré, Garbow and Hillstrom 1981: f at the standard starts.
    assert_near(value("rosenbrock", -1.2, 1.0), 24.2, 1e-15, "rosenbrock");
    assert_near(value("beale", 1.0, 1.0), 14.203_125, 1e-15, "beale");
    assert_eq!(value("beale", 3.0, 0.5), 0.0);
    assert_eq!(value("himmelblau", 3.0, 2.0), 0.0);
    assert_eq!(value("rastrigin", 0.0, 0.0), 0.0);
    // Himmelblau's maximum between the four, 181.617.
    assert_near(
        value("himmelblau", -0.270_845, -0.923_039),
        181.617,
        1e-5,
        "maximum",
    );
}

#[test]
fn every_function_of_formulas_is_differentiated_exactly() {
    // Each within the range where it has a value: x and y from 0.1 to 0.9.
    let grid =
        || (1..=8).flat_map(|i| (1..=8).map(move |j| [f64::from(i) / 9.0, f64::from(j) / 8.5]));
    for text in [
        "sin(x*y) + cos(x - y)",
        "tan(x)*y",
        "asin(x*y) + acos(x/2) + atan(x/y)",
        "sinh(x) * cosh(y) + tanh(x*y)",
        "asinh(x + y) + acosh(1.5 + x*y) + atanh(x*y/2)",
        "exp(-x^2)/sqrt(1 + y)",
        "ln(x) * log(y) + log2(x + y) - log10(2 + x)",
        "x^y + pow(y, 3) + 2^(x*y)",
        "abs(x - 2*y + 0.013)",
        "min(x, y + 0.017) * max(x^2, y - 0.0213)",
        "-x^2 + (-y)^3",
        "1e-3*x + 2.5E+1*y*y",
    ] {
        let function = Analytic::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let kink = |p: &[f64; 2]| {
            let [x, y] = *p;
            [x - 2.0 * y + 0.013, x - y - 0.017, x * x - y + 0.0213]
                .iter()
                .all(|v| v.abs() > 2e-3)
        };
        assert_derivatives(&function, grid().filter(kink));
    }
}

#[test]
fn formulas_mean_what_mathematics_means_by_them() {
    for (text, value) in [
        ("-x^2", -9.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("8-4+2", 6.0),
        ("8/4*2", 4.0),
        ("2*x/3*2", 4.0),
        ("x**2", 9.0),
        ("x² − 2·y", 5.0),
        ("PI*0 + e^0 + X", 4.0),
        ("max(x, y) - min(x, y) + abs(-x)", 4.0),
        ("--x", 3.0),
        ("1e-3*1e3*x", 3.0),
        ("5", 5.0),
        ("sqrt(y - 2) + x", 3.0),
    ] {
        let function = Analytic::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(function.value(3.0, 2.0), value, "{text}");
    }
    let flat = Analytic::parse("y*0 + 7").unwrap();
    assert_eq!(
        (flat.value(1.0, 2.0), flat.gradient(1.0, 2.0)),
        (7.0, [0.0, 0.0])
    );
    let corner = Analytic::parse("abs(x) + abs(y)").unwrap();
    assert_eq!(corner.gradient(0.0, -2.0), [0.0, -1.0]);
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    for (text, said) in [
        ("", "empty"),
        ("  ", "empty"),
        (
            "x + z",
            "\"z\" at character 5 is unknown; there are the variables x and y",
        ),
        ("foo(x)", "functions sin, cos"),
        (
            "2x",
            "before \"x\" at character 2: an operator such as * before it",
        ),
        ("x + ", "at the end of the formula: a number, x, y"),
        ("(x + y", "a closing bracket"),
        ("x + y)", "before \")\" at character 6: an opening bracket"),
        ("sin x", "before \"x\" at character 5: an opening bracket"),
        (
            "sin(x, y)",
            "sin at character 1 takes 1 arguments, and 2 are given",
        ),
        ("max(x)", "takes 2 arguments"),
        ("x $ y", "'$' at character 3"),
        ("1.2.3*x", "\"1.2.3\" at character 1 is no number"),
        ("x + 1/0", "no finite number"),
        ("x*1e999", "is no number"),
        ("x*/y", "before \"/\" at character 3"),
    ] {
        let error = Analytic::parse(text).expect_err(text).to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    let deep = format!("{}x{}", "(".repeat(90), ")".repeat(90));
    assert!(matches!(
        Analytic::parse(&deep),
        Err(ExpressionError::TooDeep { .. })
    ));
    let minus = format!("{}x", "-".repeat(90));
    assert!(matches!(
        Analytic::parse(&minus),
        Err(ExpressionError::TooDeep { .. })
    ));
    let long = "x+".repeat(2000);
    assert!(matches!(
        Analytic::parse(&long),
        Err(ExpressionError::TooLong { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        let _ = Analytic::parse(&text);
    }

    #[test]
    fn no_arrangement_of_tokens_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "x", "y", "1", "2.5", "+", "-", "*", "/", "^", "(", ")", "(", ")", "sin(", "abs(", "max(",
        "ln(", ",", "pi", " ", "sqrt(", "0", "pow(",
    ]), 0..24)) {
        if let Ok(function) = Analytic::parse(&pieces.concat()) {
            let jet = function.jet(0.3, -0.7);
            prop_assert_eq!(jet.value.to_bits(), function.value(0.3, -0.7).to_bits());
        }
    }
}
