//! Text that would tie the repository to one machine: its folders, and the hosts it installs from.

use crate::repository::Tree;

/// Written in pieces, so that this file does not find itself.
const FORBIDDEN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("registry.np", "mjs.org"),
    concat!("registry.ya", "rnpkg.com"),
    concat!("files.python", "hosted.org"),
    concat!("//py", "pi.org"),
    concat!("deb.deb", "ian.org"),
];

/// Finds absolute paths of a machine and hosts of package registries.
pub(crate) fn leaks(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in &tree.texts {
        for (index, line) in text.lines().enumerate() {
            let found = FORBIDDEN.iter().filter(|forbidden| stands_alone(line, forbidden));
            violations.extend(found.map(|forbidden| {
                format!(
                    "{path}:{}: `{forbidden}` belongs to one machine, not into the repository",
                    index + 1
                )
            }));
        }
    }
    violations
}

/// Whether `word` occurs in `line` other than as a part of a longer path (`docs/WORD`).
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/')
            || word.starts_with("//")
            || !before.is_some_and(|before| before.is_alphanumeric() || "._-~*}".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> usize {
        let mut tree = Tree::default();
        tree.texts.insert("docs/a.md".to_owned(), format!("first line\n{line}\n"));
        leaks(&tree).len()
    }

    #[test]
    fn folder_of_a_machine_is_found() {
        assert_eq!(found(concat!("see /wo", "rk/main/README.md")), 1);
        assert_eq!(found(concat!("path = \"/ro", "ot/.cargo\"")), 1);
    }

    #[test]
    fn folder_of_the_same_name_inside_a_path_passes() {
        assert_eq!(found(concat!("see docs/wo", "rk/README.md")), 0);
    }

    #[test]
    fn host_of_a_registry_is_found() {
        assert_eq!(found(concat!("\"resolved\": \"https://registry.np", "mjs.org/a/-/a.tgz\"")), 1);
    }
}
