//! All steps, the quick ones first.

use super::step::Step;
use super::{code, packages, program, sources};

pub(super) const STEPS: &[Step] = &[
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
        name: "schema",
        about: "schema.graphql is what the program serves, passes its linter and breaks no released client",
        needs: &["build"],
        run: program::schema,
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
