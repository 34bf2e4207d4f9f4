//! The bytes of a line as text.
//!
//! A line is UTF-8, or UTF-8 whose last character IRC's limit of 512 bytes cut, or in an older encoding. One log may
//! have all three, since the client of another user wrote each line.
//!
//! **Invariant:** no line is lost: every byte becomes text, and an unknown one becomes U+FFFD.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, WINDOWS_1252};

/// This number of bytes beyond ASCII is enough to detect an encoding.
const TELLING_BYTES: usize = 8;

/// The nick is within this number of bytes from the start of a line.
const NICK_WITHIN_BYTES: usize = 96;

/// Length in bytes from which IRC's limit may have cut a line: 512 less the part that the server put before
/// it.
const CUT_BYTES_MIN: usize = 300;

/// The encodings of the lines of a log that are not UTF-8: one for each user, since a user's client wrote them.
#[derive(Clone, Debug)]
pub struct Legacy {
    /// Those of users whose lines reveal it.
    of_users: Arc<HashMap<Vec<u8>, &'static Encoding>>,
    /// That of all other users.
    common: &'static Encoding,
}

impl Default for Legacy {
    fn default() -> Self {
        Self { of_users: Arc::default(), common: WINDOWS_1252 }
    }
}

impl Legacy {
    /// The encoding of this name, as on the web; `None` if there is no such encoding.
    #[must_use]
    pub fn named(label: &str) -> Option<Self> {
        let encoding = Encoding::for_label(label.trim().as_bytes())?;
        let usable = encoding.is_ascii_compatible();
        usable.then_some(Self { common: encoding, ..Self::default() })
    }

    /// Learns the encodings of users from lines of a log.
    #[must_use]
    pub fn guessed<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut of_users: HashMap<Vec<u8>, Vec<&[u8]>> = HashMap::new();
        for line in lines.into_iter().filter(|line| as_utf8(line).is_none()) {
            of_users.entry(user(line).to_vec()).or_default().push(line);
        }
        let tells = |lines: &[&[u8]]| {
            lines.iter().map(|line| high_bytes(line)).sum::<usize>() >= TELLING_BYTES
        };
        let (loud, quiet): (Vec<_>, Vec<_>) =
            of_users.into_iter().partition(|(_, lines)| tells(lines));
        let quiet: Vec<&[u8]> = quiet.into_iter().flat_map(|(_, lines)| lines).collect();
        let all = || loud.iter().flat_map(|(_, lines)| lines.iter().copied());
        let common = match (quiet.is_empty(), loud.is_empty()) {
            (true, true) => WINDOWS_1252,
            (true, false) => guess(all()),
            (false, _) => guess(quiet.iter().copied()),
        };
        let of_users =
            loud.iter().map(|(user, lines)| (user.clone(), guess(lines.iter().copied())));
        Self { common, of_users: Arc::new(of_users.collect()) }
    }

    /// Reads a line.
    #[must_use]
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        if bytes.is_ascii() && bytes.windows(2).any(|pair| pair == b"\x1b$") {
            return ISO_2022_JP.decode_without_bom_handling(bytes).0;
        }
        if let Some(text) = as_utf8(bytes) {
            return text;
        }
        let encoding = self.of_users.get(user(bytes)).copied().unwrap_or(self.common);
        encoding.decode_without_bom_handling(bytes).0
    }
}

/// The encoding that the lines reveal.
fn guess<'a>(lines: impl Iterator<Item = &'a [u8]>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for line in lines {
        detector.feed(line, false);
        detector.feed(b"\n", false);
    }
    detector.feed(b"", true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The user whose client wrote a line: the text in its first angle brackets, or else its first word with a letter.
fn user(line: &[u8]) -> &[u8] {
    let start = &line[..line.len().min(NICK_WITHIN_BYTES)];
    if let Some(from) = start.iter().position(|byte| *byte == b'<')
        && let Some(length) = start[from..].iter().position(|byte| *byte == b'>')
    {
        let nick = &start[from + 1..from + length];
        let ranks = nick.iter().take_while(|byte| b"~&@%+! ".contains(byte)).count();
        return &nick[ranks..];
    }
    let mut words = start.split(|byte| b" \t".contains(byte));
    let is_nick = |word: &&[u8]| {
        let word = word.strip_prefix(b"@").unwrap_or(word);
        word.first().is_some_and(u8::is_ascii_alphabetic)
    };
    words.find(is_nick).unwrap_or_default()
}

/// The text of a line that is UTF-8, or was UTF-8 before it was cut or damaged in places.
fn as_utf8(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let (mut whole, mut broken, mut cut) = (0, 0, false);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let invalid = chunk.invalid();
        if !invalid.is_empty() {
            broken += 1;
            // The line has more than one byte of a character, or is as long as IRC allows.
            cut = invalid.len() > 1 || bytes.len() >= CUT_BYTES_MIN && invalid[0] >= 0xc2;
        }
    }
    let is_cut = broken == 1 && (whole > 0 || cut);
    (is_cut || whole > 2 * broken).then(|| String::from_utf8_lossy(bytes))
}

