//! Generates a module for each document of the conversation, checked against schema.graphql.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use graphql_client_codegen::{
    CodegenMode, GraphQLClientCodegenOptions, generate_module_token_stream_from_string as generate,
};

const DOCUMENTS: &str = "../operations.graphql";
const SCHEMA: &str = "../../../schema.graphql";

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    for file in [DOCUMENTS, SCHEMA, "build.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    // An input with a default may be left out; graphql_client takes it for required if its type is not null.
    let schema = fs::read_to_string(SCHEMA)?.replace("! = ", " = ");
    let schema_file = folder.join("schema.graphql");
    fs::write(&schema_file, &schema)?;
    let mut code = String::new();
    for document in documents(&fs::read_to_string(DOCUMENTS)?) {
        let document = with_object_types(&document, "RoomEvent", &schema);
        let mut options = GraphQLClientCodegenOptions::new(CodegenMode::Cli);
        options.set_response_derives("Serialize".to_owned());
        options.set_variables_derives("Deserialize".to_owned());
        options.set_skip_serializing_none(true);
        code += &generate(&document, &schema_file, options)?.to_string();
    }
    Ok(fs::write(folder.join("documents.rs"), code)?)
}

/// The operations of a file, each with nothing else in it.
fn documents(text: &str) -> Vec<String> {
    let mut documents: Vec<String> = Vec::new();
    for line in text.lines() {
        if ["query ", "mutation ", "subscription "].iter().any(|kind| line.starts_with(kind)) {
            documents.push(String::new());
        }
        if let Some(document) = documents.last_mut() {
            *document += line;
            document.push('\n');
        }
    }
    documents
}

/// Repeats each line with a fragment on an interface for every object type that has it: `graphql_client` allows no fragment
/// on an interface where a union is selected.
fn with_object_types(document: &str, interface: &str, schema: &str) -> String {
    let head = format!("... on {interface} ");
    let objects = schema.lines().filter_map(|line| {
        let (name, interfaces) = line.strip_prefix("type ")?.split_once(" implements ")?;
        interfaces.split([' ', '&', '{']).any(|word| word == interface).then_some(name)
    });
    let objects: Vec<&str> = objects.collect();
    let mut lines: Vec<String> = Vec::new();
    for line in document.lines() {
        match line.contains(&head) {
            true => lines.extend(objects.iter().map(|name| line.replace(interface, name))),
            false => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}
