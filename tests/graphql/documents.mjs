// Documents for a schema, made at random: mostly valid, with fragments, conditions, aliases that meet, and variables.

import {
  getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType, isInputObjectType, isInterfaceType,
  isListType, isNonNullType, isRequiredArgument, isRequiredInputField, isUnionType, print, parse,
} from "graphql";

/** Few, so that fields of one name meet. */
const ALIASES = ["a", "b", "c", "d", "e", "f"];

/** Under this name a set says of which object it is told, where a document is to be replayed. */
export const TOLD_TYPE = "toldType";

export class DocumentMaker {
  /**
   * `options.tellTypes`: each set on a type of several objects says which it is. `options.scalars`: literals and values of
   * custom scalars, by name. `options.avoid`: fields, as `Type.field`, that are not asked for.
   */
  constructor(schema, random, options = {}) {
    this.schema = schema;
    this.random = random;
    this.options = { scalars: {}, avoid: new Set(), depth: 4, ...options };
    this.variables = new Map();
    this.values = {};
    this.fragments = [];
    this.left = 40;
  }

  /** A document, the values of its variables. */
  make(kind = "query") {
    const root = { query: this.schema.getQueryType(), mutation: this.schema.getMutationType(), subscription: this.schema.getSubscriptionType() }[kind];
    const set = kind === "subscription" ? this.#rootOf(root) : this.#set(root, this.options.depth);
    const declared = [...this.variables].map(([name, { type, literal }]) => `$${name}: ${type}${literal ? ` = ${literal}` : ""}`);
    const head = declared.length ? `(${declared.join(" ")})` : "";
    const text = [`${kind} Main${head} ${set}`, ...this.fragments].join("\n");
    return { document: print(parse(text, { noLocation: true })), variables: this.values };
  }

