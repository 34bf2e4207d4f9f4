//! The sources of the image: the files that its `COPY` instructions take out of the context.
//!
//! **Invariant:** only files in git count, so a file of this machine alone proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::ignored::Ignored;

/// The files of the first stage of the Dockerfile, by their paths below its working folder, with the file of the
/// repository for each.
///
/// # Errors
/// A `COPY` or `ADD` takes a file that is not in the context.
pub(crate) fn image_files(
    paths: &BTreeSet<String>,
    dockerignore: &str,
    dockerfile: &str,
) -> Result<BTreeMap<String, String>, String> {
    let ignored = Ignored::read(dockerignore);
    let context: Vec<&String> = paths.iter().filter(|path| !ignored.has(path)).collect();
    let mut files = BTreeMap::new();
    for instruction in instructions(dockerfile) {
        let mut words = instruction.split_whitespace();
        let is_copy =
            words.next().is_some_and(|word| ["COPY", "ADD"].contains(&&*word.to_uppercase()));
        let words: Vec<&str> = words.collect();
        if !is_copy || words.iter().any(|word| word.starts_with("--from=")) {
            continue;
        }
        let operands: Vec<&str> =
            words.into_iter().filter(|word| !word.starts_with("--")).collect();
        let Some((to, sources)) = operands.split_last() else { continue };
        for source in sources {
            let taken = copied(&context, source, to, sources.len() > 1);
            if taken.is_empty() {
                return Err(format!(
                    "`{instruction}` of the Dockerfile finds no {source}: .dockerignore leaves it \
                     out, or it does not exist"
                ));
            }
            files.extend(taken);
        }
    }
    Ok(files)
}

/// The instructions of a Dockerfile, each on one line, without comments.
fn instructions(dockerfile: &str) -> Vec<String> {
    let lines =
        dockerfile.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut instructions = vec![String::new()];
    for line in lines {
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        if let Some(last) = instructions.last_mut() {
            last.push_str(part);
        }
        if !goes_on {
            instructions.push(String::new());
        }
    }
    instructions.retain(|instruction| !instruction.is_empty());
    instructions
}

/// The files of one operand of a `COPY`: the file, or everything in the folder.
fn copied(
    context: &[&String],
    source: &str,
    to: &str,
    is_one_of_many: bool,
) -> BTreeMap<String, String> {
    let source = normal(source);
    let (to, is_folder) = (normal(to), to.ends_with('/') || to == "." || is_one_of_many);
    let below = |folder: &str, path: &str| {
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    };
    let mut files = BTreeMap::new();
    for path in context {
        if **path == source {
            let name = path.rsplit('/').next().unwrap_or(path);
            files.insert(if is_folder { below(&to, name) } else { to.clone() }, (*path).clone());
        } else if source.is_empty() {
            files.insert(below(&to, path), (*path).clone());
        } else if let Some(rest) = path.strip_prefix(&format!("{source}/")) {
            files.insert(below(&to, rest), (*path).clone());
        }
    }
    files
}

/// A path without `.` and slashes at its ends.
fn normal(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn files(dockerignore: &str, dockerfile: &str) -> Result<Vec<String>, String> {
        let paths = ["Cargo.toml", "bench/Cargo.toml", "crates/a/src/lib.rs", "docs/a.md"];
        let paths = paths.into_iter().map(ToOwned::to_owned).collect();
        let files = image_files(&paths, dockerignore, dockerfile);
        files.map(|files| files.into_keys().collect())
    }

    #[test]
    fn whole_context_is_what_is_not_ignored() {
        let all =
            files("*\n!crates\n!Cargo.toml\n", "FROM a AS b\nCOPY . .\nCOPY --from=b /x /y\n")
                .unwrap();
        assert_eq!(all, ["Cargo.toml", "crates/a/src/lib.rs"]);
    }

    #[test]
    fn files_and_folders_go_where_the_instruction_says() {
        let dockerfile = "FROM a\n# COPY docs docs\nCOPY --link Cargo.toml \\\n  docs/a.md ./\nCOPY crates/ crates\n";
        assert_eq!(files("", dockerfile).unwrap(), ["Cargo.toml", "a.md", "crates/a/src/lib.rs"]);
    }

    #[test]
    fn what_an_instruction_takes_has_to_be_in_the_context() {
        let refusal = files("bench\n", "FROM a\nCOPY bench bench\n").unwrap_err();
        assert!(refusal.contains("finds no bench"), "{refusal}");
    }
}
