// The settings of graphql-code-generator: the client preset, over the documents of the tests and of the client library.

export default {
  schema: "../schema.graphql",
  documents: ["clients/operations.graphql", "clients/codegen/usage.ts"],
  importExtension: ".js",
  generates: {
    "clients/codegen/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: {
          Cursor: "string",
          DateTime: "string",
          EventID: "string",
          CallID: "string",
          JSON: "unknown",
          Long: "number",
          URI: "string",
          Position: "string",
          RoomAlias: "string",
          RoomID: "string",
          ServerName: "string",
          SyncCursor: "string",
          UserID: "string",
        },
      },
    },
  },
};
