// Breaks a document in one place, each time in another way. What comes out may happen to be valid all the same.

import { Kind, parse, print, visit } from "graphql";

/** Changes the `index`-th node of a kind that `change` answers something for. */
function changeOne(ast, random, kind, change) {
  const places = [];
  visit(ast, { [kind]: (node, key, parent, path) => { places.push(path.join(".")); } });
  if (places.length === 0) return ast;
  const chosen = random.of(places);
  return visit(ast, {
    [kind]: { enter: (node, key, parent, path) => (path.join(".") === chosen ? change(node) : undefined) },
  });
}

const name = (value) => ({ kind: Kind.NAME, value });
const literal = (text) => parse(`{a(b:${text})}`, { noLocation: true }).definitions[0].selectionSet.selections[0].arguments[0].value;
const selection = (text) => parse(`{${text}}`, { noLocation: true }).definitions[0].selectionSet.selections[0];
const type = (text) => parse(`query($a:${text}){a}`, { noLocation: true }).definitions[0].variableDefinitions[0].type;

const WAYS = [
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, name: name(r.of(["noSuchField", "__typename", "id", "label", "__schema"])) })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, alias: name(r.of(["a", "b", "id", "label", "must"])) })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, alias: name(r.of(["a", "b", "c", "d"])) })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, arguments: [] })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, arguments: [...node.arguments, ...selection(`a(${r.of(["noSuch", "id", "count", "text"])}: ${r.of(["1", '"x"', "null", "$no"])})`).arguments] })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, selectionSet: node.selectionSet ? undefined : selection("a{id}").selectionSet })),
  (ast, r) => changeOne(ast, r, "Field", (node) => ({ ...node, directives: [...node.directives, ...selection(`a ${r.of(["@nothing", "@skip", "@include(if: null)", "@include(if: 1)", "@skip(if: true) @skip(if: false)", "@deprecated", "@skip(if: $noSuch)", "@include(if: true, a: 1)"])}`).directives] })),
  (ast, r) => changeOne(ast, r, "Argument", (node) => ({ ...node, value: literal(r.of(["1", "1.5", '"x"', "true", "null", "ODD", "[1]", "[null]", "{a: 1}", "{}", "$noSuch", "[[1]]", "2147483648", "[[[1]]]"])) })),
  (ast, r) => changeOne(ast, r, "ObjectValue", (node) => ({ ...node, fields: [...node.fields, ...literal(r.of(["{noSuch: 1}", "{a: 1}", "{c: RED}", '{c: "RED"}', "{b: [null]}", "{inner: null}"])).fields] })),
  (ast, r) => changeOne(ast, r, "ObjectValue", (node) => ({ ...node, fields: node.fields.slice(1) })),
  (ast, r) => changeOne(ast, r, "EnumValue", (node) => ({ kind: Kind.STRING, value: node.value })),
  (ast, r) => changeOne(ast, r, "IntValue", () => literal(r.of(["1.0", '"1"', "99999999999", "null", "RED"]))),
  (ast, r) => changeOne(ast, r, "VariableDefinition", (node) => ({ ...node, type: type(r.of(["Int", "Int!", "String", "[Int]", "[Int!]!", "Boolean", "NoSuch", "Item", "Input", "Color!", "[[ID]]", "ID"])) })),
  (ast, r) => changeOne(ast, r, "VariableDefinition", () => null),
  (ast, r) => changeOne(ast, r, "VariableDefinition", (node) => ({ ...node, defaultValue: literal(r.of(["1", "null", '"x"', "true", "[]", "{a: 1}", "RED"])) })),
  (ast, r) => changeOne(ast, r, "VariableDefinition", (node) => ({ ...node, directives: parse(`query($a: Int @${r.of(["nothing", "skip(if: true)", "deprecated"])}) {a}`, { noLocation: true }).definitions[0].variableDefinitions[0].directives })),
  (ast, r) => changeOne(ast, r, "OperationDefinition", (node) => ({ ...node, variableDefinitions: [...node.variableDefinitions, ...parse(`query($${r.of(["unused", "yes", "v0"])}: Int) {a}`, { noLocation: true }).definitions[0].variableDefinitions] })),
  (ast, r) => changeOne(ast, r, "FragmentSpread", (node) => ({ ...node, name: name(r.of(["NoSuch", "F0", "F1"])) })),
  (ast, r) => changeOne(ast, r, "NamedType", (node) => ({ ...node, name: name(r.of(["Item", "Other", "Leafy", "Query", "NoSuch", "Int", "Color", "Thing", "Node"])) })),
  (ast, r) => changeOne(ast, r, "FragmentDefinition", () => null),
  (ast, r) => changeOne(ast, r, "SelectionSet", (node) => ({ ...node, selections: [...node.selections, selection(r.of(["a: id", "id: label", "must: label", "a: __typename", "... on Item { a: must }", "... on Other { a: count }", "... on Leafy { a: size }", "...F0", "a: thing(id: 1) { __typename }", "... @skip(if: false) { label }", "... { noSuch }"]))] })),
  (ast) => ({ ...ast, definitions: [...ast.definitions, ...parse("fragment Unused on Item { id }", { noLocation: true }).definitions] }),
  (ast, r) => ({ ...ast, definitions: [...ast.definitions, ...parse(r.of(["query Other { selfOrNull { __typename } }", "query Other($x: Int) { selfOrNull { __typename } }", "query Main { selfOrNull { __typename } }", "{ selfOrNull { __typename } }", "subscription Two { ticks(count: 1) { __typename } more: ticks(count: 1) { __typename } }", "query Other { noSuch }", "type Extra { a: Int }"]), { noLocation: true }).definitions] }),
  (ast, r) => changeOne(ast, r, "OperationDefinition", (node) => ({ ...node, directives: selection(r.of(["a @skip(if: true)", "a @nothing"])).directives })),
];

/** The document, broken. */
export function broken(document, random) {
  const ast = parse(document, { noLocation: true });
  for (let tries = 0; tries < 5; tries++) {
    let changed;
    try {
      changed = print(random.of(WAYS)(ast, random));
    } catch {
      continue;
    }
    if (changed !== document && changed.trim() !== "") return changed;
  }
  return document;
}

