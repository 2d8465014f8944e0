//! Just enough reading of Rust for the rules: which part of a file is code, and where its tests begin.

/// The same lines with comments, and the insides of strings, blanked out.
pub(super) fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => end_of_line(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => end_of_block_comment(&chars, at),
            '"' => end_of_string(&chars, at),
            'r' if !continues_word(&chars, at) => end_of_raw_string(&chars, at).unwrap_or(at),
            '\'' => end_of_char(&chars, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

fn end_of_line(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| from + length)
}

fn end_of_block_comment(chars: &[char], from: usize) -> usize {
    let mut depth = 0;
    let mut at = from;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn end_of_raw_string(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from + 1..].iter().take_while(|&&c| c == '#').count();
    let quote = from + 1 + hashes;
    if chars.get(quote) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| chars[at] == '"' && (1..=hashes).all(|n| chars.get(at + n) == Some(&'#'));
    Some((quote + 1..chars.len()).find(|&at| closes(at)).map_or(chars.len(), |at| at + 1 + hashes))
}

/// The end of a character literal; `None` for a lifetime.
fn end_of_char(chars: &[char], from: usize) -> Option<usize> {
    if chars.get(from + 1) == Some(&'\\') {
        let after_escaped = from + 3;
        return chars[after_escaped..]
            .iter()
            .position(|&c| c == '\'')
            .map(|length| after_escaped + length + 1);
    }
    (chars.get(from + 2) == Some(&'\'')).then_some(from + 3)
}

/// Whether a letter at this place belongs to a longer word. The `b` of `br"…"` does not count.
fn continues_word(chars: &[char], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map(|at| chars[at]);
    match before(1) {
        Some('b') => before(2).is_some_and(is_word),
        other => other.is_some_and(is_word),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words of a line of code, each with the place where it starts.
pub(super) fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = line.char_indices().scan(' ', |before, (at, c)| {
        let starts = is_word(c) && !is_word(*before);
        *before = c;
        Some((at, starts))
    });
    starts.filter(|&(_, starts)| starts).map(|(at, _)| {
        let rest = &line[at..];
        (at, &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())])
    })
}

/// Lines, counted from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Whether all of a file is for tests.
pub(super) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.starts_with("tests/") || path.contains("/tests/")
}

/// The line on which a file's tests begin; one past its end if it has none.
pub(super) fn tests_begin(path: &str, source: &str) -> usize {
    if is_test_file(path) {
        return 1;
    }
    let mut lines = source.lines().zip(source.lines().skip(1).chain([""]));
    let found =
        lines.position(|(line, next)| line == "#[cfg(test)]" && next.ends_with('{') && is_module(next));
    found.map_or(source.lines().count() + 1, |index| index + 1)
}

fn is_module(line: &str) -> bool {
    line.starts_with("mod ") || line.starts_with("pub mod ") || line.starts_with("pub(crate) mod ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blanked_and_code_stays_where_it_is() {
        let table = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x \" y", z)"#, "f(        , z)"),
            ("f(r#\"x \" y\"#, z)", "f(          , z)"),
            ("br\"x\" y", "b     y"),
            ("'\\'' 'x' &'a str", "         &'a str"),
            ("var\"x\"", "var   "),
            ("\"a\nb\" c", "  \n   c"),
        ];
        for (source, code) in table {
            assert_eq!(code_only(source), code, "{source}");
        }
    }

    #[test]
    fn words_are_whole() {
        let found: Vec<_> = words("use crate::http_x; (http)").collect();
        assert_eq!(found, [(0, "use"), (4, "crate"), (11, "http_x"), (20, "http")]);
    }

    #[test]
    fn tests_begin_at_their_module() {
        assert_eq!(tests_begin("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        assert_eq!(tests_begin("a.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n"), 4);
        assert_eq!(tests_begin("a.rs", "fn a() {}\n"), 2);
        assert_eq!(tests_begin("crates/server/tests/api/main.rs", "fn a() {}\n"), 1);
    }
}
