#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use async_graphql::Name;
use async_graphql::parser::{parse_query, types::OperationType};
use proptest::prelude::*;

use super::*;

const GUARDED: GuardedFields = GuardedFields {
    names: &["logIn", "register"],
    max: 1,
    code: "TOO_MANY_LOGINS",
    message: "One request may log in once.",
};

fn outcome(query: &str) -> Result<OperationKind, &'static str> {
    admit(query, None, &GateLimits { guarded: GUARDED, ..GateLimits::default() })
        .map(|admitted| admitted.kind)
        .map_err(|refusal| refusal.code)
}

fn doubling(fragments: usize) -> String {
    let mut query = "{...f0}".to_owned();
    for index in 0..fragments - 1 {
        let next = index + 1;
        write!(query, "fragment f{index} on Query{{...f{next}...f{next}}}").unwrap();
    }
    write!(query, "fragment f{} on Query{{__typename}}", fragments - 1).unwrap();
    query
}

#[test]
fn doubling_fragments_are_refused_by_number_and_by_expansion() {
    assert!(doubling(24).len() < 1_000);
    assert_eq!(outcome(&doubling(24)), Err(code::TOO_MANY_FRAGMENTS));
    assert_eq!(outcome(&doubling(16)), Err(code::TOO_MANY_FIELDS));
    assert_eq!(outcome(&doubling(4)), Ok(OperationKind::Query));
    let unused = doubling(12).replace("{...f0}", "{a}");
    assert_eq!(outcome(&unused), Err(code::TOO_MANY_FIELDS));
}

#[test]
fn two_thousand_nested_brackets_are_refused() {
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let nested = open.repeat(2_000) + "1" + &close.repeat(2_000);
        let query = format!("{{f(a:{nested})}}");
        assert_eq!(outcome(&query), Err(code::QUERY_TOO_DEEP));
    }
    assert_eq!(outcome(&"{a".repeat(1_000)), Err(code::QUERY_TOO_DEEP));
    let variable = format!("query($a:{}Int{}){{f}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(outcome(&variable), Err(code::QUERY_TOO_DEEP));
    assert_eq!(
        outcome(&format!("{}{}", "{a".repeat(32), "}".repeat(32))),
        Ok(OperationKind::Query)
    );
    assert_eq!(
        outcome(&format!("{}{}", "{a".repeat(33), "}".repeat(33))),
        Err(code::QUERY_TOO_DEEP)
    );
}

#[test]
fn brackets_in_strings_and_comments_do_not_count() {
    let brackets = "[{(".repeat(100);
    let query = format!(
        "{{a(b:\"{brackets}\\\"{brackets}\") #{brackets}\n c(d:\"\"\"{brackets}\\\"\"\"{brackets}\"\"\")}}"
    );
    assert_eq!(outcome(&query), Ok(OperationKind::Query));
    assert!(parse_query(&query).is_ok());
}

#[test]
fn fragments_that_nest_deeper_than_brackets_may_are_refused() {
    let tower = |levels: usize, next: &str| {
        format!("{}{next}{}", "{a".repeat(levels) + "{", "}".repeat(levels + 1))
    };
    let query = format!("{}fragment f on Query{}", tower(19, "...f"), tower(19, "b"));
    assert_eq!(outcome(&query), Err(code::QUERY_TOO_DEEP));
}

#[test]
fn ten_thousand_aliases_and_many_typenames_are_refused() {
    let limits = GateLimits { query_bytes_max: usize::MAX, ..GateLimits::default() };
    let aliases = (0..10_000).fold(String::new(), |mut aliases, index| {
        write!(aliases, "a{index}:b ").unwrap();
        aliases
    });
    let typenames = "__typename ".repeat(200_000);
    for inner in [aliases, typenames] {
        let refusal = admit(&format!("{{x{{{inner}}}}}"), None, &limits).unwrap_err();
        assert_eq!(refusal.code, code::TOO_MANY_FIELDS);
    }
}

#[test]
fn a_thousand_fields_pass_and_one_more_does_not() {
    let with = |fields: usize| format!("{{x{{{}}}}}", "a ".repeat(fields - 1));
    assert_eq!(outcome(&with(1_000)), Ok(OperationKind::Query));
    assert_eq!(outcome(&with(1_001)), Err(code::TOO_MANY_FIELDS));
}

#[test]
fn root_fields_count_through_fragments() {
    let fields = "a ".repeat(6);
    assert_eq!(
        outcome(&format!("{{{fields} ...on Query{{{fields}}}}}")),
        Err(code::TOO_MANY_ROOT_FIELDS)
    );
    let spread = format!("{{{fields} ...f}} fragment f on Query{{{fields}}}");
    assert_eq!(outcome(&spread), Err(code::TOO_MANY_ROOT_FIELDS));
    assert_eq!(outcome(&format!("{{x{{{fields}{fields}}}}}")), Ok(OperationKind::Query));
    assert_eq!(outcome(&format!("{{{}}}", "a ".repeat(10))), Ok(OperationKind::Query));
}

