use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;

const LOG: &[u8] = b"[10:00] <ada> hi\n=== bob [~b@host]  has joined #Made-Up\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *content).expect("in memory");
    }
    tar.into_inner().expect("in memory")
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    folder
}

fn open(folder: &TempDir, paths: &[&str], channel: Option<&str>) -> Result<Source, SourceError> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
    Source::open(&paths, channel)
}

/// All lines, each with the last part of the name of its file, and its number.
fn lines(source: &mut Source) -> Vec<(String, u64, Vec<u8>)> {
    let mut all = Vec::new();
    for index in 0..source.files().len() {
        let name = source.files()[index].name.rsplit('/').next().unwrap_or_default().to_owned();
        let mut lines = source.lines(index).expect("opens");
        while let Some((number, line)) = lines.read().expect("reads") {
            all.push((name.clone(), number, line.to_vec()));
        }
    }
    all
}

#[test]
fn folder_tar_and_compressed_tar_give_the_same_lines_in_order_of_dates() {
    let logs: [(&str, &[u8]); 3] = [
        ("b/2005-01-02.txt", b"[10:00] <ada> last\n"),
        ("z/2004-01-02.txt", b"[10:00] <ada> first\r\n[10:00] <ada> second"),
        ("README.md", b"about"),
    ];
    let packed = tar(&logs);
    let compressed_inside = gzip(logs[0].1);
    let mixed = tar(&[("b/2005-01-02.txt", &compressed_inside), logs[1], logs[2]]);
    let folder =
        folder(&[("all/b/2005-01-02.txt", logs[0].1), ("all/z/2004-01-02.txt", logs[1].1)]);
    for (name, bytes) in
        [("logs.tar", &packed), ("logs.tar.gz", &gzip(&packed)), ("odd-name", &gzip(&mixed))]
    {
        fs::write(folder.path().join(name), bytes).expect("a file");
        let mut source = open(&folder, &[name], None).expect("opens");
        assert_eq!(source.skipped().len(), 1, "{name}");
        let expected = lines(&mut open(&folder, &["all"], None).expect("opens"));
        assert_eq!(lines(&mut source), expected, "{name}");
        assert_eq!(source.bytes(), logs[0].1.len() as u64 + logs[1].1.len() as u64);
        assert_eq!(expected[0], ("2004-01-02.txt".into(), 1, b"[10:00] <ada> first".to_vec()));
        assert_eq!(expected[1].2, b"[10:00] <ada> second");
        assert_eq!(expected.len(), 3);
    }
}

#[test]
fn a_single_log_may_be_compressed() {
    let folder = folder(&[("2004-01-02.log.gz", &gzip(LOG)), ("2004-01-03.log", LOG)]);
    let mut source = open(&folder, &["2004-01-02.log.gz", "2004-01-03.log"], None).expect("opens");
    assert_eq!(lines(&mut source).len(), 4);
}

#[test]
fn what_is_no_log_is_left_out_with_a_reason() {
    let folder = folder(&[
        ("logs/notes.txt", b"x"),
        ("logs/2004-01-01.png", b"\x89PNG\0"),
        ("logs/2004-01-02.tar.gz", b"\x1f\x8bnot really"),
        ("logs/2004-01-03.txt", LOG),
    ]);
    let source = open(&folder, &["logs"], None).expect("opens");
    assert_eq!(source.files().len(), 1);
    let reasons: Vec<&str> = source.skipped().iter().map(|(_, reason)| reason.as_str()).collect();
    assert!(reasons[0].contains("not text"), "{reasons:?}");
    assert!(reasons[1].contains("cannot unpack"), "{reasons:?}");
    assert!(reasons[2].contains("no date"), "{reasons:?}");
}

#[test]
fn missing_damaged_and_empty_sources_are_refused() {
    let mut cut = gzip(&tar(&[("2004-01-02.txt", &LOG.repeat(100))]));
    cut.truncate(cut.len() - 20);
    let folder = folder(&[("cut.tar.gz", &cut), ("none/README", b"x")]);
    let refusal = |name: &str| open(&folder, &[name], None).expect_err("refused").to_string();
    assert!(refusal("missing").contains("cannot read"), "{}", refusal("missing"));
    assert!(refusal("cut.tar.gz").contains("cannot unpack"), "{}", refusal("cut.tar.gz"));
    assert!(refusal("none").contains("found no log"), "{}", refusal("none"));
}

#[test]
fn channel_is_what_is_asked_for_or_named() {
    let wordless: &[u8] = b"[10:00] <ada> hi\n";
    let folder = folder(&[
        ("named/2004-01-01.txt", wordless),
        ("named/2004-01-02.txt", LOG),
        ("path/#Rust/2004-01-01.txt", LOG),
        ("path/2004/01/02/%23rust-beginners.txt", LOG),
        ("path/##c_20040103.log", LOG),
        ("Un Named/2004-01-01.txt", wordless),
    ]);
    let channels = |path, channel| {
        let source = open(&folder, &[path], channel).expect("opens");
        (0..source.files().len()).map(|at| source.channel(at).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(channels("named", None), ["#made-up", "#made-up"]);
    assert_eq!(channels("named", Some("#other")), ["#other", "#other"]);
    assert_eq!(channels("path", None), ["#rust", "#rust-beginners", "##c"]);
    assert_eq!(channels("Un Named", None), ["#un-named"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    for extra in 0..4 {
        let long = vec![b'x'; LINE_BYTES_MAX - 1 + extra];
        let content = [&long[..], b"\nnext\n"].concat();
        let folder = folder(&[("2004-01-01.txt", &content)]);
        let lines = lines(&mut open(&folder, &["2004-01-01.txt"], None).expect("opens"));
        assert_eq!(lines.len(), 2, "{extra}");
        assert_eq!(lines[0].2.len() > LINE_BYTES_MAX, extra > 1, "{extra}");
        assert_eq!(lines[1].2, b"next");
    }
    let endless = vec![b'x'; 5 * LINE_BYTES_MAX];
    let folder = folder(&[("2004-01-01.txt", &endless)]);
    assert_eq!(lines(&mut open(&folder, &["2004-01-01.txt"], None).expect("opens")).len(), 1);
}
