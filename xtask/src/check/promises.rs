//! The page of promises: each test that it names is in the sources.

use std::collections::BTreeSet;

use crate::repository::Tree;

/// The page, from the root of the repository.
const PAGE: &str = "docs/features.md";

/// Finds tests on the page that do not exist, or that have another name by now.
pub(crate) fn promises(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.texts.get(PAGE) else {
        return vec![format!("{PAGE} is missing: it lists the tests that hold each promise")];
    };
    let mut written: BTreeSet<&str> =
        tree.texts_with("rs").flat_map(|(_, text)| functions(text, "fn ")).collect();
    written.extend(tree.texts_with("py").flat_map(|(_, text)| functions(text, "def ")));
    written.extend(tree.texts_with("mjs").flat_map(|(_, text)| node_tests(text)));
    let missing = page.lines().enumerate().flat_map(|(index, line)| {
        let named = named_tests(line).filter(|name| !written.contains(name));
        named.map(move |name| format!("{PAGE}:{}: no test is called `{name}`", index + 1))
    });
    missing.collect()
}

/// The names of all functions in a source whose language begins them with `keyword`.
fn functions<'a>(source: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    source.split(keyword).skip(1).filter_map(|rest| rest.split(['(', '<']).next())
}

/// The names of the tests in a source for Node.js, up to a parameter of the test.
fn node_tests(source: &str) -> impl Iterator<Item = &str> {
    let rests = source.split("test(").skip(1).filter_map(|rest| rest.strip_prefix(['"', '`']));
    rests.filter_map(|rest| rest.split(['"', '`', ':']).next())
}

/// The tests in a line of the page: the texts between backticks that are sentences, without their
/// modules.
fn named_tests(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split('`').skip(1).step_by(2);
    let names = code.filter_map(|code| code.rsplit("::").next());
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    names.filter(move |name| name.matches('_').count() >= 2 && name.bytes().all(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str) -> Vec<String> {
        let mut tree = Tree::default();
        let source = "#[test]\nfn nobody_is_lost(rig: &Rig) {}\npub async fn all_is_well<T>() {}\n";
        let node = "test(\"all_come_back\", () => {});\ntest(`seeds_are_sown: ${seed}`, sow);\n";
        let python = "@check\ndef nothing_gets_out(answer):\n    pass\n";
        let sources = [("tests/a.rs", source), ("tests/b.mjs", node), ("tests/c.py", python)];
        for (path, text) in sources.into_iter().chain([(PAGE, page)]) {
            tree.paths.insert(path.to_owned());
            tree.texts.insert(path.to_owned(), text.to_owned());
        }
        promises(&tree)
    }

    #[test]
    fn tests_that_are_there_pass_with_or_without_their_modules() {
        let page =
            "| it holds | `createRoom(input)` | `nobody_is_lost`, `a::all_is_well` (e2e) |\n";
        assert_eq!(check(page), Vec::<String>::new());
    }

    #[test]
    fn tests_for_node_pass_with_or_without_a_parameter() {
        assert_eq!(check("`all_come_back`, `seeds_are_sown`\n"), Vec::<String>::new());
    }

    #[test]
    fn checks_in_python_pass() {
        assert_eq!(check("`nothing_gets_out` (schemathesis)\n"), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_is_not_there_is_named_with_its_line() {
        let found = check("# Promises\n\n| `sendMessage` | `somebody_is_lost` |\n");
        assert_eq!(found, ["docs/features.md:3: no test is called `somebody_is_lost`"]);
    }
}
