// Draw faces.js characters as transparent pictures: node facesjs.mjs OUT COUNT SIZE
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const modules = path.join(process.cwd(), "node_modules");
const require = createRequire(path.join(process.cwd(), "package.json"));
const { generate, faceToSvgString } = await import(
  pathToFileURL(path.join(modules, "facesjs/build/index.js")).href);
const { Resvg } = await import(pathToFileURL(require.resolve("@resvg/resvg-js")).href);

// The package draws with Math.random: a seeded one makes every run the same.
let state = 12345;
Math.random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const [, , out, count, side] = process.argv;
for (let i = 0; i < +count; i++) {
  const id = `facesjs-${String(i).padStart(3, "0")}`;
  const folder = path.join(out, id);
  fs.mkdirSync(folder, { recursive: true });
  const face = generate(undefined, { gender: i % 2 ? "female" : "male" });
  const svg = faceToSvgString(face);
  const picture = new Resvg(svg, { fitTo: { mode: "width", value: +side },
    font: { loadSystemFonts: false } }).render().asPng();
  fs.writeFileSync(path.join(folder, "0.png"), picture);
  fs.writeFileSync(path.join(folder, "0.fat.txt"), String(face.fatness));
}
