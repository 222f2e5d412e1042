//! Formulas on threads of a given stack: what they need, and the library's own
//! symbolic derivatives, which need far more.
#![allow(clippy::unwrap_used)]

use gradscape::landscape::Analytic;

fn assert_near(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!(
        (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs())),
        "{what}: {a} {b}"
    );
}

/// On half the stack that a thread has.
#[test]
fn the_longest_and_deepest_formulas_are_read_and_evaluated() {
    let texts = [
        format!("x{}", "*x*y".repeat(99)),
        format!("{}x{}", "sin(".repeat(24), ")".repeat(24)),
        format!("{}x{}", "(".repeat(23), "^1.1*y)".repeat(23)),
        format!("x{}", "^y".repeat(23)),
        format!("x{}", "/(1+y)/x".repeat(40)),
        format!("{}x", "-".repeat(24)),
    ];
    let work = move || {
        for text in texts {
            let function = Analytic::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let jet = function.jet(0.9, 0.8);
            assert!(jet.value.is_finite() && jet.second[0].is_finite(), "{text}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

/// Against the symbolic derivatives of the library, which need a large stack.
#[test]
fn derivatives_are_those_that_exmex_finds_symbolically() {
    use exmex::prelude::*;
    use exmex::{Differentiate, FlatEx};
    let work = || {
        for text in [
            "(1-x)^2+100*(y-x^2)^2",
            "(1.5-x+x*y)^2+(2.25-x+x*(y^2))^2+(2.625-x+x*(y^3))^2",
            "(x^2+y-11)^2+(x+y^2-7)^2",
            "20+x^2-10*cos(2*PI*x)+y^2-10*cos(2*PI*y)",
            "sin(x)*exp(y)/(1+x^2)+tanh(x*y)+x^y+sqrt(1+x*x)*log2(2+y)",
        ] {
            let ours = Analytic::parse(text).unwrap();
            let whole = FlatEx::<f64>::parse(text).unwrap();
            let by = |orders: &[usize]| whole.clone().partial_iter(orders.iter().copied()).unwrap();
            let theirs = [by(&[0]), by(&[1]), by(&[0, 0]), by(&[0, 1]), by(&[1, 1])];
            for [x, y] in [[0.3, 0.7], [1.9, 0.2], [2.5, 1.1]] {
                let jet = ours.jet(x, y);
                let [xx, xy, yy] = jet.second;
                let mine = [jet.gradient[0], jet.gradient[1], xx, xy, yy];
                for (a, b) in mine.into_iter().zip(&theirs) {
                    assert_near(a, b.eval(&[x, y]).unwrap(), 1e-13, text);
                }
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(512 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}
