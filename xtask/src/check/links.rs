//! Relative links of the Markdown pages: the file exists, and so does the heading.
//!
//! **Invariant:** text in code, inline or fenced, is not a link.

use std::collections::BTreeSet;

use crate::repository::{Tree, has_extension};

/// Finds links to files or headings that do not exist.
pub(crate) fn links(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts_with("md") {
        for (line, target) in targets(text) {
            if let Some(reason) = broken(tree, path, &target) {
                violations.push(format!("{path}:{line}: link to `{target}`: {reason}"));
            }
        }
    }
    violations
}

/// Why `target`, as written in the page at `path`, leads nowhere.
fn broken(tree: &Tree, path: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(file) = resolve(path, file) else {
        return Some("it leads out of the repository".to_owned());
    };
    let folder = format!("{file}/");
    let is_folder = file.is_empty() || tree.paths.iter().any(|known| known.starts_with(&folder));
    if !is_folder && !tree.paths.contains(&file) {
        return Some("no such file".to_owned());
    }
    let heading = !anchor.is_empty() && has_extension(&file, "md");
    let page = tree.texts.get(&file).filter(|_| heading)?;
    (!anchors(page).contains(anchor)).then(|| format!("no such heading in {file}"))
}

/// The path of `target` in the page at `page`; `None` if it is above the root.
fn resolve(page: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((index + 1, line)),
            _ => {}
        }
        None
    })
}

/// The targets of all links, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        targets.extend(inline.map(|target| (number, target.trim_matches(['<', '>']).to_owned())));
        let is_definition = line.starts_with('[') && !line.starts_with("[^");
        if let Some((_, rest)) = line.split_once("]: ").filter(|_| is_definition)
            && let Some(target) = rest.split_whitespace().next()
        {
            targets.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    targets
}

/// The line without the text between backticks.
fn without_code(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let closed = pieces.len() % 2 == 1;
    let outside = pieces.iter().enumerate().filter(|(index, _)| !closed || index % 2 == 0);
    outside.map(|(_, piece)| *piece).collect::<Vec<_>>().join("`")
}

/// The anchors of a page's headings: lower case, spaces to hyphens, punctuation dropped, a number
/// after a repeated one.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page) {
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if !(1..=6).contains(&level) || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let mut anchor = slug.clone();
        let mut again = 0;
        while !anchors.insert(anchor.clone()) {
            again += 1;
            anchor = format!("{slug}-{again}");
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.paths.insert((*path).to_owned());
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        links(&tree)
    }

    #[test]
    fn links_to_files_folders_and_headings_pass() {
        let readme = "# Rookery\n[a](docs/a.md) [b](docs/a.md#the-log-on-sled) [c](docs/) [d](#rookery)\n\n[e]: docs/a.md\n";
        let page = "# A\n## The log, on `sled`\n[up](../README.md)\n";
        assert_eq!(check(&[("README.md", readme), ("docs/a.md", page)]), Vec::<String>::new());
    }

    #[test]
    fn missing_file_is_named_with_page_and_line() {
        let violations = check(&[("README.md", "# A\n\nsee [b](docs/b.md)\n")]);
        assert_eq!(violations, ["README.md:3: link to `docs/b.md`: no such file"]);
    }

    #[test]
    fn missing_heading_is_named() {
        let violations = check(&[("README.md", "[b](b.md#two)\n"), ("b.md", "# One\n")]);
        assert_eq!(violations, ["README.md:1: link to `b.md#two`: no such heading in b.md"]);
    }

    #[test]
    fn second_heading_of_one_name_gets_a_number() {
        assert_eq!(check(&[("a.md", "# Run\n# Run\n[x](#run-1)\n")]), Vec::<String>::new());
        assert_eq!(check(&[("a.md", "# Run\n[x](#run-1)\n")]).len(), 1);
    }

    #[test]
    fn link_out_of_the_repository_is_refused() {
        assert_eq!(check(&[("README.md", "[b](../b.md)\n")]).len(), 1);
    }

    #[test]
    fn code_and_foreign_addresses_are_no_links() {
        let page = "`[a](gone.md)`\n```\n[b](gone.md)\n# no heading\n```\n[c](https://example.org/gone.md)\n";
        assert_eq!(check(&[("README.md", page)]), Vec::<String>::new());
    }
}
