// Find the files that a package imports without their endings.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export async function resolve(name, context, next) {
  if (name.startsWith(".") && context.parentURL) {
    const base = path.resolve(path.dirname(fileURLToPath(context.parentURL)), name);
    for (const ending of [".js", "/index.js"])
      if (fs.existsSync(base + ending))
        return { url: pathToFileURL(base + ending).href, shortCircuit: true };
  }
  return next(name, context);
}
