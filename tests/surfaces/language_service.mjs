// Prints what GitHub's own language service says about workflows and actions, one finding a line.
// Usage: node --import json_imports.mjs language_service.mjs NODE_MODULES TOOLKIT STAND_INS FILE...
// Actions of acme/mlci are looked up in the folder TOOLKIT, those of others in STAND_INS.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, toolkit, standIns, ...files] = process.argv.slice(2);
const service = path.join(modules, "@actions", "languageservice");
const require = createRequire(path.join(service, "package.json"));
const { TextDocument } = require("vscode-languageserver-textdocument");
const yaml = require("yaml");
const { validate } = await import(pathToFileURL(path.join(service, "dist", "index.js")));

const actionsMetadataProvider = {
  async fetchActionMetadata({ owner, name, path: folder }) {
    const home = owner === "acme" && name === "mlci" ? toolkit : path.join(standIns, owner, name);
    return yaml.parse(await readFile(path.join(home, folder ?? "", "action.yml"), "utf8"));
  },
};

for (const file of files) {
  const document = TextDocument.create(pathToFileURL(file).href, "yaml", 0, await readFile(file, "utf8"));
  for (const { range, severity, message } of await validate(document, { actionsMetadataProvider })) {
    console.log(`${file}:${range.start.line + 1}: ${severity === 1 ? "error" : "warning"}: ${message}`);
  }
}
