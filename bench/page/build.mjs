/** Bundles the pages that the live page is measured against into the folder that is given: `node build.mjs FOLDER`. */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { build } = createRequire(join(here, "../../web/package.json"))("esbuild");

await build({
  entryPoints: ["canvas", "series"].map((name) => join(here, `${name}.ts`)),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  outdir: process.argv[2],
});
