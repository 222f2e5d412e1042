//! The table of who is where, as text.

use crate::race::Race;

/// The standings as lines.
pub(super) fn table(race: &Race) -> String {
    let standings = race.standings();
    let distances = standings.iter().any(|s| s.distance.is_some());
    let mut head = vec![
        "place",
        "optimizer",
        "rate",
        "steps",
        "loss",
        "best",
        "at step",
    ];
    if race.target().is_some() {
        head.push("reached");
    }
    if distances {
        head.push("distance");
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    let mut notes = Vec::new();
    for s in &standings {
        let rate = race.racer(s.id).map(|r| r.entry().optimizer);
        let rate = rate.filter(|o| o.kind().has_rate());
        let mut row = vec![
            s.place.to_string(),
            s.name.clone(),
            rate.map_or("-".to_owned(), |o| o.learning_rate.to_string()),
            s.steps.to_string(),
            number(s.loss),
            number(s.best),
            s.best_step.to_string(),
        ];
        if race.target().is_some() {
            row.push(s.reached.map_or("-".to_owned(), |step| step.to_string()));
        }
        if distances {
            row.push(s.distance.map_or("-".to_owned(), number));
        }
        rows.push(row);
        if let Some(end) = &s.end {
            // A full-batch method's own words begin with its name.
            if end.starts_with(&s.name) {
                notes.push(end.clone());
            } else {
                notes.push(format!("{}: {end}", s.name));
            }
        }
    }
    let columns = rows[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(c, (text, &w))| {
            // Names to the left, numbers to the right.
            if c == 1 {
                format!("{text:<w$}")
            } else {
                format!("{text:>w$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = rows.iter().map(line).chain(notes).collect();
    lines.join("\n")
}

/// Six digits, and an exponent where it is far from 1.
pub(super) fn number(v: f64) -> String {
    match v.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => format!("{v:.6}"),
        _ => format!("{v:.3e}"),
    }
}
