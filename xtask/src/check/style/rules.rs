//! The rules for sentences.

/// Most words of a sentence.
const WORDS_MAX: usize = 40;

/// Words that cannot be the subject of a sentence: they do not name an actor.
const BARE_SUBJECTS: &[&str] = &["who", "what", "whoever", "whatever", "whom"];

/// Expressions that make a reader stumble.
const AVOIDED: &[(&str, &str)] = &[
    ("anew", "say `again`, or say what happens"),
    ("of before", "say `earlier` or `previous`"),
    ("is told", "say who tells: `the server sends ...`"),
    ("are told", "say who tells: `the server sends ...`"),
];

/// The faults of the sentences in a paragraph.
pub(super) fn faults(paragraph: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for sentence in sentences(paragraph) {
        let words: Vec<&str> = sentence.split_whitespace().collect();
        let beginning = words.iter().take(5).copied().collect::<Vec<_>>().join(" ");
        if words.len() > WORDS_MAX {
            faults.push(format!(
                "the sentence \"{beginning} ...\" has {} words: split it below {WORDS_MAX}",
                words.len()
            ));
        }
        let first = words.first().map_or("", |word| word.trim_end_matches(['.', ',', '!']));
        let first = first.to_lowercase();
        if BARE_SUBJECTS.contains(&first.as_str()) && !sentence.ends_with('?') {
            faults.push(format!(
                "\"{beginning} ...\" begins with a bare `{first}`: name the actor or the thing"
            ));
        }
        let lower = format!(" {} ", words.join(" ").to_lowercase());
        for (avoided, instead) in AVOIDED {
            if contains_words(&lower, avoided) {
                faults.push(format!("`{avoided}`: {instead}"));
            }
        }
    }
    faults
}

/// The sentences of a paragraph. A label such as `Invariant:` is no part of its sentence.
fn sentences(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (index, mark) in paragraph.match_indices(['.', '!', '?', ':', ';']) {
        let after = &paragraph[index + mark.len()..];
        let is_label = mark == ":" && paragraph[begin..index].split_whitespace().count() == 1;
        let ends = match mark {
            ":" => is_label,
            ";" => false,
            _ => {
                after.is_empty()
                    || after.trim_start_matches([')', '"']).starts_with(' ')
                        && !is_abbreviation(&paragraph[..index])
            }
        };
        if ends {
            if !is_label {
                sentences.push(paragraph[begin..index + mark.len()].trim());
            }
            begin = index + mark.len();
        }
    }
    sentences.push(paragraph[begin..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit([' ', '(']).next().unwrap_or_default();
    matches!(word, "e.g" | "i.e" | "etc" | "vs") || word.ends_with("..") || word.ends_with('.')
}

fn contains_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(index, found)| {
        let is_letter = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        !is_letter(text[..index].chars().next_back())
            && !is_letter(text[index + found.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_sentences_pass() {
        let text = "The server sends what changed. It waits (at most 10 s). Who may read? Invariant: one writer.";
        assert_eq!(faults(text), Vec::<String>::new());
    }

    #[test]
    fn a_bare_subject_is_named_also_after_a_label() {
        assert_eq!(faults("It holds. Who left sees nothing.").len(), 1);
        assert_eq!(faults("Invariant: whoever asks waits.").len(), 1);
        assert_eq!(faults("What it says.").len(), 1);
        assert_eq!(faults("Who.").len(), 1);
        assert_eq!(faults("Who?").len(), 0);
    }

    #[test]
    fn expressions_are_found_as_words() {
        assert_eq!(faults("The client is told later.").len(), 1);
        assert_eq!(faults("It decides anew.").len(), 1);
        assert_eq!(faults("The list told of manewals.").len(), 0);
    }

    #[test]
    fn a_sentence_of_forty_words_passes_and_one_more_does_not() {
        let long = "word ".repeat(WORDS_MAX);
        assert_eq!(faults(&long).len(), 0);
        assert_eq!(faults(&format!("{long}word.")).len(), 1);
    }
}
