//! The likely format of an unreadable file.

use super::Dialect;

/// Guesses the format of a file by its name and its first lines, so that the operator knows what to do.
pub(crate) fn likely(name: &str, start: &str) -> String {
    let name = name.to_lowercase();
    let first = start.trim_start();
    let has = |text: &str| start.contains(text);
    if let Some(dialect) = of_client(&name, start) {
        return format!("it looks like a log of {dialect}: try `--format {dialect}`");
    }
    let what = if first.starts_with('{') || first.starts_with("[{") {
        "JSON, an export of Slack, Discord or Matrix"
    } else if first.starts_with("<!DOCTYPE") || first.starts_with("<html") || has("<body") {
        "a page of HTML, a log of Adium or Pidgin"
    } else if first.starts_with("<?xml") || first.starts_with("<log") {
        "XML, a log of Colloquy or Adium"
    } else if first.starts_with("SQLite format 3") {
        "a database of SQLite, a log of Quassel or The Lounge"
    } else if has("Conversation with ") {
        "a log of Pidgin"
    } else {
        let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
        return format!(
            "its dialect is unknown; the known ones are {}: name one with `--format`",
            names.join(", ")
        );
    };
    format!("it looks like {what}, which the import cannot read: convert it to a text log of IRC")
}

/// The dialect whose marks the lines have.
fn of_client(name: &str, start: &str) -> Option<Dialect> {
    let has = |text: &str| start.contains(text);
    let is_named = |text: &str| name.contains(text);
    if is_named("weechat") || start.lines().any(|line| line.matches('\t').count() > 1) {
        return Some(Dialect::Weechat);
    }
    let marks = [
        (
            is_named("irssi") || is_named("irclogs") || has("-!- ") || has("--- Log opened"),
            Dialect::Irssi,
        ),
        (is_named("xchat") || is_named("hexchat") || has("BEGIN LOGGING AT"), Dialect::Hexchat),
        (is_named("mirc") || has("Session Start: ") || has("* Now talking"), Dialect::Mirc),
        (is_named("textual") || has("• "), Dialect::Textual),
        (is_named("znc") || is_named("energymech") || has("*** Joins: "), Dialect::Znc),
        (is_named("eggdrop") || has("] Action: "), Dialect::Eggdrop),
        (is_named("limnoria") || is_named("supybot"), Dialect::Limnoria),
        (is_named("thelounge"), Dialect::Lounge),
        (start.lines().any(|line| line.starts_with("=== ")), Dialect::Ubuntu),
    ];
    marks.into_iter().find_map(|(fits, dialect)| fits.then_some(dialect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_called_what_it_looks_like() {
        for (name, start, told) in [
            ("irc.libera.#tea.weechatlog", "10:00 odd", "weechat"),
            ("a.log", "--- Log opened by chance", "irssi"),
            ("a.json", "{\"messages\": []}", "JSON"),
            ("a.html", "<!DOCTYPE html>", "HTML"),
            ("a.log", "SQLite format 3\0", "SQLite"),
            ("a.log", "some words", "--format"),
            ("a.log", "odd\n=== bob has a new form", "ubuntu"),
            ("README.md", "Lines are\n  === NAME has joined", "its dialect is unknown"),
            ("a.log", "Conversation with ada at noon", "Pidgin"),
        ] {
            assert!(likely(name, start).contains(told), "{}", likely(name, start));
        }
    }
}
