//! The limits of requests over HTTP.

use std::time::Duration;

use rookery_graphql_edge::TrustedPeers;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::http::{Request, raw};
use crate::toy::{toy, toy_with};

#[tokio::test]
async fn a_body_above_64_kib_is_413() {
    let toy = toy().await;
    for size in [64 * 1024 + 1, 5_000_000, 20_000_000] {
        let answer = Request::post(vec![b' '; size]).send(toy.address).await;
        assert_eq!((answer.status, answer.code()), (413, "BODY_TOO_LARGE".into()), "{size}");
    }
}

#[tokio::test]
async fn a_chunked_body_above_64_kib_is_413() {
    let toy = toy().await;
    let mut request =
        b"POST /graphql HTTP/1.1\r\nHost: rookery.test\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            .to_vec();
    let chunk = [b"8000\r\n".as_slice(), &vec![b' '; 0x8000], b"\r\n"].concat();
    for _ in 0..150 {
        request.extend_from_slice(&chunk);
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let answer = raw(toy.address, &request).await;
    assert_eq!((answer.status, answer.code()), (413, "BODY_TOO_LARGE".into()));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let toy = toy_with(|options, _| options.body_deadline = Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nHost: rookery.test\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn headers_that_do_not_come_close_the_connection() {
    let toy = toy_with(|_, serving| serving.header_deadline = Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn headers_without_end_are_431() {
    let toy = toy().await;
    let request = Request::get("/").header("X-Long", &"x".repeat(200_000)).bytes();
    assert_eq!(raw(toy.address, &request).await.status, 431);
}

#[tokio::test]
async fn a_head_of_64_kib_is_read_and_a_longer_one_is_431() {
    let toy = toy().await;
    let head = |len: usize| {
        let least = Request::get("/").header("X-Long", "x").bytes().len();
        Request::get("/").header("X-Long", &"x".repeat(1 + len - least)).bytes()
    };
    for (len, refused) in [(65_536, false), (65_537, true), (70_000, true), (100_000, true)] {
        let request = head(len);
        assert_eq!(request.len(), len);
        let whole = raw(toy.address, &request).await.status;
        assert_eq!(whole == 431, refused, "{len} bytes at once: {whole}");
        // This holds for any arrival of the bytes.
        let mut stream = TcpStream::connect(toy.address).await.unwrap();
        let mut answer = String::new();
        for part in request.chunks(9_000) {
            // The server may have answered and closed.
            if stream.write_all(part).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        if stream.read_to_string(&mut answer).await.is_ok() {
            assert_eq!(
                answer.starts_with("HTTP/1.1 431"),
                refused,
                "{len} bytes in parts: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn documents_that_harm_the_library_are_400() {
    let toy = toy().await;
    let doubled = (0..24).fold("{...f0}".to_owned(), |query, index| {
        let next = index + 1;
        query + &format!("fragment f{index} on Query{{...f{next}...f{next}}}")
    });
    let cases = [
        (doubled, "TOO_MANY_FRAGMENTS"),
        (format!("{{same(number:{}", "[".repeat(2_000)), "QUERY_TOO_DEEP"),
        (format!("{{same(number:{}", "{a:".repeat(2_000)), "QUERY_TOO_DEEP"),
        ("{hello".repeat(1_000), "QUERY_TOO_DEEP"),
        ("{...f}fragment f on Query{...f}".into(), "FRAGMENT_CYCLE"),
        (format!("{{hello{}}}", "@skip(if:false)".repeat(500)), "TOO_MANY_DIRECTIVES"),
        (format!("{{{}}}", "__typename ".repeat(1_400)), "TOO_MANY_FIELDS"),
        (format!("{{{}}}", "hello ".repeat(11)), "TOO_MANY_ROOT_FIELDS"),
        ("mutation{a:logIn b:logIn}".into(), "TOO_MANY_LOGINS"),
        (format!("{{hello}}#{}", "x".repeat(20_000)), "QUERY_TOO_LARGE"),
    ];
    for (query, code) in cases {
        let answer = Request::query(&query).send(toy.address).await;
        assert_eq!((answer.status, &*answer.code()), (400, code), "{answer:?}");
    }
    assert_eq!(Request::query("{hello}").send(toy.address).await.status, 200);
}

#[tokio::test]
async fn variables_nested_10_000_deep_are_400() {
    let toy = toy().await;
    let nested = "[".repeat(10_000) + &"]".repeat(10_000);
    let body = format!(r#"{{"query":"{{hello}}","variables":{{"a":{nested}}}}}"#);
    let answer = Request::post(body).send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (400, "JSON_TOO_DEEP".into()));
    // Brackets within a string do not count.
    let body = json!({"query": "{hello}", "variables": {"a": "[".repeat(100)}}).to_string();
    assert_eq!(Request::post(body).send(toy.address).await.status, 200);
}

#[tokio::test]
async fn beyond_the_limit_one_that_waits_makes_room_and_one_that_works_does_not() {
    let toy = toy_with(|_, serving| {
        serving.connections_max = 1;
        serving.trusted = TrustedPeers::new(|_| true);
    })
    .await;
    let _idle = TcpStream::connect(toy.address).await.unwrap();
    assert_eq!(Request::query("{hello}").send(toy.address).await.status, 200);
    let working = Request::query("mutation{bumpWhenTold}").send(toy.address);
    tokio::pin!(working);
    tokio::select! {
        answer = &mut working => panic!("{answer:?}"),
        () = toy.probe.begun.notified() => {}
    }
    let waiting = Request::query("{hello}").send(toy.address);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    toy.probe.proceed.notify_one();
    assert_eq!(working.await.status, 200);
    assert_eq!(waiting.await.status, 200);
}
