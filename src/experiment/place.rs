//! Finds the line on which a key of a TOML file stands.

use toml::de::{DeTable, DeValue};

/// The line, from 1, of the value at `key` (as in `network.layers[1].dense`).
/// A key that is not in the file gives the line of the nearest table above it
/// that is, or `None` if there is none.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut value: Option<&DeValue<'_>> = None;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let table = match value {
            None => document.get_ref(),
            Some(DeValue::Table(table)) => table,
            Some(_) => break,
        };
        let Some(found) = table.get(name) else { break };
        span = Some(found.span());
        value = Some(found.get_ref());
        if let (Some(index), Some(DeValue::Array(items))) = (index, value) {
            let Some(found) = items.get(index) else { break };
            span = Some(found.span());
            value = Some(found.get_ref());
        }
    }
    let start = span?.start.min(text.len());
    Some(
        text.as_bytes()[..start]
            .iter()
            .filter(|&&b| b == b'\n')
            .count()
            + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::line_of;

    const TEXT: &str = "a = 1\n[b]\nc = [\n  { d = 1 },\n  { d = 2 },\n]\n";

    #[test]
    fn lines_of_nested_keys() {
        assert_eq!(line_of(TEXT, "a"), Some(1));
        assert_eq!(line_of(TEXT, "b.c[1].d"), Some(5));
        assert_eq!(line_of(TEXT, "b.c"), Some(3));
    }

    #[test]
    fn a_missing_key_gives_its_table() {
        assert_eq!(line_of(TEXT, "b.c[0].e"), Some(4));
        assert_eq!(line_of(TEXT, "x"), None);
    }
}
