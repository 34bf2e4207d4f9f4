//! The places of the repository, its build folder and its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{process, tools};

/// Longest file that is read as text, in bytes: longer ones are data or bundles.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// The checkout in which `cargo xtask` runs.
pub(crate) struct Repository {
    /// Folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's build folder.
    pub(crate) target: PathBuf,
    /// `cargo metadata` of the workspace's own packages.
    pub(crate) metadata: Value,
    /// The place of the installed Node.js, if the machine has no suitable one; looked up once.
    node: OnceLock<Option<PathBuf>>,
}

/// The files under version control, and those that could be added.
#[derive(Default)]
pub(crate) struct Tree {
    /// Every path, relative to the root, with `/`.
    pub(crate) paths: BTreeSet<String>,
    /// The content of the text files.
    pub(crate) texts: BTreeMap<String, String>,
}

impl Tree {
    /// The texts whose name ends in this extension.
    pub(crate) fn texts_with(&self, extension: &str) -> impl Iterator<Item = (&String, &String)> {
        self.texts.iter().filter(move |(path, _)| has_extension(path, extension))
    }
}

/// Whether a machine runs the checks, as `CI=true` says: then a step without its tool fails.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Whether the file name ends in `.` and `extension`.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

impl Repository {
    /// Finds the workspace that this program belongs to.
    ///
    /// # Errors
    /// Cargo cannot describe the workspace.
    pub(crate) fn open() -> Result<Self, String> {
        // `cargo run` sets the variable; the constant serves if the binary is called directly.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let mut command = Command::new(cargo_program());
        command.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(&manifest);
        let metadata: Value = serde_json::from_str(&process::output(&mut command)?)
            .map_err(|error| format!("cannot read the answer of `cargo metadata`: {error}"))?;
        let path = |key: &str| {
            let text = metadata[key].as_str();
            text.map(PathBuf::from).ok_or_else(|| format!("`cargo metadata` names no {key}"))
        };
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        Ok(Self { root, target, metadata, node: OnceLock::new() })
    }

    /// The command `cargo`, to be run at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(cargo_program(), arguments);
        // A build from nothing gains nothing from the records for the next build, and they fill the disk.
        if in_ci() {
            command.env("CARGO_INCREMENTAL", "0");
        }
        command
    }

    /// Any command, to be run at the root.
    pub(crate) fn command(
        &self,
        program: impl AsRef<std::ffi::OsStr>,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        if let Some(node) = self.node_folder() {
            let path = std::env::var_os("PATH").unwrap_or_default();
            command.env("PATH", tools::before(node, &path));
        }
        command
    }

    /// The folder to search first for Node.js, if the machine has no suitable one.
    pub(crate) fn node_folder(&self) -> Option<&Path> {
        let look = || {
            let path = std::env::var_os("PATH").unwrap_or_default();
            (!tools::will_do(&path)).then(|| self.target.join("tools/node-bin"))
        };
        self.node.get_or_init(look).as_deref()
    }

    /// The `rookery` program of the development build.
    pub(crate) fn binary(&self) -> PathBuf {
        self.target.join("debug/rookery")
    }

    /// An empty folder of this name in the build folder.
    ///
    /// # Errors
    /// The folder cannot be emptied or made.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.target.join("xtask").join(name);
        let made = match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&folder),
        };
        made.map_err(|error| format!("cannot make an empty {}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Reads all files that git knows or would add.
    ///
    /// # Errors
    /// Git cannot list them, or one cannot be read.
    pub(crate) fn tree(&self) -> Result<Tree, String> {
        let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = process::output(&mut self.command("git", &arguments))?;
        let mut tree = Tree::default();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            let file = self.root.join(path);
            // A file that was deleted and not yet committed is still listed.
            let Ok(metadata) = fs::metadata(&file) else { continue };
            tree.paths.insert(path.to_owned());
            if metadata.len() <= TEXT_BYTES_MAX
                && let Some(text) = read_text(&file)?
            {
                tree.texts.insert(path.to_owned(), text);
            }
        }
        Ok(tree)
    }
}

fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn read_text(file: &Path) -> Result<Option<String>, String> {
    let bytes =
        fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(String::from_utf8(bytes).ok())
}
