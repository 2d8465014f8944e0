//! Pages have one title, and links that lead somewhere.

use super::Findings;
use super::rust::numbered;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.ending(".md") {
        let titles: Vec<usize> =
            prose(text).filter(|(_, line)| line.starts_with("# ")).map(|(n, _)| n).collect();
        if titles.len() != 1 {
            let line = titles.get(1).copied().unwrap_or(1);
            findings.add(path, line, format!("{} titles; a page has exactly one `# …`", titles.len()));
        }
        for (number, line) in prose(text) {
            for target in links(line).filter(|target| !leads_somewhere(tree, path, target)) {
                findings.add(path, number, format!("`{target}` leads nowhere; correct or remove the link"));
            }
        }
    }
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    numbered(text).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of `[text](target)` and of `[name]: target`, outside of code spans.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let inline = line
        .match_indices("](")
        .filter(|(at, _)| line[..*at].matches('`').count().is_multiple_of(2))
        .filter_map(|(at, _)| {
            let rest = &line[at + 2..];
            rest.split([')', ' ']).next()
        });
    let defined = line.starts_with('[').then(|| line.split_once("]: ")).flatten();
    inline.chain(defined.into_iter().filter_map(|(_, target)| target.split(' ').next()))
}

fn leads_somewhere(tree: &Tree, page: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = (if file.is_empty() { Some(page.to_owned()) } else { resolve(page, file) }) else {
        return false;
    };
    let exists = tree.has(&path);
    let Some(text) = tree.text(&path).filter(|_| path.ends_with(".md") && !anchor.is_empty()) else {
        return exists;
    };
    prose(text).any(|(_, line)| line.starts_with('#') && slug(line) == anchor)
}

/// A link as a path from the root; `None` if it leaves the repository.
fn resolve(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchor that web pages give a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_page_has_one_title() {
        assert!(places(check, &[("a.md", "# A\n```sh\n# not a title\n```\n")]).is_empty());
        assert_eq!(places(check, &[("a.md", "# A\n\n# B\n")]), ["a.md:3"]);
        assert_eq!(places(check, &[("a.md", "## A\n")]), ["a.md:1"]);
    }

    #[test]
    fn links_lead_somewhere() {
        let found = |link: &str| {
            let page = format!("# A\n{link}\n");
            places(
                check,
                &[("docs/a.md", &page), ("docs/b.md", "# B\n## Two words, `code`\n"), ("src/x.rs", "")],
            )
        };
        let good = [
            "[b](b.md)",
            "[b](b.md#two-words-code)",
            "[a](#a)",
            "[x](../src/x.rs)",
            "[src](../src/)",
            "[w](https://example.com/x.md)",
            "`[code](nowhere.md)`",
            "[b]: b.md",
        ];
        for link in good {
            assert!(found(link).is_empty(), "{link}");
        }
        for link in
            ["[c](c.md)", "[b](b.md#three)", "[a](#b)", "[x](src/x.rs)", "[o](../../b.md)", "[c]: c.md"]
        {
            assert_eq!(found(link), ["docs/a.md:2"], "{link}");
        }
    }
}
