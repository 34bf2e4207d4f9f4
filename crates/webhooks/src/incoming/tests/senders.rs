//! Payloads as well-known programs send them, and the messages that they make.
//!
//! Sources: the documentation of each program for its notifications to Slack.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::{Value, json};

use crate::{Mentioning, message};

/// The plain text of the message, and the HTML.
fn convert(payload: &Value) -> (String, String) {
    let message = message(payload.to_string().as_bytes(), false, &Mentioning::Never).unwrap();
    (message.body, message.formatted_body.unwrap_or_default())
}

fn grafana() -> Value {
    json!({
        "channel": "#alerts", "username": "Grafana",
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "<!here|here> <@U024BE7LH>" } }],
        "attachments": [{
            "color": "#D63232", "fallback": "[FIRING:1] High CPU (web-1)", "title": "[FIRING:1] High CPU (web-1)",
            "title_link": "https://grafana.example.org/alerting/list", "footer": "Grafana v11.2.0",
            "footer_icon": "https://grafana.com/static/assets/img/fav32.png", "ts": 1_731_000_000,
            "text": "**Firing**\n\nValue: A=97.5\nLabels:\n - alertname = High CPU\n - instance = web-1\nSource: https://grafana.example.org/alerting/grafana/1/view\n",
            "mrkdwn_in": ["pretext"], "fields": null,
        }],
    })
}

fn alertmanager() -> Value {
    json!({
        "channel": "#ops", "username": "Alertmanager",
        "attachments": [{
            "title": "[FIRING:2] InstanceDown (node critical)",
            "title_link": "https://alerts.example.org/#/alerts?receiver=slack", "pretext": "", "text": "db-1 &amp; db-2 are down",
            "fallback": "[FIRING:2] InstanceDown | https://alerts.example.org/", "callback_id": "", "footer": "",
            "color": "danger", "mrkdwn_in": ["fallback", "pretext", "text"],
            "fields": [{ "title": "Severity", "value": "critical", "short": true }],
            "actions": [{ "type": "button", "text": "Silence", "url": "https://alerts.example.org/#/silences/new", "style": "" }],
        }],
    })
}

fn github() -> Value {
    json!({
        "text": "GitHub Action build result: success\nhttps://github.com/octo/hello/pull/1",
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "Build of hello", "emoji": true } },
            { "type": "section", "text": { "type": "mrkdwn",
                "text": "GitHub Action build result: *success*\n<https://github.com/octo/hello/pull/1|octo/hello#1>" } },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "by `octocat`" }] },
        ],
    })
}

fn azure_devops() -> Value {
    json!({
        "attachments": [{
            "color": "good", "fallback": "Build Fabrikam_20241101.1 succeeded",
            "pretext": "[Fabrikam] Build <https://dev.azure.com/fabrikam/_build/results?buildId=5&amp;view=results|Fabrikam_20241101.1> succeeded",
            "mrkdwn_in": ["pretext", "fields"],
            "fields": [
                { "title": "Requested by", "value": "Normal Paulk", "short": true },
                { "title": "Build pipeline", "value": "<https://dev.azure.com/fabrikam/_build?definitionId=2|Fabrikam CI>", "short": true },
                { "title": "Duration", "value": "00:02:10", "short": true },
            ],
        }],
    })
}

#[test]
fn payloads_of_well_known_senders_make_these_messages() {
    let table: [(Value, &[&str], &str); 4] = [
        (
            grafana(),
            &[
                "@here @U024BE7LH",
                "[FIRING:1] High CPU (web-1) (https://grafana.example.org/alerting/list)",
                "**Firing**",
                "",
                "Value: A=97.5",
                "Labels:",
                " - alertname = High CPU",
                " - instance = web-1",
                "Source: https://grafana.example.org/alerting/grafana/1/view",
                "Grafana v11.2.0",
            ],
            r#"<p>@here @U024BE7LH</p><p><strong><a href="https://grafana.example.org/alerting/list">[FIRING:1] High CPU (web-1)</a></strong></p><p>**Firing**<br><br>Value: A=97.5<br>Labels:<br> - alertname = High CPU<br> - instance = web-1<br>Source: https://grafana.example.org/alerting/grafana/1/view</p><p>Grafana v11.2.0</p>"#,
        ),
        (
            alertmanager(),
            &[
                "[FIRING:2] InstanceDown (node critical) (https://alerts.example.org/#/alerts?receiver=slack)",
                "db-1 & db-2 are down",
                "Severity: critical",
                "Silence (https://alerts.example.org/#/silences/new)",
            ],
            r#"<p><strong><a href="https://alerts.example.org/#/alerts?receiver=slack">[FIRING:2] InstanceDown (node critical)</a></strong></p><p>db-1 &amp; db-2 are down</p><p><strong>Severity</strong>: critical</p><p><a href="https://alerts.example.org/#/silences/new">Silence</a></p>"#,
        ),
        (
            github(),
            &[
                "Build of hello",
                "GitHub Action build result: success",
                "octo/hello#1 (https://github.com/octo/hello/pull/1)",
                "by octocat",
            ],
            r#"<h4>Build of hello</h4><p>GitHub Action build result: <strong>success</strong><br><a href="https://github.com/octo/hello/pull/1">octo/hello#1</a></p><p>by <code>octocat</code></p>"#,
        ),
        (
            azure_devops(),
            &[
                "[Fabrikam] Build Fabrikam_20241101.1 (https://dev.azure.com/fabrikam/_build/results?buildId=5&view=results) succeeded",
                "Requested by: Normal Paulk",
                "Build pipeline: Fabrikam CI (https://dev.azure.com/fabrikam/_build?definitionId=2)",
                "Duration: 00:02:10",
            ],
            r#"<p>[Fabrikam] Build <a href="https://dev.azure.com/fabrikam/_build/results?buildId=5&amp;view=results">Fabrikam_20241101.1</a> succeeded</p><p><strong>Requested by</strong>: Normal Paulk</p><p><strong>Build pipeline</strong>: <a href="https://dev.azure.com/fabrikam/_build?definitionId=2">Fabrikam CI</a></p><p><strong>Duration</strong>: 00:02:10</p>"#,
        ),
    ];
    for (payload, body, html) in table {
        let (shown, formatted) = convert(&payload);
        assert_eq!(shown.lines().collect::<Vec<_>>(), body);
        assert_eq!(formatted, html);
    }
}
