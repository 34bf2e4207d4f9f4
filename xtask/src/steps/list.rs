//! All steps, the quick ones first.

use super::step::Step;
use super::{code, packages, program, requirements, sources};
use crate::newcomer;

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "requirements",
        about: "the machine has what the steps need; what is missing is brought, or named at once",
        needs: &[],
        run: requirements::requirements,
    },
    Step { name: "fmt", about: "the sources are formatted", needs: &[], run: code::format },
    Step {
        name: "architecture",
        about: "crates, files and the domain keep to the house rules",
        needs: &[],
        run: sources::architecture,
    },
    Step {
        name: "links",
        about: "links between the pages lead somewhere, and tests that they name are there",
        needs: &[],
        run: sources::links,
    },
    Step {
        name: "style",
        about: "comments and pages keep to plain English, as far as a program can see it",
        needs: &[],
        run: sources::style,
    },
    Step {
        name: "deny",
        about: "licences, sources and versions of all dependencies are allowed",
        needs: &[],
        run: packages::deny,
    },
    Step { name: "clippy", about: "no lint fires", needs: &[], run: code::clippy },
    Step { name: "build", about: "program and tests compile", needs: &[], run: code::build },
    Step {
        name: "test",
        about: "unit, property, contract and end-to-end tests",
        needs: &["build"],
        run: code::test,
    },
    Step {
        name: "doc",
        about: "the documentation builds without warnings",
        needs: &[],
        run: code::document,
    },
    Step {
        name: "docker",
        about: "the image has all files that its build reads; Dockerfile and docker-compose.yml pass their linters",
        needs: &["build"],
        run: packages::docker,
    },
    Step {
        name: "newcomer",
        about: "README.md and the first conversation, word for word in a clean clone, twice",
        needs: &["build"],
        run: newcomer::walk,
    },
    Step {
        name: "schema",
        about: "schema.graphql is what the program serves, passes its linter and breaks no released client",
        needs: &["build"],
        run: program::schema,
    },
    Step {
        name: "bare",
        about: "where the machine has no Node.js, the checks bring it",
        needs: &["build", "schema"],
        run: requirements::without_node,
    },
    Step {
        name: "browser",
        about: "the pages work in a real browser",
        needs: &["build"],
        run: program::browser,
    },
    Step {
        name: "clients",
        about: "GraphQL clients hold a conversation with the program",
        needs: &["build"],
        run: program::clients,
    },
    Step {
        name: "schemathesis",
        about: "what schemathesis makes of the schema gets documented answers",
        needs: &["build"],
        run: program::schemathesis,
    },
];
