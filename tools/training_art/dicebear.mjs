// Draw DiceBear characters as transparent pictures: node dicebear.mjs OUT IDS VIEWS SIZE STYLE...
// One identity keeps its hair, skin and clothes; its views change the expression only.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.cwd(), "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { createAvatar } = await load("@dicebear/core");
const styles = await load("@dicebear/collection");
const { Resvg } = await load("@resvg/resvg-js");

const [, , out, ids, views, side, ...names] = process.argv;
const EXPRESSION = new Set(
  ["eyes", "mouth", "eyebrows", "brows", "lips", "mood", "cheek"]);
const SKIP = new Set([...EXPRESSION, "style", "base"]);
const COLOURS = {
  skin: ["f8d9c0", "ffe9dc", "edb98a", "d08b5b", "ae5d29", "614335", "f2d3b1"],
  hair: ["0e0e0e", "3b2417", "6a4e35", "a55728", "b9a05f", "e5d7a3", "c93305",
    "7a3f9d", "2f6fb3", "4f8f3a", "d9779f", "9aa0a6", "f0f0f0"],
  cloth: ["e84f4f", "3c4f5c", "65c9ff", "25557c", "ffafb9", "a7ffc4", "ffffb1",
    "262e33", "929598", "b28dff"],
};

function random(seed) {
  let h = 2166136261;
  for (const c of seed) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  return () => {
    h = (h + 0x6d2b79f5) | 0;
    let t = Math.imul(h ^ (h >>> 15), 1 | h);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (next, values) => values[Math.floor(next() * values.length)];

function colour(next, key) {
  if (/skin|^baseColor/i.test(key)) return pick(next, COLOURS.skin);
  if (/hair|brow|topColor|beard/i.test(key)) return pick(next, COLOURS.hair);
  return pick(next, COLOURS.cloth);
}

function identity(style, properties, next) {
  const options = {};
  for (const [key, value] of Object.entries(properties)) {
    if (SKIP.has(key) || key.startsWith("background")) continue;
    if (style === "openPeeps" && key === "face") continue;
    if (key.endsWith("Probability")) {
      const always = /^(hair|top)/.test(key) ? 95 : 30;
      const never = /^(gesture|mask|bodyIcon)/.test(key);
      options[key] = !never && next() * 100 < always ? 100 : 0;
    } else if (value.items?.enum?.length) {
      options[key] = [pick(next, value.items.enum)];
    } else if (value.items?.pattern) {
      options[key] = [colour(next, key)];
    }
  }
  for (const key of ["eyebrowsColor", "facialHairColor"])
    if (options.hairColor && options[key]) options[key] = options.hairColor;
  return options;
}

for (const name of names) {
  const properties = styles[name].schema.properties;
  for (let i = 0; i < +ids; i++) {
    const id = `${name}-${String(i).padStart(3, "0")}`;
    const fixed = identity(name, properties, random(id));
    const folder = path.join(out, name, id);
    fs.mkdirSync(folder, { recursive: true });
    for (let view = 0; view < +views; view++) {
      const next = random(`${id}/${view}`);
      const options = { ...fixed, seed: `${id}/${view}`, size: +side,
        backgroundColor: ["transparent"] };
      for (const key of EXPRESSION)
        if (properties[key]?.items?.enum)
          options[key] = [pick(next, properties[key].items.enum)];
      if (name === "openPeeps") options.face = [pick(next, properties.face.items.enum)];
      const svg = createAvatar(styles[name], options).toString();
      const picture = new Resvg(svg, { fitTo: { mode: "width", value: +side },
        font: { loadSystemFonts: false } }).render().asPng();
      fs.writeFileSync(path.join(folder, `${view}.png`), picture);
    }
  }
}
