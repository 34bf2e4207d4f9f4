//! Payloads: text, blocks and attachments.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use rookery_domain::Mentions;
use serde_json::{Value, json};

use crate::{Mentioning, Message, PayloadError, message};

fn convert(payload: &Value) -> Result<(String, String), PayloadError> {
    let converted = message(payload.to_string().as_bytes(), false, &Mentioning::Never);
    converted.map(|Message { body, formatted_body, mentions }| {
        assert_eq!(mentions, Mentions::default(), "a webhook mentions only if it may");
        (body, formatted_body.unwrap_or_default())
    })
}

fn lines(payload: &Value) -> Vec<String> {
    convert(payload).unwrap().0.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_payload_is_json_or_a_field_of_a_form() {
    let of = |body: &str, is_form| message(body.as_bytes(), is_form, &Mentioning::Never);
    let body = |body: &str, is_form| of(body, is_form).map(|message| message.body);
    assert_eq!(body(r#"{"text":"a b"}"#, false), Ok("a b".to_owned()));
    assert_eq!(body("x=1&payload=%7B%22text%22%3A%22a+b%22%7D", true), Ok("a b".to_owned()));
    assert_eq!(body(" {\"text\":\"a b\"}", true), Ok("a b".to_owned()), "as curl sends it");
    for bad in [
        "",
        "text",
        "[]",
        "\"text\"",
        "{\"text\":",
        "{\"text\":1}",
        "{\"blocks\":{}}",
        "{\"attachments\":\"\"}",
    ] {
        assert_eq!(of(bad, false), Err(PayloadError::Invalid), "{bad}");
    }
    for bad in ["payload=", "payload=[]", "text=hello"] {
        assert_eq!(of(bad, true), Err(PayloadError::Invalid), "{bad}");
    }
    assert_eq!(of("{\"text\":\"\u{ff}\"}", false).map(|message| message.body), Ok("\u{ff}".into()));
    assert_eq!(
        message(b"{\"text\":\"\xff\"}", false, &Mentioning::Never),
        Err(PayloadError::Invalid)
    );
}

#[test]
fn a_payload_that_shows_nothing_has_no_text() {
    for empty in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": null, "blocks": null, "attachments": null }),
        json!({ "text": " \n\t" }),
        json!({ "text": "\u{200b}" }),
        json!({ "attachments": [{}, { "color": "good", "fields": [] }, 5] }),
        json!({ "blocks": [{ "type": "divider" }, { "type": "unknown", "text": "x" }] }),
        json!({ "username": "grafana" }),
    ] {
        assert_eq!(convert(&empty), Err(PayloadError::NoText), "{empty}");
    }
}

#[test]
fn text_without_mrkdwn_keeps_its_signs_and_its_links() {
    let payload = json!({ "text": "*a* <https://x.org|b>", "mrkdwn": false });
    let html = r#"*a* <a href="https://x.org">b</a>"#;
    assert_eq!(convert(&payload), Ok(("*a* b (https://x.org)".into(), html.into())));
}

#[test]
fn blocks_show_in_their_order_and_replace_the_text() {
    let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let payload = json!({ "text": "only for notifications", "blocks": [
        { "type": "header", "text": plain("Deploy *failed*") },
        { "type": "section", "text": mrkdwn("*main* at `abc`"),
          "fields": [mrkdwn("*By*\nada"), plain("1 < 2")],
          "accessory": { "type": "button", "text": plain("Open"), "url": "https://x.org/1" } },
        { "type": "divider" },
        { "type": "context", "elements": [
            { "type": "image", "image_url": "https://x.org/i.png", "alt_text": "icon" }, mrkdwn("took _1 s_")] },
        { "type": "image", "image_url": "https://x.org/g.png", "alt_text": "a graph", "title": plain("Graph") },
        { "type": "actions", "elements": [{ "type": "button", "text": plain("Retry"), "value": "1" },
            { "type": "button", "text": plain("Logs"), "url": "https://x.org/logs" }] },
    ] });
    let (body, html) = convert(&payload).unwrap();
    let expected = [
        "Deploy *failed*",
        "main at abc",
        "By",
        "ada",
        "1 < 2",
        "Open (https://x.org/1)",
        "---",
        "icon (https://x.org/i.png) took 1 s",
        "Graph (https://x.org/g.png)",
        "Logs (https://x.org/logs)",
    ];
    assert_eq!(body.lines().collect::<Vec<_>>(), expected);
    assert!(
        html.starts_with(
            "<h4>Deploy *failed*</h4><p><strong>main</strong> at <code>abc</code></p>"
        ),
        "{html}"
    );
    assert!(html.contains("<p><strong>By</strong><br>ada</p><p>1 &lt; 2</p>"), "{html}");
    assert!(
        html.contains(r#"</p><hr><p><a href="https://x.org/i.png">icon</a> took <em>1 s</em></p>"#),
        "{html}"
    );
}

#[test]
fn rich_text_has_its_styles_lists_and_quotes() {
    let text = |text: &str, style: Value| json!({ "type": "text", "text": text, "style": style });
    let section = |elements: Value| json!({ "type": "rich_text_section", "elements": elements });
    let payload = json!({ "blocks": [{ "type": "rich_text", "elements": [
        section(json!([text("bold", json!({ "bold": true })), text(" and ", json!({})),
            text("both", json!({ "bold": true, "italic": true })), text("x<y", json!({ "code": true })),
            { "type": "link", "url": "https://x.org", "text": "link" },
            { "type": "emoji", "name": "wave", "unicode": "1f44b" }, { "type": "emoji", "name": "own" },
            { "type": "user", "user_id": "U1" }, { "type": "broadcast", "range": "here" }])),
        { "type": "rich_text_list", "style": "ordered", "elements": [
            section(json!([text("one", json!({}))])), section(json!([text("two", json!({ "strike": true }))]))] },
        { "type": "rich_text_list", "style": "bullet", "elements": [section(json!([text("item", json!({}))]))] },
        { "type": "rich_text_quote", "elements": [text("said\nso", json!({}))] },
        { "type": "rich_text_preformatted", "elements": [text("a\n  b", json!({}))] },
    ] }] });
    let (body, html) = convert(&payload).unwrap();
    assert_eq!(
        body,
        "bold and bothx<ylink (https://x.org)\u{1f44b}:own:@U1@here\n1. one\n2. two\n\u{2022} item\n> said\n> so\na\n  b"
    );
    assert_eq!(
        html,
        "<p><strong>bold</strong> and <strong><em>both</em></strong><code>x&lt;y</code>\
         <a href=\"https://x.org\">link</a>\u{1f44b}:own:@U1@here</p>\
         <ol><li>one</li><li><del>two</del></li></ol><ul><li>item</li></ul>\
         <blockquote>said<br>so</blockquote><pre><code>a\n  b</code></pre>"
    );
}

#[test]
fn attachments_follow_the_text() {
    let payload = json!({ "text": "Look:", "attachments": [
        { "fallback": "not shown", "pretext": "before", "author_name": "ada", "author_link": "https://x.org/ada",
          "title": "Title & more", "title_link": "https://x.org/t", "text": "*body*",
          "fields": [{ "title": "Env", "value": "prod" }, { "title": "Count", "value": 3 },
            { "title": "Log", "value": "```x```" }, { "value": "alone" }, { "title": "empty" }],
          "image_url": "https://x.org/i.png", "footer": "by a robot", "ts": 1,
          "actions": [{ "type": "button", "text": "Open", "url": "https://x.org/o" }] },
        { "fallback": "shown, as there is nothing else" },
    ] });
    assert_eq!(
        lines(&payload),
        [
            "Look:",
            "before",
            "ada (https://x.org/ada)",
            "Title & more (https://x.org/t)",
            "body",
            "Env: prod",
            "Count: 3",
            "Log",
            "x",
            "alone",
            "empty",
            "https://x.org/i.png",
            "Open (https://x.org/o)",
            "by a robot",
            "shown, as there is nothing else",
        ]
    );
    let (_, html) = convert(&payload).unwrap();
    assert!(
        html.contains(r#"<p><strong><a href="https://x.org/t">Title &amp; more</a></strong></p>"#),
        "{html}"
    );
}

#[test]
fn a_long_text_is_cut_to_fit_into_an_event() {
    let long = "\\\"<".repeat(20_000);
    let (body, html) = convert(&json!({ "text": format!("*{long}*") })).unwrap();
    assert!(body.ends_with('\u{2026}') && html.ends_with("</strong>\u{2026}"), "both say so");
    let content = json!({ "body": body, "formatted_body": html }).to_string().len();
    assert!((30_000..53_000).contains(&content), "{content}");
}
