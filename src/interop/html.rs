//! Putting text into pages without its being taken for markup.

/// `page` with each `@NAME@` replaced, in one pass, so that what is put in is
/// never looked at again.
pub(super) fn fill(page: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = page;
    'next: while let Some((before, after)) = rest.split_once('@') {
        out += before;
        for (name, value) in parts {
            if let Some(tail) = after.strip_prefix(name).and_then(|t| t.strip_prefix('@')) {
                out += value;
                rest = tail;
                continue 'next;
            }
        }
        out.push('@');
        rest = after;
    }
    out + rest
}

/// Text as HTML content.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// JSON within a script element, which only `<` could end.
pub(super) fn json_in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_looked_at_again() {
        let page = fill("a@A@ b@c @B@", &[("A", "@B@"), ("B", "x")]);
        assert_eq!(page, "a@B@ b@c x");
    }

    #[test]
    fn no_text_becomes_an_element_or_an_attribute() {
        assert_eq!(escape("a<b> & \"c\"\n"), "a&lt;b&gt; &amp; &quot;c&quot; ");
        assert_eq!(json_in_script("\"</script>\""), "\"\\u003c/script>\"");
    }
}
