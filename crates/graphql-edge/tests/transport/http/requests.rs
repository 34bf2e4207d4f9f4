//! GraphQL over HTTP: methods, media types, status codes, origins, tokens.

use std::io::Read as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rookery_graphql_edge::InvalidStatus;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::files::PAGE;
use crate::clients::http::{Request, raw, raw_bytes};
use crate::toy::{toy, toy_with};

const GRAPHQL: &str = "application/graphql-response+json";

#[tokio::test]
async fn a_query_is_answered_in_the_media_type_that_was_asked_for() {
    let toy = toy().await;
    for (accept, content_type) in [
        ("", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        (GRAPHQL, "application/graphql-response+json; charset=utf-8"),
    ] {
        let answer = Request::query("{hello}").header("Accept", accept).send(toy.address).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    }
}

#[tokio::test]
async fn get_runs_a_query_with_variables() {
    let toy = toy().await;
    let path = "/graphql?query=query%20Q($n:Int!)%7Bsame(number:$n)%7D&variables=%7B%22n%22:7%7D&operationName=Q";
    let answer = Request::get(path).send(toy.address).await;
    assert_eq!(answer.json(), json!({"data": {"same": 7}}));
    assert_eq!(Request::get("/graphql").send(toy.address).await.status, 400);
}

#[tokio::test]
async fn mutation_over_get_is_405_and_does_not_run() {
    let toy = toy().await;
    let answer = Request::get("/graphql?query=mutation%7Bbump%7D").send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (405, "METHOD_NOT_ALLOWED".into()));
    assert_eq!(answer.header("allow"), Some("GET, POST, PUT, DELETE, OPTIONS"));
    let hidden = "/graphql?query=query%20A%7Bhello%7Dmutation%20B%7Bbump%7D&operationName=B";
    assert_eq!(Request::get(hidden).send(toy.address).await.status, 405);
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn other_methods_are_405() {
    let toy = toy().await;
    for method in ["DELETE", "PATCH", "BREW"] {
        assert_eq!(Request::query("{hello}").method(method).send(toy.address).await.status, 405);
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_in_utf8_are_415() {
    let toy = toy().await;
    for content_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
    ] {
        let request = Request::query("mutation{bump}").header("Content-Type", content_type);
        let answer = request.send(toy.address).await;
        assert_eq!((answer.status, answer.code()), (415, "UNSUPPORTED_MEDIA_TYPE".into()));
    }
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
    let utf8 =
        Request::query("{hello}").header("Content-Type", "Application/JSON; charset=\"UTF-8\"");
    assert_eq!(utf8.send(toy.address).await.status, 200);
}

#[tokio::test]
async fn malformed_json_is_400_without_debug_text() {
    let toy = toy().await;
    for body in
        ["", "{", "{\"query\": secret}", "{\"query\":\"\\ud800\"}", "\"{hello}\"", "null", "{}"]
    {
        let answer = Request::post(body).header("Accept", GRAPHQL).send(toy.address).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST".into()), "{body}");
        for word in ["secret", "serde", "Params", "expected value", "missing field"] {
            assert!(!answer.body.contains(word), "{body}: {answer:?}");
        }
    }
    for params in [
        json!({"query": ["{hello}"]}),
        json!({"query": "{hello}", "operationName": 1}),
        json!({"query": "{hello}", "variables": "x"}),
        json!({"query": "{hello}", "variables": [1]}),
        json!({"query": "{hello}", "extensions": 0}),
    ] {
        assert_eq!(
            Request::post(params.to_string()).send(toy.address).await.status,
            400,
            "{params}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_400() {
    let toy = toy().await;
    let answer = Request::post(r#" [{"query":"{hello}"}]"#).send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (400, "BATCH_UNSUPPORTED".into()));
}

#[tokio::test]
async fn an_invalid_document_is_400_or_200_by_media_type_and_has_no_data() {
    let toy = toy().await;
    for (query, code) in [
        ("{hello", "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("query A{hello} query B{hello}", "OPERATION_NAME_REQUIRED"),
        ("query($n:Int!){same(number:$n)}", "BAD_USER_INPUT"),
        ("query($n:Int=\"x\"){same(number:$n)}", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        for (accept, status) in [(GRAPHQL, 400), ("application/json", 200)] {
            let answer = Request::query(query).header("Accept", accept).send(toy.address).await;
            assert_eq!((answer.status, &*answer.code()), (status, code), "{query} {answer:?}");
            assert!(answer.json().get("data").is_none(), "{query}");
        }
    }
}

#[tokio::test]
async fn what_is_invalid_is_400_as_the_audit_says_or_422_as_proposed() {
    for (invalid, status) in
        [(InvalidStatus::BadRequest, 400), (InvalidStatus::UnprocessableContent, 422)]
    {
        let toy = toy_with(|options, _| options.invalid_status = invalid).await;
        for (query, status) in [
            ("{nothing}", status),
            ("query A{hello} query B{hello}", status),
            ("query($n:Int!){same(number:$n)}", status),
            ("{hello", 400),
            ("{hello}", 200),
        ] {
            let ask = |accept| Request::query(query).header("Accept", accept).send(toy.address);
            assert_eq!(ask(GRAPHQL).await.status, status, "{query}");
            assert_eq!(ask("application/json").await.status, 200, "{query}");
        }
        let coerced = json!({"query": "query($n:Int!){same(number:$n)}", "variables": {"n": "x"}});
        let ask = Request::post(coerced.to_string()).header("Accept", GRAPHQL);
        assert_eq!(ask.send(toy.address).await.status, status);
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let toy = toy().await;
    let long = "{repeated(times:3000)}";
    let ask = |query: &str, coding| Request::query(query).header("Accept-Encoding", coding);
    let plain = ask(long, "").send(toy.address).await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("vary"), Some("Accept, Accept-Encoding, Origin"));
    let (head, body) = raw_bytes(toy.address, &ask(long, "br, gzip").bytes()).await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(body.len() < plain.body.len() / 4, "{}", body.len());
    let mut read = String::new();
    flate2::read::GzDecoder::new(&*body).read_to_string(&mut read).unwrap();
    assert_eq!(read, plain.body);
    let short = ask("{hello}", "gzip").send(toy.address).await;
    assert_eq!(short.header("content-encoding"), None);
}

#[tokio::test]
async fn variables_that_do_not_fit_are_refused_before_anything_runs() {
    let toy = toy().await;
    let query = "query($n: Int!, $m: [Int!]! = [1], $k: Int) { hello same(number: $n) }";
    for variables in
        [json!({}), json!({"n": null}), json!({"n": "x"}), json!({"n": 1.5}), json!({"n": [1]})]
    {
        for (accept, status) in [(GRAPHQL, 400), ("application/json", 200)] {
            let body = json!({"query": query, "variables": variables}).to_string();
            let answer = Request::post(body).header("Accept", accept).send(toy.address).await;
            assert_eq!(answer.status, status, "{variables} {answer:?}");
            assert!(answer.json().get("data").is_none(), "{variables} {answer:?}");
        }
    }
    let mutation = json!({"query": "mutation($n: Int!) { bump bumpBy(number: $n) }"}).to_string();
    assert_eq!(Request::post(mutation).send(toy.address).await.code(), "BAD_USER_INPUT");
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_document_full_of_errors_gets_a_short_answer() {
    let toy = toy().await;
    let query = format!("{{x: __typename {}}}", "hello @nothing @never ".repeat(9));
    let answer = Request::query(&query).send(toy.address).await;
    assert!(answer.json()["errors"].as_array().unwrap().len() > 9);
    let variables =
        (0..1_000).map(|number| format!("$v{number}:Int")).collect::<Vec<_>>().join(" ");
    let answer = Request::query(&format!("query({variables}){{hello}}")).send(toy.address).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn an_offer_of_http_2_is_no_socket() {
    let toy = toy().await;
    let request = Request::get("/graphql?query=%7Bhello%7D").header("Upgrade", "h2c");
    assert_eq!(request.send(toy.address).await.status, 200);
}

#[tokio::test]
async fn nothing_acceptable_is_406() {
    let toy = toy().await;
    let answer = Request::query("{hello}").header("Accept", "image/png").send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (406, "NOT_ACCEPTABLE".into()));
}

#[tokio::test]
async fn a_subscription_over_post_is_told_where_to_go() {
    let toy = toy().await;
    let answer = Request::query("subscription{count(to:1)}").send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (400, "SUBSCRIPTION_NEEDS_WEBSOCKET".into()));
}

#[tokio::test]
async fn a_bearer_token_becomes_a_session_and_a_bad_one_is_401() {
    let toy = toy().await;
    let ask = |token: &'static str| {
        Request::query("{user peerIsLocal}").header("Authorization", token).send(toy.address)
    };
    assert_eq!(ask("").await.json(), json!({"data": {"user": "nobody", "peerIsLocal": true}}));
    assert_eq!(ask("bearer good").await.json()["data"]["user"], "ada");
    for token in ["Bearer stale", "Basic Z29vZA==", "Bearer"] {
        let answer = ask(token).await;
        assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED".into()), "{token}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        assert!(!answer.body.contains("stale"));
    }
    assert_eq!(ask("Bearer down").await.status, 503);
}

#[tokio::test]
async fn the_header_rookery_act_as_names_a_user_and_a_forbidden_one_is_403() {
    let toy = toy().await;
    let ask = |token: &'static str, user: &'static str| {
        let request = Request::query("{user}").header("Authorization", token);
        request.header("Rookery-Act-As", user).send(toy.address)
    };
    assert_eq!(ask("Bearer program", "eve").await.json()["data"]["user"], "eve");
    for (token, user) in [("Bearer program", "mallory"), ("Bearer good", "eve"), ("", "eve")] {
        let answer = ask(token, user).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN".into()), "{token} {user}");
    }
}

#[tokio::test]
async fn a_fault_keeps_its_words_and_a_refusal_tells_its_code() {
    let toy = toy().await;
    for query in ["{panics}", "{faults}", "{breaks}"] {
        let answer = Request::query(query).send(toy.address).await;
        assert_eq!(answer.code(), "INTERNAL", "{query}");
        assert!(!answer.body.contains("secret") && !answer.body.contains("nul byte"), "{answer:?}");
    }
    assert_eq!(Request::query("{panics}").send(toy.address).await.status, 500);
    let answer = Request::query("{refuses}").send(toy.address).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    assert!(answer.body.contains("not for you"));
    assert_eq!(Request::query("{hello}").send(toy.address).await.status, 200);
}

#[tokio::test]
async fn a_query_beyond_its_deadline_is_timeout() {
    let toy = toy_with(|options, _| options.execution_deadline = Duration::from_millis(20)).await;
    let answer = Request::query("{never}").header("Accept", GRAPHQL).send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (504, "TIMEOUT".into()));
}

#[tokio::test]
async fn a_failure_says_whether_anything_may_have_changed_and_how_to_learn_it() {
    let toy = toy_with(|options, _| {
        options.execution_deadline = Duration::from_millis(50);
        options.to_learn = "Look at the bumps.";
    })
    .await;
    let ask = async |query: &str, token: &str| {
        let request = Request::query(query).header("Accept", GRAPHQL);
        let answer = request.header("Authorization", token).send(toy.address).await;
        let error = answer.json()["errors"][0].clone();
        let told = error["message"].as_str().unwrap().contains("Look at the bumps.");
        let outcome = error["extensions"]["outcome"].as_str().unwrap_or("-").to_owned();
        (answer.status, outcome, told)
    };
    let unknown = |status, told| (status, "UNKNOWN".to_owned(), told);
    assert_eq!(ask("mutation{bumpWhenTold}", "").await, unknown(504, true));
    toy.probe.proceed.notify_one();
    toy.probe.ended.notified().await;
    assert_eq!(ask("mutation{bumpAndPanic}", "").await, unknown(500, true));
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 2, "both happened");
    // Fields of a mutation fail one by one; the others have their answers.
    assert_eq!(ask("mutation{bumpAndFault}", "").await, unknown(200, false));

    let nothing = |status| (status, "NOTHING_CHANGED".to_owned(), false);
    assert_eq!(ask("{never}", "").await, nothing(504));
    assert_eq!(ask("{panics}", "").await, nothing(500));
    assert_eq!(ask("mutation{bump}", "Bearer down").await, nothing(503));
    let none = |status| (status, "-".to_owned(), false);
    assert_eq!(ask("mutation{bump}", "Bearer stale").await, none(401));
    assert_eq!(ask("mutation{nothing}", "").await, none(400));
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 3, "none of these happened");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_says_that_the_connection_closes() {
    let toy = toy_with(|options, _| options.body_deadline = Duration::from_millis(200)).await;
    let json = "Content-Type: application/json\r\n";
    let cases = [
        ("POST", "Content-Type: text/plain\r\nContent-Length: 100000\r\n", "", 415),
        ("POST", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n", 415),
        ("POST", &format!("{json}Content-Length: 20000000\r\n"), "{", 413),
        ("POST", &format!("{json}Content-Length: 100\r\n"), "{", 408),
        ("POST", &format!("{json}Accept: image/png\r\nContent-Length: 100\r\n"), "", 406),
        ("PATCH", &format!("{json}Content-Length: 100\r\n"), "", 405),
        ("PUT", "Authorization: Bearer stale\r\nContent-Length: 100\r\n", "", 401),
        ("PUT", "Origin: https://evil.example\r\nContent-Length: 100\r\n", "", 403),
        ("POST", "Expect: 100-continue\r\nContent-Length: 100\r\n", "", 415),
    ];
    for (method, headers, body, status) in cases {
        let request = format!("{method} /graphql HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}");
        let answer = raw(toy.address, request.as_bytes()).await;
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, Some("close")),
            "{request}"
        );
    }
    // A completely received body closes nothing.
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    let request = format!("POST /graphql HTTP/1.1\r\nHost: x\r\n{json}Content-Length: 1\r\n\r\n{{");
    for _ in 0..2 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 400") && !head.contains("connection: close"), "{head}");
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        stream.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_is_still_sending_reads_why_it_was_refused() {
    let toy = toy().await;
    let request = Request::post(vec![b' '; 4_000_000]).header("Content-Type", "text/plain");
    let answer = request.send(toy.address).await;
    assert_eq!((answer.status, answer.header("connection")), (415, Some("close")));
}

#[tokio::test]
async fn a_mutation_that_began_ends_though_its_client_left() {
    let toy = toy().await;
    let mut client = TcpStream::connect(toy.address).await.unwrap();
    client.write_all(&Request::query("mutation{bumpWhenTold}").bytes()).await.unwrap();
    toy.probe.begun.notified().await;
    drop(client);
    toy.probe.proceed.notify_one();
    toy.probe.ended.notified().await;
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_browser_is_shown_the_way_to_the_page() {
    let toy = toy().await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let answer = Request::get("/graphql").header("Accept", accept).send(toy.address).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(PAGE)));
    let asked = Request::get("/graphql?query=%7Bhello%7D").header("Accept", accept);
    assert_eq!(asked.send(toy.address).await.status, 200);
}

#[tokio::test]
async fn only_listed_origins_may_read_answers() {
    let listed = "https://chat.example";
    let toy = toy_with(|options, _| options.allowed_origins = vec![listed.into()]).await;
    let preflight = |origin| {
        Request::get("/graphql").method("OPTIONS").header("Origin", origin).send(toy.address)
    };
    let answer = preflight(listed).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(listed));
    let headers = "authorization, content-type, x-graphql-event-stream-token";
    assert_eq!(answer.header("access-control-allow-headers"), Some(headers));
    assert_eq!(preflight("https://evil.example").await.status, 403);
    let ask = |origin| Request::query("{hello}").header("Origin", origin).send(toy.address);
    assert_eq!(ask(listed).await.header("access-control-allow-origin"), Some(listed));
    assert_eq!(ask("https://evil.example").await.header("access-control-allow-origin"), None);
}
