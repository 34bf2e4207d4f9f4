//! The benchmark itself, with small settings: every workload runs and reports its results. No test
//! judges a figure.

use std::{path::Path, process::Command, sync::Mutex};

use serde_json::Value;

/// Sizes that are small enough for a test.
const SETTINGS: [(&str, &str); 17] = [
    ("RUNS", "1"),
    ("SECONDS", "0.1"),
    ("EVENTS", "2000"),
    ("HISTORY", "2000"),
    ("ROOMS", "3"),
    ("DEPTHS", "0,100"),
    ("LONG", "10,300"),
    ("LISTENERS", "5"),
    ("DELIVERIES", "100"),
    ("PACE", "200"),
    ("PACED", "0.5"),
    ("SOCKETS", "20"),
    ("MIXED", "20"),
    ("QUIET", "20"),
    ("STORM", "10"),
    ("MISSED", "20"),
    ("STALLED", "5"),
];

/// Workloads share data directories, and one server opens each.
static TURN: Mutex<()> = Mutex::new(());

/// The lines that a workload reports.
fn measure(workload: &str) -> Vec<Value> {
    // A failed test leaves nothing that the next one needs.
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let bench = Path::new(env!("CARGO_BIN_EXE_rookery-bench"));
    let program = bench.with_file_name("rookery");
    assert!(program.exists(), "build it first: cargo build --package rookery-server");
    let settings = SETTINGS.map(|(name, value)| (format!("ROOKERY_BENCH_{name}"), value));
    let output =
        Command::new(bench).arg(workload).envs(settings).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{workload}: {said}");
    let lines = String::from_utf8(output.stdout).expect("lines are text");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let lines: Vec<Value> = lines.collect();
    for line in &lines {
        assert_eq!(line["workload"], workload);
        assert_eq!(line["runs"], 1);
        assert!(line["count"].as_f64() > Some(0.0), "{line}");
    }
    lines
}

fn has(line: &Value, figures: &[&str]) {
    for figure in figures {
        assert!(line[figure].is_number(), "no {figure}: {line}");
    }
}

#[test]
fn fanout_delivers_each_message_to_each_listener_beside_the_bare_server() {
    let lines = measure("fanout");
    assert_eq!(lines.len(), 3);
    // 200 messages one at a time, a burst of 20, and 20 in half a second.
    let counts: Vec<_> = lines.iter().map(|line| line["count"].as_u64()).collect();
    assert_eq!(counts, [Some(1_000), Some(100), Some(100)]);
    for line in &lines {
        has(line, &["rate", "reference_rate", "ratio", "server_cpu_us_each", "client_cpu_us_each"]);
        has(line, &["server_cpu_us_per_frame", "reference_cpu_us_per_frame", "bytes_per_frame"]);
    }
    has(&lines[0], &["p50_ms", "p99_ms", "p999_ms", "reference_p999_ms"]);
    assert!(lines[1]["p99_ms"].is_null(), "in a burst it says how long the queue is");
}

#[test]
fn members_of_many_rooms_hear_all_that_is_said_in_theirs() {
    let lines = measure("mixed");
    assert_eq!(lines.len(), 2);
    // Rooms of 20 and of 10: seven messages in turn go to four of the first and three of the other.
    assert_eq!(lines[0]["count"], 110);
    for line in &lines {
        has(line, &["server_cpu_us_each", "events_per_frame"]);
    }
}

#[test]
fn quiet_sockets_hear_nothing_and_their_cost_is_told() {
    let lines = measure("quiet");
    assert_eq!(lines[0]["count"], 600);
    has(&lines[0], &["server_cpu_us_per_message", "reference_cpu_us_per_message"]);
}

#[test]
fn listeners_beside_a_stalled_one_hear_everything() {
    let lines = measure("stalled");
    assert_eq!(lines[0]["count"], 100);
    has(&lines[0], &["p99_ms", "reference_p99_ms", "grown_mib"]);
}

#[test]
fn clients_that_come_back_catch_up_from_nearby_and_from_afar() {
    let lines = measure("storm");
    assert_eq!(lines.len(), 2);
    // Ten clients, of which the first missed 70, the next 69, and so on.
    assert_eq!(lines[0]["count"], 655);
    assert_eq!(lines[1]["count"], 2_000);
    for line in &lines {
        has(line, &["seconds", "p99_ms", "reference_p99_ms", "server_cpu_s", "sent_mib"]);
    }
}

#[test]
fn consumers_are_measured_beside_the_stream_and_the_bare_log() {
    let lines = measure("consume");
    let of = |work: &str| lines.iter().filter(|line| line["parameters"]["work"] == work).count();
    assert_eq!((of("live"), of("behind"), of("beside")), (1, 3, 2));
    has(&lines[0], &["p50_ms", "reference_p50_ms", "from_send_p50_ms", "ratio"]);
    for behind in &lines[1..4] {
        has(behind, &["ratio", "received", "batches", "server_cpu_us_each"]);
    }
    for beside in &lines[4..] {
        has(beside, &["p99_ms", "reference_p99_ms", "received"]);
    }
}

#[test]
fn idle_sockets_are_weighed_beside_bare_ones() {
    let lines = measure("memory");
    assert_eq!(lines[0]["count"], 20);
    has(&lines[0], &["subscription_kib", "reference_socket_kib", "resident_mib"]);
}

#[test]
fn pages_and_sends_are_measured_in_each_long_room() {
    let lines = measure("long");
    let parameters: Vec<_> = lines.iter().map(|line| line["parameters"].to_string()).collect();
    assert_eq!(parameters.len(), 4);
    assert!(parameters[3].contains("300") && parameters[3].contains("send"), "{}", parameters[3]);
    for line in &lines {
        has(line, &["rate", "p50_ms", "reference_rate"]);
    }
}

#[test]
fn the_workloads_of_one_person_report_a_line_for_each_setting() {
    let lines = ["append", "home", "scroll", "rebuild", "start"].map(|name| measure(name).len());
    assert_eq!(lines, [3, 1, 2, 1, 2]);
    let sends = measure("send");
    let with_actions = sends.iter().filter(|line| line["parameters"]["actions"] == true).count();
    assert_eq!((sends.len(), with_actions), (20, 10));
}
