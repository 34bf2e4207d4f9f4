//! Checks of the data folder before its first use.
//!
//! **Invariant:** this module creates and changes nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::fs::Access;

/// Why the folder of `--data` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used: {reason}; name another folder with --data", folder.display())]
pub struct FolderError {
    folder: PathBuf,
    reason: String,
}

/// Checks that `folder` is a folder, or can become one, before any other use.
///
/// # Errors
/// [`FolderError`], which names the file or folder that is in the way.
pub fn check_folder(folder: &Path) -> Result<(), FolderError> {
    let refuse = |reason| FolderError { folder: folder.into(), reason };
    let (nearest, metadata) = nearest(folder).map_err(refuse)?;
    if metadata.is_dir() {
        return Ok(());
    }
    let what = if nearest == folder { "it".to_owned() } else { nearest.display().to_string() };
    Err(refuse(format!("{what} is a file")))
}

/// Checks that the process can create files in `folder`, or the folder itself if it does not exist.
///
/// # Errors
/// [`FolderError`], which names the file or folder that does not permit it.
pub fn check_writable(folder: &Path) -> Result<(), FolderError> {
    check_folder(folder)?;
    let refuse = |reason| FolderError { folder: folder.into(), reason };
    let (nearest, _) = nearest(folder).map_err(refuse)?;
    let path = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let error = io::Error::from(error);
        refuse(format!("this user may not write to {} ({error})", path.display()))
    })
}

/// The folder, or its nearest existing ancestor.
fn nearest(folder: &Path) -> Result<(&Path, fs::Metadata), String> {
    for path in folder.ancestors() {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match fs::metadata(path) {
            Ok(metadata) => return Ok((path, metadata)),
            // Below a file, the system reports a missing path as `NotADirectory`.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(error) => return Err(format!("cannot look at {}: {error}", path.display())),
        }
    }
    Err("the file system has no root".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_is_there_or_can_be_made_is_taken() {
        let outer = tempfile::tempdir().expect("a folder");
        for folder in [outer.path().to_owned(), outer.path().join("deep/data")] {
            assert!(check_folder(&folder).is_ok() && check_writable(&folder).is_ok());
        }
        assert!(check_folder(Path::new("no-such-folder")).is_ok());
        assert!(!outer.path().join("deep").exists());
    }

    #[test]
    fn file_in_the_place_of_the_folder_is_named() {
        let outer = tempfile::tempdir().expect("a folder");
        let file = outer.path().join("file");
        fs::write(&file, "").expect("writes");
        let said = check_folder(&file).expect_err("refused").to_string();
        assert!(said.contains("it is a file") && said.contains("--data"), "{said}");
        let said = check_writable(&file.join("deep/data")).expect_err("refused").to_string();
        assert!(said.contains(&format!("{} is a file", file.display())), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn folder_that_takes_no_files_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().expect("a folder");
        let mode = |mode| fs::set_permissions(outer.path(), fs::Permissions::from_mode(mode));
        mode(0o500).expect("closes");
        let inner = check_writable(&outer.path().join("data"));
        mode(0o700).expect("opens");
        let Err(said) = inner.map_err(|error| error.to_string()) else {
            eprintln!("skipped: this user may write everywhere");
            return;
        };
        assert!(said.contains(&format!("may not write to {}", outer.path().display())), "{said}");
    }
}
