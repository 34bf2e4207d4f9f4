//! All rigs. A new one is one entry here.

use super::rig::Rig;

/// The end-to-end tests.
const E2E: &[&str] = &["--test", "e2e"];

pub(super) const RIGS: &[Rig] = &[
    Rig {
        name: "crash",
        about: "the program is killed under load: no acknowledged action is lost, none is carried out twice",
        package: "rookery-server",
        target: E2E,
        filters: &["crash::"],
        settings: &[],
    },
    Rig {
        name: "log",
        about: "the log is killed, cut and damaged: it opens whole, or refuses and names the damage",
        package: "rookery-log-sled",
        target: &["--test", "suite"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "resume",
        about: "a stream is cut and resumed: each event comes once and in order",
        package: "rookery-server",
        target: E2E,
        filters: &["resume::", "seam::"],
        settings: &[],
    },
    Rig {
        name: "oracle",
        about: "every history of a member, on every path: nobody sees what the rules deny",
        package: "rookery-server",
        target: E2E,
        filters: &["visibility::"],
        settings: &[("ROOKERY_ORACLE", "all")],
    },
    Rig {
        name: "models",
        about: "any order of arrival, any restart: read models are those of a rebuild",
        package: "rookery-projection",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "delivery",
        about: "any order of arrival, slow readers, reconnects: streams miss nothing and repeat nothing",
        package: "rookery-delivery",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "order",
        about: "actions and events of other servers in any order: one order, one state of a room",
        package: "rookery-command",
        target: &["--lib"],
        filters: &[],
        settings: &[],
    },
    Rig {
        name: "revocation",
        about: "each way of ending a session, on each path: after it the server tells and does nothing for that session",
        package: "rookery-server",
        target: E2E,
        filters: &["revocation::"],
        settings: &[],
    },
    Rig {
        name: "interference",
        about: "one user misbehaves: the latencies of another stay as they were",
        package: "rookery-server",
        target: E2E,
        filters: &["interference::"],
        settings: &[],
    },
    Rig {
        name: "simulation",
        about: "the write side over a log that fails, hangs, loses answers and fills up: journals and log agree",
        package: "rookery-command",
        target: &["--lib"],
        filters: &["simulation::"],
        settings: &[],
    },
    Rig {
        name: "flaky",
        about: "all end-to-end tests again and again: none holds by luck",
        package: "rookery-server",
        target: E2E,
        filters: &[],
        // One round of each: the time goes into repetitions of all of them.
        settings: &[("ROOKERY_TORTURE_MINUTES", "0")],
    },
];
