//! The inline parts of a line: styles, code, links and names.
//!
//! **Invariant:** the time is proportional to the length of the line.

use rookery_domain::{OwnedServerName, OwnedUserId};

use super::parts::{Inline, Style};

/// How a text is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'a> {
    /// With styles, code, links and names. `Some` makes names to mentions.
    Formatted(Option<&'a OwnedServerName>),
    /// With links and names.
    Links(Option<&'a OwnedServerName>),
    /// As it is.
    Plain,
}

impl<'a> Reading<'a> {
    /// Whether the text has styles.
    pub(super) fn has_formatting(self) -> bool {
        matches!(self, Self::Formatted(_))
    }

    /// The server of the users who can be mentioned.
    pub(crate) fn mentioning(self) -> Option<&'a OwnedServerName> {
        match self {
            Self::Formatted(server) | Self::Links(server) => server,
            Self::Plain => None,
        }
    }
}

/// The styles with their signs.
const STYLES: [(char, Style); 3] = [('*', Style::Bold), ('_', Style::Italic), ('~', Style::Strike)];

/// The parts of a line.
pub(super) fn inlines(line: &str, reading: &Reading) -> Vec<Inline> {
    let mut parts = Vec::new();
    if matches!(reading, Reading::Plain) {
        push_text(&mut parts, line);
        return parts;
    }
    let mut scan = Scan { line, reading: *reading, lacking: String::new(), open: String::new() };
    scan.read(&mut parts);
    parts
}

/// A text with `&`, `<` and `>` in place of their entities.
pub(super) fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

struct Scan<'t> {
    line: &'t str,
    reading: Reading<'t>,
    /// Signs without a closing sign in the rest of the line.
    lacking: String,
    /// The styles around the line.
    open: String,
}

impl Scan<'_> {
    fn read(&mut self, parts: &mut Vec<Inline>) {
        let (mut at, mut plain_from) = (0, 0);
        while let Some(sign) = self.line[at..].chars().next() {
            let found = match sign {
                '<' => self.control(at),
                '`' if self.reading.has_formatting() => self.code(at),
                '*' | '_' | '~' if self.reading.has_formatting() => self.styled(at, sign),
                _ => None,
            };
            match found {
                Some((part, end)) => {
                    push_text(parts, &self.line[plain_from..at]);
                    parts.push(part);
                    (at, plain_from) = (end, end);
                }
                None => at += sign.len_utf8(),
            }
        }
        push_text(parts, &self.line[plain_from..]);
    }

    /// The index of the next `sign` after `from`. The line is searched in vain once for each sign.
    fn next(&mut self, sign: char, from: usize) -> Option<usize> {
        if self.lacking.contains(sign) {
            return None;
        }
        let found = self.line[from..].find(sign).map(|index| from + index);
        if found.is_none() {
            self.lacking.push(sign);
        }
        found
    }

    /// A link or a name in angle brackets.
    fn control(&self, at: usize) -> Option<(Inline, usize)> {
        let end = closing_bracket(self.line, at)?;
        let part = control(&self.line[at + 1..end], self.reading)?;
        Some((part, end + 1))
    }

    fn code(&mut self, at: usize) -> Option<(Inline, usize)> {
        let end = self.next('`', at + 1)?;
        let code = &self.line[at + 1..end];
        (!code.trim().is_empty()).then(|| (Inline::Code(decoded(code)), end + 1))
    }

    /// A text between two equal signs, which touch it on the inside and no letter on the outside.
    fn styled(&mut self, at: usize, sign: char) -> Option<(Inline, usize)> {
        let touches = |c: char| c.is_alphanumeric() || c == sign;
        let is_inside = self.line[..at].chars().next_back().is_some_and(touches);
        let next = self.line[at + 1..].chars().next()?;
        if is_inside || next.is_whitespace() || next == sign {
            return None;
        }
        if self.open.contains(sign) || self.lacking.contains(sign) {
            return None;
        }
        let Some(end) = self.closing(at + 1, sign) else {
            self.lacking.push(sign);
            return None;
        };
        let (_, style) = STYLES.into_iter().find(|(known, _)| *known == sign)?;
        let open = format!("{}{sign}", self.open);
        let mut inner = Scan {
            line: &self.line[at + 1..end],
            reading: self.reading,
            lacking: String::new(),
            open,
        };
        let mut parts = Vec::new();
        inner.read(&mut parts);
        Some((Inline::Styled(style, parts), end + 1))
    }

    /// The sign that closes a style, outside of angle brackets. It follows no white space, and no letter follows it.
    fn closing(&self, from: usize, sign: char) -> Option<usize> {
        let (mut before, mut skipped_to) = (None, from);
        let mut rest = self.line[from..].char_indices().peekable();
        while let Some((index, c)) = rest.next() {
            let index = from + index;
            let after = rest.peek().map(|(_, after)| *after);
            let ends = before.is_some_and(|before: char| !before.is_whitespace() && before != sign)
                && after.is_none_or(|after| !after.is_alphanumeric() && after != sign);
            if c == sign && ends && index >= skipped_to {
                return Some(index);
            }
            if c == '<' {
                skipped_to = closing_bracket(self.line, index).unwrap_or(skipped_to);
            }
            before = Some(c);
        }
        None
    }
}

/// The index of the `>` that closes the `<` at `at`. There is none if another `<` comes first: if each one of a row were read
/// up to the same `>`, the time would be the square of their number.
fn closing_bracket(line: &str, at: usize) -> Option<usize> {
    let next = at + 1 + line[at + 1..].find(['<', '>'])?;
    line[next..].starts_with('>').then_some(next)
}

/// The part that a text in angle brackets stands for.
fn control(text: &str, reading: Reading) -> Option<Inline> {
    let (target, label) = match text.split_once('|') {
        Some((target, label)) => (target, decoded(label)),
        None => (text, String::new()),
    };
    let named = |sign: &str, name: &str| {
        let name = if label.trim().is_empty() { name } else { label.trim() };
        Inline::text(format!("{sign}{}", name.trim_start_matches(sign)))
    };
    if let Some(user) = target.strip_prefix('@') {
        let mentioned = reading.mentioning().and_then(|server| mentioned(user, server));
        return Some(mentioned.map_or_else(|| named("@", &decoded(user)), Inline::User));
    }
    if let Some(channel) = target.strip_prefix('#') {
        return Some(named("#", &decoded(channel)));
    }
    if let Some(special) = target.strip_prefix('!') {
        let (kind, rest) = special.split_once('^').unwrap_or((special, ""));
        return match kind {
            "channel" | "here" | "everyone" if reading.mentioning().is_some() => Some(Inline::Room),
            "subteam" => Some(named("@", rest)),
            "date" if label.trim().is_empty() => None,
            "date" => Some(Inline::Text(label)),
            kind => Some(named("@", &decoded(kind))),
        };
    }
    let target = decoded(target);
    super::link::Link::parse(&target)?;
    Some(Inline::link(&target, &label))
}

/// The user of a mention: a whole ID, with one or two `@`, or the name of a user of this server.
pub(crate) fn mentioned(user: &str, server: &OwnedServerName) -> Option<OwnedUserId> {
    let user = user.strip_prefix('@').unwrap_or(user);
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    let (name, _) = user.split_once(':').unwrap_or((user, ""));
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let id = if user.contains(':') { format!("@{user}") } else { format!("@{user}:{server}") };
    OwnedUserId::try_from(id).ok()
}

fn push_text(parts: &mut Vec<Inline>, text: &str) {
    if !text.is_empty() {
        parts.push(Inline::Text(decoded(text)));
    }
}
