//! All rigs. A new one is one entry here.

use super::rig::Rig;

/// The end-to-end tests.
const E2E: &[&str] = &["--test", "e2e"];

pub(super) const RIGS: &[Rig] = &[
    Rig {
        name: "crash",
        about: "kills the program under load: no acknowledged action is lost, and none is executed twice",
        package: "rookery-server",
        target: E2E,
        filters: &["crash::"],
        settings: &[],
    },
    Rig {
        name: "log",
        about: "kills, cuts and damages the log: it opens whole, or refuses and names the damage",
        package: "rookery-log-sled",
        target: &["--test", "suite"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "damage",
        about: "damages any file of a data folder: the server serves the written data, or names the damage",
        package: "rookery-server",
        target: E2E,
        filters: &["damage::"],
        settings: &[],
    },
    Rig {
        name: "resume",
        about: "cuts and resumes a stream: each event comes once and in order",
        package: "rookery-server",
        target: E2E,
        filters: &["resume::", "seam::"],
        settings: &[],
    },
    Rig {
        name: "oracle",
        about: "tries every history of a member on every path: no user sees an event that the rules deny",
        package: "rookery-server",
        target: E2E,
        filters: &["visibility::"],
        settings: &[("ROOKERY_ORACLE", "all")],
    },
    Rig {
        name: "models",
        about: "tries any order of arrival and any restart: read models equal those of a rebuild",
        package: "rookery-projection",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "delivery",
        about: "tries any order of arrival, slow readers and reconnects: streams miss and repeat nothing",
        package: "rookery-delivery",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "order",
        about: "tries actions and events of other servers in any order: a room has one order and one state",
        package: "rookery-command",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "revocation",
        about: "ends sessions in each way on each path: afterwards the server sends and does nothing for that session",
        package: "rookery-server",
        target: E2E,
        filters: &["revocation::"],
        settings: &[],
    },
    Rig {
        name: "interference",
        about: "lets one user misbehave: the latencies of another user stay as they were",
        package: "rookery-server",
        target: E2E,
        filters: &["interference::"],
        settings: &[],
    },
    Rig {
        name: "simulation",
        about: "runs the write side over a log that fails, hangs, loses answers and fills up: journals and log agree",
        package: "rookery-command",
        target: &["--lib"],
        filters: &["simulation::"],
        settings: &[],
    },
    Rig {
        name: "flaky",
        about: "repeats all end-to-end tests: none passes by luck",
        package: "rookery-server",
        target: E2E,
        filters: &[],
        // One round of each: the time goes into repetitions of all of them.
        settings: &[("ROOKERY_TORTURE_MINUTES", "0")],
    },
];