  #rootOf(root) {
    const field = this.random.of(Object.values(root.getFields()));
    // Conditions are not allowed there.
    return `{ ${this.#field(field, this.options.depth, false)} }`;
  }

  #set(type, depth) {
    const { random } = this;
    const items = [];
    const fields = isUnionType(type) ? [] : Object.values(type.getFields());
    const possible = fields.filter((field) => {
      if (this.options.avoid.has(`${type.name}.${field.name}`)) return false;
      return depth > 0 || !isCompositeType(getNamedType(field.type));
    });
    for (let count = 1 + random.below(4); count > 0; count--) {
      const kind = random.below(100);
      if (kind < 12 || possible.length === 0 && kind < 40) items.push(`${this.#alias("__typename")}${this.#conditions()}`);
      else if (kind < 70 && possible.length > 0) items.push(this.#field(random.of(possible), depth));
      else if (this.left > 0) items.push(this.#fragment(type, depth));
      else items.push("__typename");
    }
    if (this.options.tellTypes && isAbstractType(type)) items.push(`${TOLD_TYPE}: __typename`);
    return `{ ${items.join(" ")} }`;
  }

  /** The smallest set: the name of the type, which tells a replay the object where there are several. */
  #onlyType(type) {
    return this.options.tellTypes && isAbstractType(type) ? `{ ${TOLD_TYPE}: __typename }` : "{ __typename }";
  }

  #alias(name) {
    return this.random.chance(6) ? `${this.random.of(ALIASES)}: ${name}` : name;
  }

  #field(field, depth, hasConditions = true) {
    this.left--;
    const named = getNamedType(field.type);
    const given = field.args.filter((arg) => isRequiredArgument(arg) || this.random.chance(25));
    const args = given.map((arg) => `${arg.name}: ${this.#argument(arg.type, arg.defaultValue !== undefined, 0)}`);
    const inner = isCompositeType(named) ? ` ${this.left > 0 ? this.#set(named, depth - 1) : this.#onlyType(named)}` : "";
    return `${this.#alias(field.name)}${args.length ? `(${args.join(" ")})` : ""}${hasConditions ? this.#conditions() : ""}${inner}`;
  }

  /** A fragment on the type, or on another that has an object in common with it. */
  #fragment(type, depth) {
    this.left--;
    const own = new Set(this.#objects(type));
    const meets = (other) => isCompositeType(other) && !other.name.startsWith("__") && this.#objects(other).some((object) => own.has(object));
    const others = Object.values(this.schema.getTypeMap()).filter(meets);
    const on = this.random.chance(30) ? type : this.random.of(others);
    if (this.random.chance(35) && this.fragments.length < 6) {
      const name = `F${this.fragments.length}`;
      const place = this.fragments.push("") - 1;
      this.fragments[place] = `fragment ${name} on ${on.name} ${this.#set(on, depth - 1)}`;
      const again = this.random.chance(20) ? ` ...${name}` : "";
      return `...${name}${this.#conditions()}${again}`;
    }
    const condition = on === type && this.random.chance(40) ? "" : ` on ${on.name}`;
    return `...${condition}${this.#conditions()} ${this.#set(on, depth - 1)}`;
  }

  #objects(type) {
    return isAbstractType(type) ? this.schema.getPossibleTypes(type) : [type];
  }

  #conditions() {
    let text = "";
    for (const name of ["skip", "include"]) {
      if (this.random.chance(8)) {
        const condition = this.random.chance(60) ? this.#boolean() : String(this.random.chance(50));
        text += ` @${name}(if: ${condition})`;
      }
    }
    return text;
  }

  #boolean() {
    const name = this.random.of(["yes", "no", "byDefault"]);
    if (!this.variables.has(name)) {
      const literal = name === "byDefault" ? String(this.random.chance(50)) : undefined;
      this.variables.set(name, { type: "Boolean!", literal });
      if (!literal || this.random.chance(50)) this.values[name] = this.random.chance(50);
    }
    return `$${name}`;
  }

  /** A literal of the type, with variables in it here and there. */
  #argument(type, hasDefault, depth) {
    if (this.random.chance(30)) return this.#variable(type, hasDefault);
    return this.literal(type, depth);
  }

  #variable(type, hasDefault) {
    const name = `v${this.variables.size}`;
    const nullable = getNullableType(type);
    let of = type, literal;
    if (isNonNullType(type) && hasDefault && this.random.chance(50)) of = nullable;
    if (!isNonNullType(type) && this.random.chance(25)) of = `${type}!`;
    if (this.random.chance(25)) literal = this.literal(nullable, 1, true);
    if (isNonNullType(type) && literal && literal !== "null" && this.random.chance(40)) of = nullable;
    if (literal === "null" && String(of).endsWith("!")) literal = undefined;
    this.variables.set(name, { type: String(of), literal });
    if (!literal && String(of).endsWith("!") || this.random.chance(70)) {
      this.values[name] = this.value(this.random.chance(90) ? type : nullable, 0);
    }
    return `$${name}`;
  }

  literal(type, depth, isConstant = false) {
    if (!isNonNullType(type) && this.random.chance(8)) return "null";
    const nullable = getNullableType(type);
    const inner = (type, hasDefault) => !isConstant && this.random.chance(12)
      ? this.#variable(type, hasDefault)
      : this.literal(type, depth + 1, isConstant);
    if (isListType(nullable)) {
      if (this.random.chance(20)) return this.literal(nullable.ofType, depth + 1, isConstant);
      return `[${Array.from({ length: this.random.below(3) }, () => inner(nullable.ofType, false)).join(" ")}]`;
    }
    if (isInputObjectType(nullable)) {
      const fields = Object.values(nullable.getFields());
      const given = nullable.isOneOf
        ? [this.random.of(fields)]
        : fields.filter((field) => isRequiredInputField(field) || depth < 3 && this.random.chance(40));
      const write = (field) => nullable.isOneOf
        ? this.literal({ ...field }.type, depth + 1, true).replace(/^null$/, '"x"')
        : inner(field.type, field.defaultValue !== undefined);
      return `{${given.map((field) => `${field.name}: ${write(field)}`).join(" ")}}`;
    }
    if (isEnumType(nullable)) return this.random.of(nullable.getValues()).name;
    const { random } = this;
    switch (nullable.name) {
      case "Int": return random.of(["0", "1", "2", "3", "-7", "2147483647", "-2147483648"]);
      case "Float": return random.of(["0", "1.5", "-2", "25e1"]);
      case "Boolean": return random.of(["true", "false"]);
      case "ID": return random.of(['"x"', "7", '"12"']);
      case "String": return random.of(['"x"', '""', '"a \\uD83D\\uDE00 \\u{1F375}"', '"""b \\""" c"""', '"""\n  one\n    two\n"""', '"\\u00e4"']);
      default: return JSON.stringify(random.of(this.options.scalars[nullable.name] ?? ["x"]));
    }
  }

  /** The value of a variable. One in a few does not fit. */
  value(type, depth) {
    const { random } = this;
    if (random.chance(1)) return random.of([null, 0.5, "odd", true, [], {}, [null], 2147483648, [[1]], { a: 1 }]);
    if (!isNonNullType(type) && random.chance(8)) return null;
    const nullable = getNullableType(type);
    if (isListType(nullable)) {
      if (random.chance(20)) return this.value(nullable.ofType, depth + 1);
      return Array.from({ length: random.below(3) }, () => this.value(nullable.ofType, depth + 1));
    }
    if (isInputObjectType(nullable)) {
      const fields = Object.values(nullable.getFields());
      const given = nullable.isOneOf ? [random.of(fields)] : fields.filter((field) => isRequiredInputField(field) || depth < 3 && random.chance(40));
      const object = Object.fromEntries(given.map((field) => [field.name, this.value(field.type, depth + 1)]));
      if (random.chance(4)) object.noSuchField = 1;
      return object;
    }
    if (isEnumType(nullable)) return random.chance(5) ? "NO_SUCH" : random.of(nullable.getValues()).name;
    switch (nullable.name) {
      case "Int": return random.of([0, 1, 2, 3, -7, 1.0, 2147483647]);
      case "Float": return random.of([0, 1.5, -2]);
      case "Boolean": return random.chance(50);
      case "ID": return random.of(["x", 7, "12"]);
      case "String": return random.of(["x", "", "ä 🍵"]);
      default: return random.of(this.options.scalars[nullable.name] ?? ["x"]);
    }
  }
}