#[test]
fn one_login_or_registration_passes_and_two_do_not() {
    assert_eq!(outcome("mutation{logIn{a}}"), Ok(OperationKind::Mutation));
    for query in [
        "mutation{a:logIn{a} b:logIn{a}}",
        "mutation{logIn{a} register{a}}",
        "mutation{logIn{a} ...f} fragment f on Mutation{b:logIn{a}}",
        "mutation{...f ...f} fragment f on Mutation{logIn{a}}",
    ] {
        assert_eq!(outcome(query), Err(GUARDED.code), "{query}");
    }
    assert_eq!(outcome("{a{logIn} b{logIn}}"), Ok(OperationKind::Query));
}

#[test]
fn fragment_cycles_are_refused() {
    for query in
        ["{...a} fragment a on T{...a}", "{x} fragment a on T{b{...c}} fragment c on T{...a}"]
    {
        assert_eq!(outcome(query), Err(code::FRAGMENT_CYCLE), "{query}");
    }
}

#[test]
fn five_hundred_directives_are_refused() {
    assert_eq!(outcome(&format!("{{a {}}}", "@b".repeat(500))), Err(code::TOO_MANY_DIRECTIVES));
    assert_eq!(outcome(&format!("{{{}}}", "a @b @c ".repeat(40))), Err(code::TOO_MANY_DIRECTIVES));
    assert_eq!(outcome("{a @include(if:true) @skip(if:false)}"), Ok(OperationKind::Query));
}

#[test]
fn a_document_above_16_kib_is_refused() {
    assert_eq!(outcome(&format!("{{a}}{}", " ".repeat(16 * 1024))), Err(code::QUERY_TOO_LARGE));
}

#[test]
fn the_operation_name_chooses() {
    let query = "query A{a} mutation B{b} fragment C on Query{c}";
    let choose = |name| {
        admit(query, name, &GateLimits::default())
            .map(|admitted| admitted.kind)
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(choose(Some("B")), Ok(OperationKind::Mutation));
    assert_eq!(choose(Some("A")), Ok(OperationKind::Query));
    assert_eq!(choose(Some("C")), Err(code::OPERATION_UNKNOWN));
    assert_eq!(choose(None), Err(code::OPERATION_NAME_REQUIRED));
}

#[test]
fn a_syntax_error_names_its_place() {
    let refusal = admit("{\n  é", None, &GateLimits::default()).unwrap_err();
    assert_eq!(refusal.code, code::GRAPHQL_PARSE_FAILED);
    assert_eq!(refusal.location, Some(crate::Location { line: 2, column: 3 }));
}

#[test]
fn surrogates_come_in_pairs() {
    for escape in [r"\uD83D\uDE00", r"\ud83d\ude00", r"\u{1F600}", r"\u{0}", r"\uD7FF\ue000"] {
        assert_eq!(
            outcome(&format!("{{a(b:\"{escape}\")}}")),
            Ok(OperationKind::Query),
            "{escape}"
        );
    }
    for escape in [
        r"\uD800",
        r"\uDE00\uD83D",
        r"\uD83D\uD83D",
        r"\uD83D\n",
        r"\u{D800}",
        r"\u{110000}",
        r"\u{}",
        r"\u{1",
    ] {
        let query = format!("{{a(b:\"{escape}\")}}");
        assert_eq!(outcome(&query), Err(code::GRAPHQL_PARSE_FAILED), "{escape}");
    }
}

#[test]
fn json_nesting_is_measured_outside_strings() {
    let deep = "[".repeat(10_000);
    assert!(!json_nested_within(deep.as_bytes(), 32));
    assert!(json_nested_within(format!("{{\"a\":\"\\\"{deep}\"}}").as_bytes(), 1));
    assert!(json_nested_within(b"[[],[],{}]", 2));
    assert!(!json_nested_within(b"[[],[],{}]", 1));
}

#[test]
fn the_standard_introspection_query_passes() {
    let type_ref =
        (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType{{{inner}}}"));
    let query = format!(
        "query IntrospectionQuery{{__schema{{queryType{{name kind}} mutationType{{name kind}}
        subscriptionType{{name kind}} types{{...FullType}} directives{{name description locations
        args(includeDeprecated:true){{...InputValue}}}}}}}}
        fragment FullType on __Type{{kind name description specifiedByURL isOneOf
        fields(includeDeprecated:true){{name description args(includeDeprecated:true){{...InputValue}}
        type{{...TypeRef}} isDeprecated deprecationReason}} inputFields(includeDeprecated:true)
        {{...InputValue}} interfaces{{...TypeRef}} enumValues(includeDeprecated:true){{name description
        isDeprecated deprecationReason}} possibleTypes{{...TypeRef}}}}
        fragment InputValue on __InputValue{{name description type{{...TypeRef}} defaultValue
        isDeprecated deprecationReason}} fragment TypeRef on __Type{{{type_ref}}}"
    );
    assert_eq!(outcome(&query), Ok(OperationKind::Query));
}

