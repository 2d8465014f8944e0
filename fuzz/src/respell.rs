//! The same JSON, spelt otherwise: no reader of it may tell the difference.

/// With white space wherever JSON allows it beside a bracket, a comma or a colon. Text that is not JSON stays so.
pub fn spaced(json: &str) -> String {
    let mut out = String::with_capacity(3 * json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        let structural = !in_string && "{}[],:".contains(c);
        if structural {
            out.push('\n');
        }
        out.push(c);
        if structural {
            out.push_str("\t ");
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
    }
    out
}

/// With one more member that nobody knows, if it is an object.
pub fn with_stranger(json: &str) -> String {
    let Some(members) = trim_start(json).strip_prefix('{') else { return json.to_owned() };
    let comma = if trim_start(members).starts_with('}') { "" } else { "," };
    format!(r#"{{"a stranger":[{{"x":null}}]{comma}{members}"#)
}

/// A debugging text without white space, in which two spellings of the same look the same.
pub fn squeezed(shown: &str) -> String {
    shown.split_ascii_whitespace().collect()
}

/// Without the white space that JSON allows, which is not all that there is.
fn trim_start(json: &str) -> &str {
    json.trim_start_matches([' ', '\t', '\n', '\r'])
}
