//! Lines that edit named constants: of an optimiser, of a schedule.

use super::stage::Stage;
use super::widgets::row;
use bevy_egui::egui::{DragValue, Ui};
use std::ops::RangeInclusive;

/// Where a constant is kept; not set, it has its default.
pub(super) enum Slot<'a> {
    Real(&'a mut Option<f64>),
    Whole(&'a mut Option<usize>),
}

/// What a constant may be.
#[derive(Clone, Copy)]
pub(super) enum Limits {
    /// From 0 up to, but not including, 1.
    BelowOne,
    /// From 0 to 1, both included.
    Share,
    /// Between 0 and 1, both excluded.
    Inside,
    /// From 1 on.
    FromOne,
    /// Above 1.
    AboveOne,
    /// From 0 on, and usually small.
    Small,
    /// Above 0, of any size.
    Positive,
    /// A whole number.
    Whole(usize, usize),
}

impl Limits {
    pub(super) fn range(self) -> RangeInclusive<f64> {
        match self {
            Limits::BelowOne => 0.0..=0.99999,
            Limits::Share => 0.0..=1.0,
            Limits::Inside => 0.0001..=0.9999,
            Limits::FromOne => 1.0..=1e9,
            Limits::AboveOne => 1.0001..=1e6,
            Limits::Small => 0.0..=1e3,
            Limits::Positive => 1e-12..=1e15,
            Limits::Whole(least, most) => least as f64..=most as f64,
        }
    }

    /// How far a value moves with the pointer.
    fn speed(self, value: f64) -> f64 {
        match self {
            Limits::BelowOne | Limits::Share | Limits::Inside => {
                (0.02 * (1.0 - value)).clamp(0.0002, 0.002)
            }
            Limits::FromOne | Limits::AboveOne => 0.01 * value.max(0.5),
            // From 0 it begins to move where penalties usually are.
            Limits::Small if value == 0.0 => 1e-5,
            Limits::Small | Limits::Positive => (0.02 * value).max(1e-12),
            Limits::Whole(..) => 0.2,
        }
    }
}

/// One constant.
pub(super) struct Constant<'a> {
    /// The key of its name.
    pub key: &'static str,
    /// What it is now.
    pub value: f64,
    pub slot: Slot<'a>,
    pub limits: Limits,
}

pub(super) fn real<'a>(
    key: &'static str,
    value: f64,
    slot: &'a mut Option<f64>,
    limits: Limits,
) -> Constant<'a> {
    Constant {
        key,
        value,
        slot: Slot::Real(slot),
        limits,
    }
}

pub(super) fn whole<'a>(
    key: &'static str,
    value: usize,
    slot: &'a mut Option<usize>,
    [least, most]: [usize; 2],
) -> Constant<'a> {
    Constant {
        key,
        value: value as f64,
        slot: Slot::Whole(slot),
        limits: Limits::Whole(least, most),
    }
}

/// A line for each.
pub(super) fn edit(ui: &mut Ui, stage: &Stage<'_>, constants: Vec<Constant<'_>>) {
    for constant in constants {
        row(ui, stage.texts.get(constant.key), |ui| {
            let mut value = constant.value;
            if ui.add(drag(&mut value, constant.limits)).changed() {
                match constant.slot {
                    Slot::Real(slot) => *slot = Some(value),
                    Slot::Whole(slot) => *slot = Some(value.round() as usize),
                }
            }
        });
    }
}

/// A number within its limits, by dragging or typing.
pub(super) fn drag(value: &mut f64, limits: Limits) -> DragValue<'_> {
    let speed = limits.speed(*value);
    let drag = DragValue::new(value).range(limits.range()).speed(speed);
    match limits {
        Limits::Whole(..) => drag.max_decimals(0),
        _ => drag
            .max_decimals(15)
            .custom_formatter(|v, _| short(v))
            .custom_parser(|text| text.trim().replace('−', "-").parse().ok()),
    }
}

/// As short as six digits allow: `0.9`, `1e-8`.
pub(super) fn short(v: f64) -> String {
    let v: f64 = format!("{v:.5e}").parse().unwrap_or(v);
    if v != 0.0 && !(1e-3..1e5).contains(&v.abs()) {
        format!("{v:e}").replace('-', "−")
    } else {
        format!("{v}").replace('-', "−")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_written_as_short_as_they_are() {
        for (v, text) in [
            (0.9, "0.9"),
            (0.1 + 0.2, "0.3"),
            (1e-8, "1e−8"),
            (0.0005, "5e−4"),
            (1e10, "1e10"),
            (0.0, "0"),
        ] {
            assert_eq!(short(v), text);
        }
    }
}
