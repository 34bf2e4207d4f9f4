//! The prose of a file, as paragraphs without markup.
//!
//! **Invariant:** code, headings, link targets and HTML do not count as prose.

/// A paragraph, a list item or a cell of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Paragraph {
    /// Its first line in the file, counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// The paragraphs of the doc comments of a Rust source.
pub(super) fn of_rust(source: &str) -> Vec<Paragraph> {
    let doc = |line: &str| {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
        Some(text.trim().to_owned())
    };
    paragraphs(source.lines().map(doc))
}

/// The paragraphs of a Markdown page.
pub(super) fn of_markdown(page: &str) -> Vec<Paragraph> {
    paragraphs(page.lines().map(|line| Some(line.trim().to_owned())))
}

/// Joins the lines of each paragraph; `None` is a line without prose.
fn paragraphs(lines: impl Iterator<Item = Option<String>>) -> Vec<Paragraph> {
    let mut all: Vec<Paragraph> = Vec::new();
    let (mut in_code, mut is_open) = (false, false);
    for (index, line) in lines.enumerate() {
        let line = line.unwrap_or_default();
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || line.is_empty() || line.starts_with("```") || line.starts_with(['#', '<']) {
            is_open = false;
            continue;
        }
        if line.starts_with('|') {
            is_open = false;
            let cells =
                line.split('|').map(str::trim).filter(|cell| cell.contains(char::is_alphabetic));
            all.extend(cells.map(|cell| Paragraph { line: index + 1, text: plain(cell) }));
            continue;
        }
        let item = ["- ", "* "]
            .iter()
            .find_map(|bullet| line.strip_prefix(bullet))
            .or_else(|| numbered(&line));
        let begins = item.is_some() || line.starts_with("**");
        if let Some(open) = all.last_mut().filter(|_| is_open && !begins) {
            open.text.push(' ');
            open.text.push_str(&plain(&line));
        } else {
            all.push(Paragraph { line: index + 1, text: plain(item.unwrap_or(&line)) });
        }
        is_open = true;
    }
    all
}

/// The text of an item such as `12. text`.
fn numbered(line: &str) -> Option<&str> {
    let (number, text) = line.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// The text without marks for bold and links; text in backticks is one word.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            text.push_str("`code`");
            continue;
        }
        let mut rest = part;
        while let Some((before, after)) = rest.split_once("](") {
            text.push_str(before);
            rest = after.split_once(')').map_or("", |(_, rest)| rest);
        }
        text.push_str(rest);
    }
    text.replace("**", "").replace('[', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(paragraphs: Vec<Paragraph>) -> Vec<(usize, String)> {
        paragraphs.into_iter().map(|found| (found.line, found.text)).collect()
    }

    #[test]
    fn doc_comments_are_joined_and_code_is_left_out() {
        let source = "//! One line\n//! and [more](x.md).\n\n/// A thing.\n///\n/// ```\n/// what()\n/// ```\nfn what() {} // who\n";
        let expected = [(1, "One line and more."), (4, "A thing.")];
        assert_eq!(texts(of_rust(source)), expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn items_cells_and_bold_beginnings_are_paragraphs_of_their_own() {
        let page = "# What\n\nText\ngoes on.\n- one\n  more\n2. two\n**Invariant:** three\n| a `b c` | d |\n|---|---|\n";
        let expected = [
            (3, "Text goes on."),
            (5, "one more"),
            (7, "two"),
            (8, "Invariant: three"),
            (9, "a `code`"),
            (9, "d"),
        ];
        assert_eq!(texts(of_markdown(page)), expected.map(|(line, text)| (line, text.to_owned())));
    }
}
