//! What a file of which nothing could be read may be.

use super::Dialect;

/// Says what a file is likely to be, by its name and its first lines, so that the operator knows what to do.
pub(crate) fn likely(name: &str, start: &str) -> String {
    let name = name.to_lowercase();
    let first = start.trim_start();
    let has = |text: &str| start.contains(text);
    if let Some(dialect) = of_client(&name, start) {
        return format!("it looks like a log of {dialect}: try `--format {dialect}`");
    }
    let what = if first.starts_with('{') || first.starts_with("[{") {
        "JSON, as Slack, Discord or Matrix export it"
    } else if first.starts_with("<!DOCTYPE") || first.starts_with("<html") || has("<body") {
        "a page of HTML, as Adium and Pidgin write it"
    } else if first.starts_with("<?xml") || first.starts_with("<log") {
        "XML, as Colloquy and Adium write it"
    } else if first.starts_with("SQLite format 3") {
        "a database of SQLite, as Quassel and The Lounge keep it"
    } else if has("Conversation with ") {
        "a log of Pidgin"
    } else {
        let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
        return format!(
            "its dialect is not known; those that are known are {}: name one with `--format`",
            names.join(", ")
        );
    };
    format!("it looks like {what}, which is not read: convert it to a log of IRC as text")
}

/// The dialect whose marks there are.
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
        (has("=== "), Dialect::Ubuntu),
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
            ("a.log", "Conversation with ada at noon", "Pidgin"),
        ] {
            assert!(likely(name, start).contains(told), "{}", likely(name, start));
        }
    }
}
