/** Makes the page: one file with everything in it, python/liqcore/page/page.html. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const into = join(here, "..", "python", "liqcore", "page");

async function bundle(entry) {
  const made = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2022"],
    legalComments: "none", // they stand at the top
    charset: "ascii",
    write: false,
  });
  return made.outputFiles[0].text.trim();
}

const script = (await bundle("start.ts")).replaceAll("</script", "<\\/script");
const style = (await bundle("page.css")).replaceAll("</style", "<\\/style");
const hash = createHash("sha256").update(script).digest("base64");
const policy = [
  "default-src 'none'",
  `script-src 'sha256-${hash}'`,
  "style-src 'unsafe-inline'", // the chart writes its logo's style
  "img-src data: blob:",
  "connect-src @@CONNECT@@",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const licences = ["lightweight-charts", "fancy-canvas"].map((name) =>
  readFileSync(join(here, "..", "licenses", `${name}.txt`), "utf8").trim(),
);
const parts = { LICENCES: licences.join("\n\n"), POLICY: policy, STYLE: style, SCRIPT: script };
const page = readFileSync(join(here, "src", "page.html"), "utf8").replace(/@@(LICENCES|POLICY|STYLE|SCRIPT)@@/g, (_, name) => parts[name]);

mkdirSync(into, { recursive: true });
writeFileSync(join(into, "page.html"), page);
console.log(`${join(into, "page.html")}: ${Math.ceil(page.length / 1024)} KB`);
