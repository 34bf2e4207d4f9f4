//! Small text files with a checksum: `meta` and `anchor`.
//!
//! A title line, lines of `name value`, and a last line `check` with the CRC-32 of the rest.
//!
//! **Invariant:** such a file is replaced by rename, synced before and after, so there is always a
//! complete one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Replaces the file `name` in `dir`.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    title: &str,
    fields: &[(&str, String)],
) -> io::Result<()> {
    let mut text = format!("{title}\n");
    for (field, value) in fields {
        text.extend([*field, " ", value, "\n"]);
    }
    text.push_str(&check(text.as_bytes()));
    let draft = dir.join(format!("{name}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(name))?;
    sync(dir)
}

fn check(text: &[u8]) -> String {
    format!("check {:08x}\n", crc32fast::hash(text))
}

/// Makes a file, or the names in a folder, durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The state of a file with a checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sealed<T> {
    /// The file does not exist.
    Absent,
    /// The file is intact.
    Whole(T),
    /// The file is damaged; the text names the damage.
    Damaged(String),
}

impl<T> Sealed<T> {
    /// Reads further in an intact file; an absent or damaged one stays what it is.
    pub(crate) fn and_then<U, E>(
        self,
        read: impl FnOnce(T) -> Result<Sealed<U>, E>,
    ) -> Result<Sealed<U>, E> {
        match self {
            Self::Absent => Ok(Sealed::Absent),
            Self::Damaged(damage) => Ok(Sealed::Damaged(damage)),
            Self::Whole(content) => read(content),
        }
    }
}

/// The fields of a file, by name.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the file `name` in `dir`.
    pub(crate) fn read(dir: &Path, name: &str, title: &str) -> io::Result<Sealed<Self>> {
        match fs::read(dir.join(name)) {
            Ok(bytes) => Ok(Self::parse(&bytes, title).map_or_else(Sealed::Damaged, Sealed::Whole)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Sealed::Absent),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8], title: &str) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|_| "it is not text")?;
        let checked = text.rfind("check ").ok_or("its last line is missing")?;
        if text[checked..] != check(&bytes[..checked]) {
            return Err("its checksum does not match".to_owned());
        }
        let mut lines = text[..checked].lines();
        if lines.next() != Some(title) {
            return Err(format!("its first line is not `{title}`"));
        }
        let fields = lines.filter_map(|line| line.split_once(' '));
        Ok(Self(fields.map(|(field, value)| (field.to_owned(), value.to_owned())).collect()))
    }

    /// The value of `field`, read by `parse`.
    pub(crate) fn get<T>(
        &self,
        field: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let value = self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value);
        let value = value.ok_or_else(|| format!("it lacks the field `{field}`"))?;
        parse(value).ok_or_else(|| format!("the value of `{field} {value}` is invalid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_changed_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        write(dir.path(), "note", "a note", &[("pages", "12".to_owned())]).expect("a write");
        let read = || Fields::read(dir.path(), "note", "a note").expect("a read");
        let Sealed::Whole(fields) = read() else { panic!("it is whole") };
        assert_eq!(fields.get("pages", |text| text.parse().ok()), Ok(12));
        let text = fs::read_to_string(dir.path().join("note")).expect("a read");
        fs::write(dir.path().join("note"), text.replace("12", "13")).expect("a write");
        let Sealed::Damaged(damage) = read() else { panic!("it is damaged") };
        assert_eq!(damage, "its checksum does not match");
        let other = Fields::read(dir.path(), "other", "a note").expect("a read");
        assert!(matches!(other, Sealed::Absent));
    }
}
