//! `.dockerignore`: the files of the repository that a build of the image can see.
//!
//! **Invariant:** a rule has the meaning of Docker's documentation: the last matching rule decides, and a rule that
//! matches a folder matches everything below it.

/// The rules of a `.dockerignore`, in their order.
pub(crate) struct Ignored(Vec<Rule>);

struct Rule {
    /// The parts between the slashes.
    pattern: Vec<String>,
    /// `!`: matching files are part of the context after all.
    includes: bool,
}

impl Ignored {
    /// Reads the rules.
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::trim);
        let rules = lines.filter(|line| !line.is_empty()).map(|line| {
            let (includes, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, line),
            };
            let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
            Rule { pattern: parts.map(ToOwned::to_owned).collect(), includes }
        });
        Self(rules.collect())
    }

    /// Whether a file is left out. `path` is relative to the root, with `/`.
    pub(crate) fn has(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |rule: &&Rule| (1..=parts.len()).any(|end| fits(&rule.pattern, &parts[..end]));
        self.0.iter().rev().find(fits).is_some_and(|rule| !rule.includes)
    }
}

/// Whether a pattern fits a path as a whole; `**` is any number of folders.
fn fits(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            fits(rest, path) || path.split_first().is_some_and(|(_, below)| fits(pattern, below))
        }
        (Some((first, rest)), Some((name, below))) => {
            let (glob, name): (Vec<char>, Vec<char>) =
                (first.chars().collect(), name.chars().collect());
            fits_name(&glob, &name) && fits(rest, below)
        }
        _ => false,
    }
}

/// Whether a pattern with `*`, `?` and `[a-z]` fits a name.
fn fits_name(glob: &[char], name: &[char]) -> bool {
    match (glob, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            fits_name(rest, name) || matches!(name, [_, more @ ..] if fits_name(glob, more))
        }
        (['?', rest @ ..], [_, more @ ..]) => fits_name(rest, more),
        (['[', set @ ..], [letter, more @ ..]) => {
            let Some(end) = set.iter().position(|letter| *letter == ']') else { return false };
            is_in(&set[..end], *letter) && fits_name(&set[end + 1..], more)
        }
        (['\\', wanted, rest @ ..] | [wanted, rest @ ..], [letter, more @ ..]) => {
            wanted == letter && fits_name(rest, more)
        }
        _ => false,
    }
}

/// Whether a letter is in a set such as `a-z_` or `^0-9`.
fn is_in(set: &[char], letter: char) -> bool {
    let (negated, mut set) = match set {
        ['^', rest @ ..] => (true, rest),
        set => (false, set),
    };
    let mut found = false;
    while let [first, rest @ ..] = set {
        (found, set) = match rest {
            ['-', last, rest @ ..] => (found || (*first..=*last).contains(&letter), rest),
            rest => (found || *first == letter, rest),
        };
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_rule_that_fits_decides() {
        let ignored = Ignored::read(
            "# comment\n*\n!crates\n!tests/e2e/\ncrates/*/notes.md\n\n!/Cargo.toml\n",
        );
        for kept in ["crates/log/src/lib.rs", "tests/e2e/main.rs", "Cargo.toml"] {
            assert!(!ignored.has(kept), "{kept}");
        }
        for left_out in
            ["bench/Cargo.toml", "tests/browser/a.mjs", "crates/log/notes.md", "x/Cargo.toml"]
        {
            assert!(ignored.has(left_out), "{left_out}");
        }
    }

    #[test]
    fn patterns_fit_as_docker_says() {
        for (rule, path, left_out) in [
            ("**/*.md", "README.md", true),
            ("**/*.md", "docs/deep/a.md", true),
            ("docs/**", "docs/deep/a.md", true),
            ("*.md", "docs/a.md", false),
            ("a?c", "abc/deep", true),
            ("log[0-9]", "log7", true),
            ("log[^0-9]", "log7", false),
            ("\\*", "a", false),
            ("target", "target/debug/a", true),
            ("target", "xtarget", false),
        ] {
            assert_eq!(Ignored::read(rule).has(path), left_out, "{rule} and {path}");
        }
    }
}
