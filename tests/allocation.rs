//! A training step allocates nothing once its buffers are there.
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code)] // counting allocations takes an allocator

use gradscape::experiment::Experiment;
use gradscape::optim::OptimizerKind;
use gradscape::train::{Problem, StepOutcome, Trainer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

/// Counts what this thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no counter any more.
    let _ = COUNT.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(block, layout, size) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations in the steps of the third epoch, but for its first step, which
/// keeps a state to return to.
fn allocations(text: &str) -> u64 {
    let experiment = Experiment::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}"));
    let mut trainer = Trainer::new(Arc::new(Problem::new(&experiment).unwrap()));
    let steps = trainer.steps_per_epoch();
    for _ in 0..=2 * steps {
        trainer.step();
    }
    let before = COUNT.get();
    for _ in 1..steps {
        let outcome = trainer.step();
        assert!(
            matches!(outcome, StepOutcome::Stepped { .. }),
            "{outcome:?}"
        );
    }
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    let before = COUNT.get();
    std::hint::black_box(vec![0_u8; 100]);
    assert_eq!(COUNT.get() - before, 1);
}

#[test]
fn a_step_of_any_optimiser_allocates_nothing() {
    for kind in OptimizerKind::ALL {
        let name = kind.name();
        // Rprop has neither a schedule nor a use for a clipped gradient.
        let more = match kind {
            OptimizerKind::Rprop { .. } => "",
            _ => "clip_norm = 1.0\nschedule = { name = \"cosine\" }\n",
        };
        let count = allocations(&format!(
            "[data]\nsource = \"spiral\"\n[network]\nlayers = [{{ dense = 8 }}]\n\
             loss = \"cross-entropy\"\n[training]\nbatch = 7\nlabel_smoothing = 0.1\nl1 = 1e-4\n\
             {more}\
             optimizer = {{ name = \"{name}\", learning_rate = 1e-3 }}"
        ));
        assert_eq!(count, 0, "{name}");
    }
}

#[test]
fn a_step_through_any_layer_allocates_nothing() {
    for layers in [
        // Large enough for the library's products.
        "{ dense = 300 }, { dense = 100, activation = \"gelu\" }",
        "{ conv = 4, kernel = 3, padding = 1, activation = \"relu\" }, { max_pool = 2 }, \
         \"batch_norm\", { conv = 4, kernel = 3, stride = 2 }, \"flatten\", { dropout = 0.3 }",
        "{ conv = 4, kernel = 3, padding = 1, name = \"a\" }, \"prelu\", \"layer_norm\", \
         { conv = 4, kernel = 3, padding = 1 }, { add = \"a\" }, { avg_pool = 2 }, \
         \"global_avg_pool\"",
    ] {
        let count = allocations(&format!(
            "[data]\nsource = \"digits\"\nlimit = 300\n[network]\nlayers = [{layers}]\n\
             loss = \"cross-entropy\"\n[training]\nbatch = 20\n\
             optimizer = {{ name = \"adam\", learning_rate = 1e-3 }}"
        ));
        assert_eq!(count, 0, "{layers}");
    }
}
