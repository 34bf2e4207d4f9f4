//! No payload makes markup of its own, or more than an event may hold.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rookery_domain::limits::EVENT_BYTES_MAX;
use serde_json::{Value, json};

use crate::{Mentioning, message};

const TAGS: [&str; 14] = [
    "p",
    "h4",
    "blockquote",
    "pre",
    "code",
    "ol",
    "ul",
    "li",
    "strong",
    "em",
    "del",
    "a",
    "br",
    "hr",
];

/// Fails unless `html` consists of escaped text and our tags, each closed in its place.
fn check(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        check_text(text)?;
        let (tag, after) = after.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            (open.pop() == Some(name)).then_some(()).ok_or(format!("</{name}> closes another"))?;
            continue;
        }
        let name = match tag.strip_prefix("a href=\"").and_then(|link| link.strip_suffix('"')) {
            Some(link) => {
                check_text(link)?;
                let lower = link.to_ascii_lowercase();
                let is_safe =
                    ["http://", "https://", "mailto:"].iter().any(|it| lower.starts_with(it));
                (is_safe && !link.contains(char::is_whitespace))
                    .then_some("a")
                    .ok_or(format!("a link to {link}"))?
            }
            None => tag,
        };
        if !TAGS.contains(&name) {
            return Err(format!("the tag <{name}>"));
        }
        if !["br", "hr"].contains(&name) {
            open.push(name);
        }
    }
    check_text(rest)?;
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} stay open")) }
}

fn check_text(text: &str) -> Result<(), String> {
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    let bare = entities.iter().fold(text.to_owned(), |text, entity| text.replace(entity, ""));
    let odd = |c: char| "<>\"'&".contains(c) || (c.is_control() && c != '\n');
    if bare.contains(odd) { Err(format!("{text:?} is not escaped")) } else { Ok(()) }
}

#[test]
fn the_check_finds_markup() {
    for bad in [
        "<script>",
        "<p>",
        "</p>",
        "<p></a>",
        "&",
        "\"",
        "<a href=\"javascript:x\">x</a>",
        "<a href=\"http://x\" b>x</a>",
        "<p onclick=\"\">x</p>",
        "\u{7}",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
    assert_eq!(check("<p>a<br>&lt;<a href=\"http://x/&amp;\">b</a></p><hr>"), Ok(()));
}

/// Texts with many signs that mean something.
fn text() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "\"",
        "'",
        "*",
        "_",
        "~",
        "`",
        "```",
        "\n",
        "> ",
        ">>>",
        "|",
        "<@",
        "<!",
        "<#",
        "<https://x|",
        "<javascript:",
        "&lt;",
        "&amp;",
        "</p>",
        "<img src=x onerror=y>",
        "a",
        " ",
        "\u{0}",
        "\u{202e}",
        "\\",
        "!channel>",
        "é",
    ]);
    prop_oneof![".{0,40}", prop::collection::vec(signs, 0..60).prop_map(|signs| signs.concat()),]
}

/// Any JSON whose fields have the names and types that a payload may have.
fn value() -> impl Strategy<Value = Value> {
    let names = vec![
        "text",
        "type",
        "blocks",
        "attachments",
        "fields",
        "title",
        "title_link",
        "value",
        "pretext",
        "fallback",
        "elements",
        "url",
        "image_url",
        "alt_text",
        "style",
        "accessory",
        "author_name",
        "author_link",
        "footer",
        "actions",
        "user_id",
        "range",
        "name",
        "unicode",
        "mrkdwn",
    ];
    let types = vec![
        "header",
        "section",
        "context",
        "divider",
        "image",
        "rich_text",
        "rich_text_section",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
        "text",
        "link",
        "emoji",
        "user",
        "broadcast",
        "mrkdwn",
        "plain_text",
        "actions",
        "markdown",
        "button",
    ];
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        2 => prop::sample::select(types).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.clone()), inner, 0..8)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

/// A payload with blocks and attachments of known types and any content.
fn payload() -> impl Strategy<Value = Value> {
    let list = || prop::collection::vec(value(), 0..4);
    (text(), list(), list()).prop_map(|(text, blocks, attachments)| {
        json!({ "text": text, "blocks": blocks, "attachments": attachments })
    })
}

fn hold(payload: &Value, mentioning: &Mentioning) -> Result<(), TestCaseError> {
    let Ok(message) = message(payload.to_string().as_bytes(), false, mentioning) else {
        return Ok(());
    };
    prop_assert!(!message.body.trim().is_empty());
    let is_odd = |c: char| c.is_control() && c != '\n';
    prop_assert!(!message.body.contains(is_odd), "{:?}", message.body);
    if let Some(html) = &message.formatted_body {
        check(html).map_err(|error| TestCaseError::fail(format!("{error}: {html}")))?;
    }
    let users: Vec<_> = message.mentions.users.iter().collect();
    let content =
        json!({ "body": message.body, "formatted_body": message.formatted_body, "users": users });
    prop_assert!(content.to_string().len() < EVENT_BYTES_MAX - 3_000);
    Ok(())
}

proptest! {
    #[test]
    fn no_payload_makes_markup_of_its_own(payload in payload()) {
        hold(&payload, &Mentioning::Never)?;
        hold(&payload, &Mentioning::At("example.org".try_into().expect("a name")))?;
    }

    #[test]
    fn no_text_makes_markup_of_its_own(text in text()) {
        hold(&json!({ "text": text }), &Mentioning::Never)?;
        hold(&json!({ "text": text.repeat(400) }), &Mentioning::At("example.org".try_into().expect("a name")))?;
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_form: bool) {
        message(&bytes, is_form, &Mentioning::Never).ok();
    }
}

#[test]
fn signs_without_an_end_take_no_longer_than_others() {
    // Each of these would take minutes if every sign were searched to the end of the line.
    for sign in ["*a ", "_a ", "~a ", "`", "<", "<@", "*_~a ", "> ", "*<a ", "``` "] {
        let text = sign.repeat(60_000 / sign.len());
        let payload = json!({ "text": text });
        message(payload.to_string().as_bytes(), false, &Mentioning::Never).ok();
    }
}

/// How long the conversion of a text takes.
fn time_of(text: &str) -> Duration {
    let body = json!({ "text": text }).to_string();
    let begun = Instant::now();
    message(body.as_bytes(), false, &Mentioning::Never).ok();
    begun.elapsed()
}

#[test]
fn a_long_row_of_signs_takes_as_long_as_other_text() {
    const LENGTH: usize = 60_000;
    let harmless = time_of(&"<a> *b* `c` ".repeat(LENGTH / 12));
    for sign in [
        "<", "<!", "<@", "<a|", "<*", "*a* ", "_*~a", "`", "` ", "*<", "```", "&lt;", ">",
        "<http://",
    ] {
        for end in ["", ">", " *", "`"] {
            let text = sign.repeat(LENGTH / sign.len()) + end;
            let taken = time_of(&text);
            assert!(
                taken < harmless * 30,
                "{sign:?} and {end:?}: {taken:?}, not about {harmless:?}"
            );
        }
    }
}