#[test]
fn introspection_that_multiplies_itself_is_refused() {
    let nested = "{__schema{types{fields{type{fields{type{name}}}}}}}";
    let spread = "{__schema{types{fields{type{...f}}}}} fragment f on __Type{interfaces{name}}";
    assert_eq!(outcome(nested), Err(code::QUERY_TOO_DEEP));
    assert_eq!(outcome(spread), Err(code::QUERY_TOO_DEEP));
    let wide = format!("{{__schema{{types{{{}}}}}}}", "name ".repeat(400));
    assert_eq!(outcome(&wide), Err(code::TOO_MANY_FIELDS));
    assert_eq!(outcome("{__schema{types{fields{type{name}}}}}"), Ok(OperationKind::Query));
}

/// Documents made from the pieces of the grammar, mostly valid.
fn documents() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "=",
        "!",
        "$",
        "@",
        "...",
        "|",
        "&",
        " ",
        ",",
        "\n",
        "#c\n",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "a",
        "b",
        "Query",
        "true",
        "null",
        "1",
        "-2.5e3",
        "\"s\"",
        "\"\"\"b\\\"\"\"\"\"\"",
        "\"",
        "\\u0041",
        "{a}",
        "{a b}",
        "(a:1)",
        "($v:Int=1)",
        "...on Query{a}",
        "...f",
        "query{a}",
        "fragment f on Query{a}",
        "mutation M{a}",
        "\u{feff}",
        "é",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Valid documents.
fn valid_documents() -> impl Strategy<Value = String> {
    let value =
        prop::sample::select(vec!["1", "$v", "\"}{\"", "[1 2]", "{k:true}", "E", "\"\"\"}\"\"\""]);
    let leaf = (
        prop::sample::select(vec!["a", "x:b", "query", "on", "fragment"]),
        prop::option::of(value),
    )
        .prop_map(|(name, value)| match value {
            Some(value) => format!("{name}(p:{value}) @d "),
            None => format!("{name} "),
        });
    let selection = leaf.prop_recursive(4, 24, 4, |inner| {
        (prop::collection::vec(inner, 1..4), 0..3).prop_map(|(inner, shape)| match shape {
            0 => format!("n{{{}}}", inner.concat()),
            1 => format!("...on Query{{{}}}", inner.concat()),
            _ => format!("...@d{{{}}}", inner.concat()),
        })
    });
    let keyword = prop::sample::select(vec!["query", "mutation", "subscription"]);
    let definition = (keyword, selection).prop_map(|(keyword, selection)| (keyword, selection));
    prop::collection::vec(definition, 1..4).prop_map(|definitions| {
        definitions.iter().enumerate().fold(
            String::new(),
            |mut document, (index, (keyword, selection))| {
                write!(document, "{keyword} O{index}($v:[Int!]=[1]){{{selection}}}\n#}}\n")
                    .unwrap();
                document
            },
        )
    })
}

fn kind_of(operation: OperationType) -> OperationKind {
    match operation {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
    }
}

fn agrees(query: &str) {
    let Ok(document) = parse_query(query) else { return };
    let names: Vec<_> =
        document.operations.iter().map(|(name, _)| name.map(ToString::to_string)).collect();
    for (index, (name, operation)) in document.operations.iter().enumerate() {
        let chosen = if names.len() == 1 { None } else { names[index].as_deref() };
        if let Ok(admitted) = admit(query, chosen, &GateLimits::default()) {
            assert_eq!(admitted.kind, kind_of(operation.node.ty), "{query:?}");
            assert_eq!(admitted.name.as_deref(), name.map(Name::as_str), "{query:?}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = admit_bytes(&bytes, None, &GateLimits::default());
        let _ = json_nested_within(&bytes, 8);
    }

    #[test]
    fn arbitrary_pieces_are_read_as_the_library_reads_them(query in documents()) {
        agrees(&query);
    }

    #[test]
    fn valid_documents_pass_and_are_read_as_the_library_reads_them(query in valid_documents()) {
        prop_assert!(parse_query(&query).is_ok());
        let first = admit(&query, Some("O0"), &GateLimits::default());
        prop_assert!(
            !matches!(&first, Err(refusal) if refusal.code == code::GRAPHQL_PARSE_FAILED),
            "{query}: {first:?}"
        );
        agrees(&query);
    }
}