fn high_bytes(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !byte.is_ascii()).count()
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_KR, KOI8_U, SHIFT_JIS, UTF_8, WINDOWS_1251, WINDOWS_1253};
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> String {
        Legacy::default().decode(bytes).into_owned()
    }

    #[test]
    fn a_line_that_is_not_utf8_is_windows_1252_where_nothing_else_is_known() {
        assert_eq!(decode("Zoë €".as_bytes()), "Zoë €");
        assert_eq!(decode(b"Zo\xeb \x80 x\x94"), "Zoë € x”");
        assert_eq!(decode(b"<ada> caf\xe9"), "<ada> café");
        assert_eq!(decode(b"caf\xe9 and more"), "café and more");
    }

    #[test]
    fn utf8_that_was_cut_is_utf8() {
        let text = "привет мир";
        assert_eq!(decode(&text.as_bytes()[..text.len() - 1]), "привет ми\u{fffd}");
        let reason = [b"eda (~a@h) Quit (", &text.as_bytes()[..text.len() - 1], b")"].concat();
        assert_eq!(decode(&reason), "eda (~a@h) Quit (привет ми\u{fffd})");
        // One or two bytes of a three-byte character are left, and nothing else decides.
        assert_eq!(decode(b"five \xe2\x82"), "five \u{fffd}");
        let long = [&[b'x'; 500][..], b"\xe2"].concat();
        assert!(decode(&long).ends_with("x\u{fffd}"));
    }

    #[test]
    fn users_of_one_log_may_have_encodings_of_their_own() {
        let line = |nick: &str, encoding: &'static Encoding, text: &str| {
            encoding.encode(&format!("[10:00] <{nick}> {text}")).0.into_owned()
        };
        let log = [
            ("ada", WINDOWS_1252, "café"),
            ("bob", WINDOWS_1251, "как дела, хорошая погода"),
            ("eva", WINDOWS_1253, "καλημέρα κόσμε"),
            ("joe", KOI8_U, "как дела, хорошая погода"),
            ("mei", SHIFT_JIS, "こんにちは世界、日本語です"),
            ("kim", EUC_KR, "안녕하세요"),
            ("rin", ISO_2022_JP, "こんにちは"),
            ("bob", WINDOWS_1251, "да"),
            ("zoe", UTF_8, "naïve"),
        ];
        let lines = log.map(|(nick, encoding, text)| line(nick, encoding, text));
        let legacy = Legacy::guessed(lines.iter().map(Vec::as_slice));
        for ((nick, _, text), bytes) in log.iter().zip(&lines) {
            assert_eq!(legacy.decode(bytes), format!("[10:00] <{nick}> {text}"));
        }
        // Other lines of the same users.
        let more = line("@joe", KOI8_U, "привет всем");
        assert_eq!(legacy.decode(&more), "[10:00] <@joe> привет всем");
        assert_eq!(legacy.decode(&WINDOWS_1251.encode("10:00 * bob да").0), "10:00 * bob да");
    }

    #[test]
    fn an_encoding_that_the_operator_names_is_used_for_all_that_is_not_utf8() {
        let legacy = Legacy::named("cp1251").expect("is known");
        assert_eq!(legacy.decode(b"\xef\xf0"), "пр");
        assert_eq!(legacy.decode("пр".as_bytes()), "пр");
        assert!(Legacy::named("klingon").is_none() && Legacy::named("utf-16le").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_become_text(bytes: Vec<u8>) {
            let legacy = Legacy::guessed([&bytes[..]]);
            let text = legacy.decode(&bytes);
            prop_assert_eq!(bytes.is_empty(), text.is_empty());
        }

        #[test]
        fn utf8_stays_as_it_is(text: String) {
            prop_assert_eq!(decode(text.as_bytes()), text);
        }

        #[test]
        fn utf8_that_was_cut_keeps_all_whole_characters(text in "[а-яё ]{8,40}", cut in 1_usize..3) {
            let bytes = text.as_bytes();
            let kept = &bytes[..bytes.len() - cut];
            let whole = kept.utf8_chunks().next().map_or("", |chunk| chunk.valid()).to_owned();
            prop_assert!(Legacy::default().decode(kept).starts_with(&whole));
        }
    }
}
