//! The compiled tests of the workspace.
//!
//! **Invariant:** the whole workspace is compiled at once. A single package would select other features, so cargo would
//! compile third parties again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process;
use crate::repository::Repository;

/// The tests of one target of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) executable: PathBuf,
    /// The folder of the package, in which cargo runs its tests.
    folder: PathBuf,
    /// `lib`, `bin`, or the name of a test target.
    target: String,
}

impl Binary {
    /// The package's folder and the target, for a person.
    pub(crate) fn name(&self) -> String {
        let folder = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{folder}, {}", self.target)
    }

    /// Whether these are the tests of the target `target` of their package.
    pub(crate) fn is_of(&self, target: &str) -> bool {
        self.target == target
    }

    /// The command that runs these tests on this machine.
    pub(crate) fn command(&self, repository: &Repository) -> Command {
        self.below(repository, &[])
    }

    /// The same, started by the program `wrapper`.
    pub(crate) fn below(&self, repository: &Repository, wrapper: &[&str]) -> Command {
        let executable = self.executable.to_string_lossy();
        let words = [wrapper, &[&executable]].concat();
        let mut command = repository.command(words[0], &words[1..]);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }

    /// The names of its tests that contain one of `filters`; all if there is no filter.
    ///
    /// # Errors
    /// The tests cannot be listed.
    pub(crate) fn tests(
        &self,
        repository: &Repository,
        filters: &[&str],
    ) -> Result<Vec<String>, String> {
        let listed = process::output(self.command(repository).arg("--list").args(filters))?;
        let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(names.map(str::to_owned).collect())
    }
}

/// The compiled tests of the workspace.
pub(crate) struct Binaries(Vec<Binary>);

impl Binaries {
    /// Compiles the tests that the arguments `selected` of `cargo test` select in the workspace.
    ///
    /// # Errors
    /// They do not compile.
    pub(crate) fn compile(repository: &Repository, selected: &[&str]) -> Result<Self, String> {
        let format = "--message-format=json-render-diagnostics";
        let mut command = repository.cargo(&["test", "--workspace", "--no-run", format]);
        Ok(Self(read(&process::output(command.args(selected))?)))
    }

    /// The test programs.
    pub(crate) fn all(&self) -> &[Binary] {
        &self.0
    }

    /// The tests of the target `target` (`lib`, or the name of a test target) of `package`.
    ///
    /// # Errors
    /// There is no such target.
    pub(crate) fn find(
        &self,
        repository: &Repository,
        package: &str,
        target: &str,
    ) -> Result<&Binary, String> {
        let packages = repository.metadata["packages"].as_array().into_iter().flatten();
        let manifest = packages
            .filter(|found| found["name"].as_str() == Some(package))
            .find_map(|found| found["manifest_path"].as_str());
        let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
        let found =
            self.0.iter().find(|binary| Some(&*binary.folder) == folder && binary.target == target);
        found.ok_or_else(|| format!("`{package}` has no tests `{target}`"))
    }
}

/// The test programs that cargo names in its messages.
fn read(messages: &str) -> Vec<Binary> {
    messages.lines().filter_map(|line| binary(&serde_json::from_str(line).ok()?)).collect()
}

fn binary(message: &Value) -> Option<Binary> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let kinds: Vec<&str> =
        message["target"]["kind"].as_array()?.iter().filter_map(Value::as_str).collect();
    let target = match kinds[..] {
        ["test"] => message["target"]["name"].as_str()?,
        ["lib"] => "lib",
        ["bin"] => "bin",
        _ => return None,
    };
    let manifest = Path::new(message["manifest_path"].as_str()?);
    Some(Binary {
        executable: message["executable"].as_str()?.into(),
        folder: manifest.parent()?.to_owned(),
        target: target.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_found_in_the_messages_of_cargo() {
        let messages = [
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","target":{"kind":["lib"],"name":"a"},"profile":{"test":true},"executable":"/t/a-1"}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","target":{"kind":["lib"],"name":"a"},"profile":{"test":false},"executable":null}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","target":{"kind":["test"],"name":"e2e"},"profile":{"test":true},"executable":"/t/e2e-2"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];
        let found = read(&messages.join("\n"));
        let found: Vec<_> = found
            .iter()
            .map(|binary| {
                (binary.target.as_str(), binary.executable.to_str(), binary.folder.to_str())
            })
            .collect();
        let expected =
            [("lib", Some("/t/a-1"), Some("/w/a")), ("e2e", Some("/t/e2e-2"), Some("/w/a"))];
        assert_eq!(found, expected);
    }
}
