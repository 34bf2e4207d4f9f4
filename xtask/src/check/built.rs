//! The sources of the program, as the compiler lists them beside it.

use std::path::Path;

/// The files below `root` that the compiler has read for the program, as it lists them, and that `folder` lacks.
pub(crate) fn lacking(dependencies: &str, root: &Path, folder: &Path) -> Vec<String> {
    let names = dependencies.replace("\\ ", "\0");
    let names = names.split_whitespace().skip(1).map(|name| name.replace('\0', " "));
    let inside = names.filter_map(|name| {
        Path::new(&name).strip_prefix(root).ok().map(|inside| inside.display().to_string())
    });
    inside.filter(|inside| !folder.join(inside).exists()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn file_that_the_program_is_built_from_and_the_image_lacks_is_found() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.rs"), "").expect("writes");
        let root = root.path().display();
        let text = format!("{root}/target/rookery: {root}/a.rs {root}/b\\ c.svg /elsewhere/x.rs\n");
        let found = lacking(&text, Path::new(&root.to_string()), folder.path());
        assert_eq!(found, ["b c.svg"]);
    }
}
