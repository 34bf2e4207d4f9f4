//! Slack's formatting.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::json;

use crate::{Mentioning, Message, message};

/// The plain text and the HTML of a text.
fn text(text: &str) -> (String, String) {
    let payload = json!({ "text": text }).to_string();
    let Message { body, formatted_body, .. } =
        message(payload.as_bytes(), false, &Mentioning::Never).unwrap();
    (body, formatted_body.unwrap_or_default())
}

#[test]
fn formatting_becomes_html_and_plain_text() {
    for (source, body, html) in [
        ("hello", "hello", ""),
        ("two\nlines", "two\nlines", ""),
        ("a *bold* word", "a bold word", "a <strong>bold</strong> word"),
        ("_slanted_, ~gone~", "slanted, gone", "<em>slanted</em>, <del>gone</del>"),
        ("*_both_*", "both", "<strong><em>both</em></strong>"),
        ("`a < b & *c*`", "a < b & *c*", "<code>a &lt; b &amp; *c*</code>"),
        ("a*b*c", "a*b*c", ""),
        ("2 * 3 * 4", "2 * 3 * 4", ""),
        ("snake_case_name", "snake_case_name", ""),
        ("*open", "*open", ""),
        ("**", "**", ""),
        ("~~~", "~~~", ""),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2", ""),
        ("&amp;lt;", "&lt;", ""),
        (
            "&gt; quoted\n&gt; more\nown",
            "> quoted\n> more\nown",
            "<blockquote>quoted<br>more</blockquote><p>own</p>",
        ),
        (
            "own\n>>> all\nthe rest",
            "own\n> all\n> the rest",
            "<p>own</p><blockquote>all<br>the rest</blockquote>",
        ),
        (
            "see:\n```\nlet x = &lt;y&gt;;\n*z*\n```",
            "see:\nlet x = <y>;\n*z*",
            "<p>see:</p><pre><code>let x = &lt;y&gt;;\n*z*</code></pre>",
        ),
        ("```never closed", "```never closed", ""),
        ("<b>&quot;'", "<b>&quot;'", ""),
    ] {
        assert_eq!(text(source), (body.to_owned(), html.to_owned()), "{source}");
    }
}

#[test]
fn links_lead_to_the_web_and_to_mail_alone() {
    for (source, body, html) in [
        (
            "<https://example.org>",
            "https://example.org",
            r#"<a href="https://example.org">https://example.org</a>"#,
        ),
        (
            "<https://x.org/?a=1&amp;b=2|the page>",
            "the page (https://x.org/?a=1&b=2)",
            r#"<a href="https://x.org/?a=1&amp;b=2">the page</a>"#,
        ),
        (
            "<mailto:ada@x.org|ada>",
            "ada (mailto:ada@x.org)",
            r#"<a href="mailto:ada@x.org">ada</a>"#,
        ),
        (
            "*<https://x.org/a_b*|bold_>*",
            "bold_ (https://x.org/a_b*)",
            r#"<strong><a href="https://x.org/a_b*">bold_</a></strong>"#,
        ),
        (
            r#"<https://x.org/"onclick='x'|x>"#,
            r#"x (https://x.org/"onclick='x')"#,
            r#"<a href="https://x.org/&quot;onclick=&#39;x&#39;">x</a>"#,
        ),
        ("<javascript:alert(1)|x>", "<javascript:alert(1)|x>", ""),
        ("<script>", "<script>", ""),
        ("a < b", "a < b", ""),
    ] {
        assert_eq!(text(source), (body.to_owned(), html.to_owned()), "{source}");
    }
}

#[test]
fn names_are_words() {
    for (source, body) in [
        ("<@U024BE7LH>", "@U024BE7LH"),
        ("<@U024BE7LH|ada>", "@ada"),
        ("<@ada>", "@ada"),
        ("<#C024BE7LR|general>", "#general"),
        ("<#C024BE7LR>", "#C024BE7LR"),
        ("<!channel> <!here> <!everyone>", "@channel @here @everyone"),
        ("<!here|here>", "@here"),
        ("<!subteam^SAZ94GDB8|@ops>", "@ops"),
        ("<!subteam^SAZ94GDB8>", "@SAZ94GDB8"),
        ("<!date^1392734382^{date}|18 February 2014>", "18 February 2014"),
    ] {
        assert_eq!(text(source), (body.to_owned(), String::new()), "{source}");
    }
}

#[test]
fn names_are_mentions_if_the_webhook_may_mention() {
    let server = "example.org".try_into().unwrap();
    let mentioning = Mentioning::At(server);
    let post = |text: &str| {
        let payload = json!({ "text": text }).to_string();
        message(payload.as_bytes(), false, &mentioning).unwrap()
    };
    let message = post("<!here>: <@ada> and <@@bob:x.org|Bob> and <@eve:x.org>, not <@U02>");
    assert_eq!(message.body, "@room: @ada:example.org and @bob:x.org and @eve:x.org, not @U02");
    assert!(message.mentions.room);
    assert_eq!(message.mentions.users, ["@ada:example.org", "@bob:x.org", "@eve:x.org"]);
    let html = message.formatted_body.unwrap();
    let ada = r#"<a href="https://matrix.to/#/@ada:example.org">@ada:example.org</a>"#;
    assert!(html.starts_with(&format!("@room: {ada} and ")), "{html}");
    let message = post("nobody");
    assert_eq!(message.mentions, rookery_domain::Mentions::default());
}
