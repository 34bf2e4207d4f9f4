//! The instructions of a page: the commands, functions and files of its code blocks, in their order.
//!
//! **Invariant:** a command is taken word for word, with its continuation lines.

/// One instruction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// A command, and its answer on the page.
    Command { text: String, answer: String },
    /// A file to write.
    File { name: String, text: String },
    /// Output that the program in the background has to print at some time.
    Told(Vec<String>),
    /// A new section, whose text may contain an instruction.
    Section(String),
}

/// The sections of a page with these titles, in their order; the whole page for no titles. `None` if one is missing.
pub(super) fn sections(page: &str, titles: &[&str]) -> Option<String> {
    if titles.is_empty() {
        return Some(page.to_owned());
    }
    let section = |title: &&str| {
        let (_, rest) = page.split_once(&format!("\n## {title}\n"))?;
        Some(rest.split("\n## ").next().unwrap_or(rest))
    };
    titles.iter().map(section).collect::<Option<Vec<_>>>().map(|found| found.join("\n"))
}

/// Reads the instructions of a page: `console` blocks, whose commands begin with `$ `; `sh` blocks, each of which is one command; and
/// `js` and `toml` blocks below words like "in a file `NAME`". Blocks of `json`, and of `console` without a command, are the output
/// of the program in the background.
pub(super) fn acts(page: &str) -> Vec<Act> {
    let mut acts = Vec::new();
    let (mut words, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            acts.push(Act::Section(title.to_owned()));
        }
        let Some(language) = line.strip_prefix("```") else {
            if !line.trim().is_empty() {
                words = line;
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "console" if block.iter().any(|line| line.starts_with("$ ")) => {
                acts.extend(commands(&block));
            }
            "console" | "json" => {
                acts.push(Act::Told(block.into_iter().map(ToOwned::to_owned).collect()));
            }
            "sh" => acts.push(Act::Command { text: block.join("\n"), answer: String::new() }),
            "js" | "toml" => acts.extend(
                file_name(words).map(|name| Act::File { name, text: block.join("\n") + "\n" }),
            ),
            _ => {}
        }
        words = "";
    }
    acts
}

fn commands(block: &[&str]) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut goes_on = false;
    for line in block {
        match (line.strip_prefix("$ "), acts.last_mut()) {
            (_, Some(Act::Command { text, .. })) if goes_on => {
                text.push('\n');
                text.push_str(line);
            }
            (Some(command), _) => {
                acts.push(Act::Command { text: command.to_owned(), answer: String::new() });
            }
            (None, Some(Act::Command { answer, .. })) => {
                answer.push_str(line);
                answer.push('\n');
            }
            (None, _) => {}
        }
        goes_on = line.ends_with('\\');
    }
    acts
}

/// The name in "in a file `NAME`".
fn file_name(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("in a file `")?;
    rest.split_once('`').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_their_titles() {
        let page = "# A\n\n## B\nb\n\n## C\nc\n## D\nd\n";
        assert_eq!(sections(page, &["B", "D"]).as_deref(), Some("b\n\nd\n"));
        assert_eq!(sections(page, &[]).as_deref(), Some(page));
        assert_eq!(sections(page, &["B", "E"]), None);
    }

    #[test]
    fn commands_files_and_sections_come_in_their_order() {
        let page = "# A\n\n```console\n$ one \\\n    more\nanswer\nanswer 2\n$ two\n```\n\n## B\n\nNow, in a file `a.mjs`:\n\n\
                    ```js\nx\n```\n\n```json\n{}\n```\n\n```js\nnot a file\n```\n```sh\nf() {\n  x\n}\n```\n";
        let command = |text: &str, answer: &str| Act::Command {
            text: text.to_owned(),
            answer: answer.to_owned(),
        };
        let file = |text: &str| Act::File { name: "a.mjs".to_owned(), text: text.to_owned() };
        let expected = [
            command("one \\\n    more", "answer\nanswer 2\n"),
            command("two", ""),
            Act::Section("B".to_owned()),
            file("x\n"),
            Act::Told(vec!["{}".to_owned()]),
            command("f() {\n  x\n}", ""),
        ];
        assert_eq!(acts(page), expected);
    }
}
