//! All steps, the quick ones first.

use super::step::{Lane, Step};
use super::{code, packages, program, requirements, sources};
use crate::newcomer;

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "requirements",
        about: "the machine has what the steps need; what is missing is brought, or named at once",
        lane: Lane::Slow,
        needs: &[],
        run: requirements::requirements,
    },
    Step {
        name: "fmt",
        about: "the sources are formatted",
        lane: Lane::Quick,
        needs: &[],
        run: code::format,
    },
    Step {
        name: "architecture",
        about: "crates, files and the domain keep to the house rules",
        lane: Lane::Quick,
        needs: &[],
        run: sources::architecture,
    },
    Step {
        name: "links",
        about: "links between the pages lead somewhere, and tests that they name are there",
        lane: Lane::Quick,
        needs: &[],
        run: sources::links,
    },
    Step {
        name: "style",
        about: "comments and pages keep to plain English, as far as a program can see it",
        lane: Lane::Quick,
        needs: &[],
        run: sources::style,
    },
    Step {
        name: "deny",
        about: "licences, sources and versions of all dependencies are allowed",
        lane: Lane::Slow,
        needs: &[],
        run: packages::deny,
    },
    Step {
        name: "clippy",
        about: "no lint fires",
        lane: Lane::Quick,
        needs: &[],
        run: code::clippy,
    },
    Step {
        name: "unit",
        about: "tests inside the crates: unit, property and contract tests",
        lane: Lane::Quick,
        needs: &[],
        run: code::unit,
    },
    Step {
        name: "build",
        about: "program and tests compile",
        lane: Lane::Slow,
        needs: &[],
        run: code::build,
    },
    Step {
        name: "test",
        about: "tests from outside: end-to-end tests, damage, crashes, interference",
        lane: Lane::Slow,
        needs: &["build"],
        run: code::test,
    },
    Step {
        name: "doc",
        about: "the documentation builds without warnings",
        lane: Lane::Slow,
        needs: &[],
        run: code::document,
    },
    Step {
        name: "docker",
        about: "the image has all files that its build reads; Dockerfile and docker-compose.yml pass their linters",
        lane: Lane::Slow,
        needs: &["build"],
        run: packages::docker,
    },
    Step {
        name: "newcomer",
        about: "README.md and the first conversation, word for word in a clean clone, twice",
        lane: Lane::Slow,
        needs: &["build"],
        run: newcomer::walk,
    },
    Step {
        name: "schema",
        about: "schema.graphql is what the program serves, passes its linter and breaks no released client",
        lane: Lane::Slow,
        needs: &["build"],
        run: program::schema,
    },
    Step {
        name: "bare",
        about: "where the machine has no Node.js, the checks bring it",
        lane: Lane::Slow,
        needs: &["build", "schema"],
        run: requirements::without_node,
    },
    Step {
        name: "browser",
        about: "the pages work in a real browser",
        lane: Lane::Slow,
        needs: &["build"],
        run: program::browser,
    },
    Step {
        name: "clients",
        about: "GraphQL clients hold a conversation with the program",
        lane: Lane::Slow,
        needs: &["build"],
        run: program::clients,
    },
    Step {
        name: "schemathesis",
        about: "what schemathesis makes of the schema gets documented answers",
        lane: Lane::Slow,
        needs: &["build"],
        run: program::schemathesis,
    },
];
