// The language service imports JSON without saying so, which Node wants to be told.
import { registerHooks } from "node:module";

registerHooks({
  load: (url, context, next) =>
    url.endsWith(".json") ? next(url, { ...context, importAttributes: { type: "json" } }) : next(url, context),
});
