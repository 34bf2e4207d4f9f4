use std::{fs, io::Write, path::PathBuf};

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
    let channel = channel.map(ToOwned::to_owned);
    Source::open(&paths, &SourceOptions { channel, ..SourceOptions::default() })
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
fn a_log_is_unpacked_as_often_as_it_was_packed() {
    let twice = gzip(&gzip(LOG));
    let archive = gzip(&tar(&[("2004-01-03.log.gz", &twice)]));
    let folder = folder(&[("2004-01-02.log.gz", &twice), ("old.tar.gz", &archive)]);
    let mut source = open(&folder, &["2004-01-02.log.gz", "old.tar.gz"], None).expect("opens");
    assert_eq!(lines(&mut source).len(), 4);
}

#[test]
fn a_log_with_zero_bytes_of_a_power_cut_is_read() {
    let cut = [LOG, &[0; 3_000], b"[10:01] <ada> back\n"].concat();
    let folder = folder(&[("2004-01-02.log", &cut), ("2004-01-03.log", &cut[LOG.len() - 9..])]);
    let mut source = open(&folder, &["2004-01-02.log", "2004-01-03.log"], None).expect("opens");
    let lines = lines(&mut source);
    let back: Vec<_> = lines.iter().filter(|line| line.2 == b"[10:01] <ada> back").collect();
    assert_eq!((lines.len(), back.len()), (5, 2), "{lines:?}");
}

#[test]
fn rotated_files_of_a_day_come_from_the_oldest_to_the_newest() {
    let names = ["#a/2004-01-02.log", "#a/2004-01-02.log.1", "#a/2004-01-02.log.2.gz"];
    let older = "#a/2004-01-02.log.10.gz";
    let packed = gzip(LOG);
    let files: [(&str, &[u8]); 4] =
        [(names[0], LOG), (names[1], LOG), (names[2], &packed), (older, &packed)];
    let folder = folder(&files);
    let source = open(&folder, &["#a"], None).expect("opens");
    let read: Vec<_> = source.files().iter().map(|file| file.name.as_ref()).collect();
    let expected = [older, names[2], names[1], names[0]];
    assert!(read.iter().zip(expected).all(|(name, end)| name.ends_with(end)), "{read:?}");
}

#[test]
fn what_is_no_log_is_left_out_with_a_reason() {
    let folder = folder(&[
        ("logs/notes.txt", b"x"),
        ("logs/2004-01-01.png", b"\x89PNG\r\n\x1a\n\0"),
        ("logs/2004-01-02.tar.gz", b"\x1f\x8bnot really"),
        ("logs/2004-01-03.txt", LOG),
        ("logs/2004-01-04.txt.xz", b"\xfd7zXZ\0\0"),
        ("logs/undated.txt", LOG),
    ]);
    let source = open(&folder, &["logs"], None).expect("opens");
    assert_eq!(source.files().len(), 1);
    let reasons: Vec<&str> = source.skipped().iter().map(|(_, reason)| reason.as_str()).collect();
    for (reason, told) in reasons.iter().zip([
        "not text",
        "cannot unpack",
        "compressed with xz",
        "nothing in it can be read",
        "states no day",
    ]) {
        assert!(reason.contains(told), "{told}: {reasons:?}");
    }
    assert_eq!(reasons.len(), 5);
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
    assert!(refusal("none").contains("README"), "{}", refusal("none"));
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
        source.files().iter().map(|file| file.channel.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(channels("named", None), ["#made-up", "#made-up"]);
    assert_eq!(channels("named", Some("#other")), ["#other", "#other"]);
    assert_eq!(channels("named", Some("other")), ["#other", "#other"]);
    assert_eq!(channels("path", None), ["#rust", "#rust-beginners", "##c"]);
    assert_eq!(channels("Un Named", None), ["#un-named"]);
}

#[test]
fn a_private_conversation_is_not_put_into_the_room_of_a_channel() {
    let query: &[u8] = b"2013-03-03 10:00:01\tada\tjust between us\n";
    let folder = folder(&[
        ("logs/irc.libera.#tea.weechatlog", b"2013-03-03 10:00:01\tada\thello\n"),
        ("logs/irc.libera.ada.weechatlog", query),
    ]);
    let source = open(&folder, &["logs"], None).expect("opens");
    assert_eq!(source.files().len(), 1);
    assert_eq!(source.files()[0].channel.name, "#tea");
    assert!(source.skipped()[0].1.contains("private conversation"), "{:?}", source.skipped());
}

#[test]
fn a_log_that_states_its_days_needs_no_date_in_its_name() {
    let folder = folder(&[
        ("#tea.weechatlog", b"2013-03-03 10:00:01\tada\thello\n"),
        ("#milk.log", b"--- Log opened Mon Mar 04 10:00:00 2013\n10:00 < ada> hello\n"),
        (
            "#2600.log",
            b"**** BEGIN LOGGING AT Tue Mar  5 10:00:00 2013\n\nMar 05 10:00:01 <ada>\thi\n",
        ),
    ]);
    let source = open(&folder, &["."], None).expect("opens");
    let days: Vec<String> = source
        .files()
        .iter()
        .map(|file| format!("{} {}", file.channel.name, file.date.expect("is dated")))
        .collect();
    assert_eq!(days, ["#tea 2013-03-03", "#milk 2013-03-04", "#2600 2013-03-05"]);
}

#[test]
fn utf16_is_read_as_the_same_lines() {
    let text = "[07:00] <wren> привет\r\n[07:01] <wren> hi\r\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder =
        folder(&[("wide/2014-05-06.log", &wide), ("plain/2014-05-06.log", text.as_bytes())]);
    let read = |path| {
        let lines = lines(&mut open(&folder, &[path], None).expect("opens"));
        lines.into_iter().map(|(_, number, line)| (number, line)).collect::<Vec<_>>()
    };
    assert_eq!(read("wide"), read("plain"));
    assert_eq!(read("wide").len(), 2);
    fs::write(folder.path().join("wide.tar"), tar(&[("2014-05-06.log", &wide)])).expect("a file");
    assert_eq!(read("wide.tar"), read("plain"));
    fs::write(folder.path().join("2014-05-06.log.gz"), gzip(&wide)).expect("a file");
    assert_eq!(read("2014-05-06.log.gz").len(), 2);
}
