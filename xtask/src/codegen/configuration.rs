//! The reference of configuration keys, from the comments in the server's defaults.
//!
//! The file is read as people read it. `# text` above a key or a `[table]` describes it, and so does a comment behind
//! its value. Text with an empty line after it stands as a paragraph. A `[table]` or a key that is written as a
//! comment begins an example, which ends at the next empty line.

use std::fmt::Write;

pub(crate) const SOURCE: &str = "crates/server/config.default.toml";

const HEAD: &str = "\
# Configuration

<!-- Written by `cargo xtask codegen` from crates/server/config.default.toml. Change that file, not this one. -->

";

/// A key, with what is said about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Paragraph(String),
    Example(String),
    Table { name: String, text: String },
    Key(Entry),
}

/// The keys of a configuration file.
pub(crate) fn entries(source: &str) -> impl Iterator<Item = Entry> {
    parse(source).into_iter().filter_map(|item| match item {
        Item::Key(entry) => Some(entry),
        _ => None,
    })
}

pub(super) fn page(source: &str) -> String {
    let mut page = HEAD.to_owned();
    let mut in_rows = false;
    for item in parse(source) {
        let line = match item {
            Item::Paragraph(text) => text,
            Item::Example(lines) => format!("```toml\n{lines}```"),
            Item::Table { name, text } if text.is_empty() => format!("## `{name}`"),
            Item::Table { name, text } => format!("## `{name}`\n\n{text}"),
            Item::Key(entry) => {
                if !in_rows {
                    page.push_str("| Key | Default | Meaning |\n|---|---|---|\n");
                }
                in_rows = true;
                writeln!(page, "{}", row(&entry)).expect("a string takes everything");
                continue;
            }
        };
        let gap = if in_rows { "\n" } else { "" };
        in_rows = false;
        write!(page, "{gap}{line}\n\n").expect("a string takes everything");
    }
    format!("{}\n", page.trim_end())
}

fn row(Entry { name, value, text, .. }: &Entry) -> String {
    format!("| `{name}` | `{}` | {} |", value.replace('|', "\\|"), text.replace('|', "\\|"))
}

fn parse(source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut text: Vec<String> = Vec::new();
    let mut lines = (1..).zip(source.lines().map(str::trim)).peekable();
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = comment(line) {
            if comment.is_empty() {
                items.extend(paragraph(&mut text));
            } else if table_name(comment).is_some() || key_and_value(comment).is_some() {
                items.extend(paragraph(&mut text));
                let mut example = format!("{comment}\n");
                while let Some(comment) = lines.peek().and_then(|(_, line)| self::comment(line)) {
                    example = example + comment + "\n";
                    lines.next();
                }
                items.push(Item::Example(example));
            } else {
                text.push(comment.to_owned());
            }
        } else if let Some(name) = table_name(line) {
            items.push(Item::Table { name: name.to_owned(), text: take(&mut text) });
        } else if let Some((name, value)) = key_and_value(line) {
            let mut value = value.to_owned();
            while value.matches('[').count() > value.matches(']').count() {
                let Some((_, next)) = lines.next() else { break };
                value = format!("{value} {next}");
            }
            let (value, behind) = split_comment(&value);
            text.extend(behind.map(str::to_owned));
            let (name, value) = (name.to_owned(), value.to_owned());
            items.push(Item::Key(Entry { name, value, text: take(&mut text), line: number }));
        } else {
            items.extend(paragraph(&mut text));
        }
    }
    items.extend(paragraph(&mut text));
    items
}

fn comment(line: &str) -> Option<&str> {
    line.strip_prefix('#').map(|text| text.strip_prefix(' ').unwrap_or(text))
}

fn take(text: &mut Vec<String>) -> String {
    std::mem::take(text).join(" ")
}

fn paragraph(text: &mut Vec<String>) -> Option<Item> {
    (!text.is_empty()).then(|| Item::Paragraph(take(text)))
}

fn table_name(line: &str) -> Option<&str> {
    let line = split_comment(line).0;
    let name = line.trim_start_matches('[').trim_end_matches(']');
    (line.starts_with('[') && line.ends_with(']') && name.chars().all(in_key)).then_some(line)
}

fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))?;
    let is_value = value.starts_with(|c: char| c.is_ascii_digit() || "\"'[{-".contains(c))
        || ["true", "false"].iter().any(|word| value.starts_with(word));
    (!key.is_empty() && key.chars().all(in_key) && is_value).then_some((key, value))
}

fn in_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

/// A value, and the comment behind it.
fn split_comment(value: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (None, '#') => return (value[..at].trim_end(), Some(value[at + 1..].trim())),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    (value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"# All of it.

# Where to listen.
# Loopback, so that nothing is exposed by accident.
listen = "127.0.0.1:8080"
words = ["a#b"] # Behind.

[events]
# Long enough | for a weekend, x = y is no key.
schedule = [
    "1s",
    "5s",
]

# Apps are declared like this.
#
# [[app]]
# key = "0123"   # the secret
"##;

    #[test]
    fn the_page_has_every_key_under_its_table() {
        let expected = r#"All of it.

| Key | Default | Meaning |
|---|---|---|
| `listen` | `"127.0.0.1:8080"` | Where to listen. Loopback, so that nothing is exposed by accident. |
| `words` | `["a#b"]` | Behind. |

## `[events]`

| Key | Default | Meaning |
|---|---|---|
| `schedule` | `[ "1s", "5s", ]` | Long enough \| for a weekend, x = y is no key. |

Apps are declared like this.

```toml
[[app]]
key = "0123"   # the secret
```
"#;
        assert_eq!(page(FILE), format!("{HEAD}{expected}"));
    }

    #[test]
    fn entries_know_their_lines() {
        let found: Vec<_> = entries(FILE).map(|entry| (entry.name, entry.line)).collect();
        let expected = [("listen", 5), ("words", 6), ("schedule", 10)];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
    }
}
