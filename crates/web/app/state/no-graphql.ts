// Stands for the package `graphql` in the bundle: the documents of the chat are texts, so nothing prints parsed ones.

export function print(): never {
  throw new TypeError("documents of the chat are texts");
}
