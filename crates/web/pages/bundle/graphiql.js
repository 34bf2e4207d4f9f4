// GraphiQL and its parts, for graphiql-start.js.

import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import "graphiql/style.css";

globalThis.Ide = { createClient, createElement, createRoot, GraphiQL };
