// Draw characters of three generators as transparent pictures:
// node figures.mjs OUT COUNT SIZE
import fs from "node:fs";
import { createRequire, register } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { Resvg } = await import(pathToFileURL(require.resolve("@resvg/resvg-js")).href);
const { createElement } = require("react");
const { renderToStaticMarkup } = require("react-dom/server");
const kawaii = require("react-kawaii");
const bigheads = require("@bigheads/core");
// The package imports its own files without their endings.
register("./endings.mjs", import.meta.url);
const animals = await import(pathToFileURL(
  path.join(process.cwd(), "node_modules/animal-avatar-generator/dist/index.js")).href);

let state = 12345;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
// Big Heads picks with Math.random what is not given: a seeded one makes every run the
// same.
Math.random = random;
const pick = (list) => list[Math.floor(random() * list.length)];
const keys = (map) => Object.keys(map);
const [, , out, count, side] = process.argv;

function draw(style, identity, view, svg) {
  const folder = path.join(out, style, identity);
  fs.mkdirSync(folder, { recursive: true });
  const whole = svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ');
  const picture = new Resvg(whole, { fitTo: { mode: "width", value: +side },
    font: { loadSystemFonts: false } }).render().asPng();
  fs.writeFileSync(path.join(folder, `${view}.png`), picture);
}

const COLOURS = ["#FFB3BA", "#BAE1FF", "#FFD882", "#A6E191", "#E0E4E8", "#FCCB7E",
  "#596881", "#FC105C", "#83D1FB", "#FFFFFF", "#CFFFAA", "#CC99AA"];
const SHOWN = ["Astronaut", "Backpack", "Cat", "Cyborg", "Ghost", "HumanCat",
  "IceCream", "Mug", "Planet"];
for (const name of SHOWN)
  for (const mood of kawaii.MOODS)
    draw("kawaii", name, mood, renderToStaticMarkup(createElement(kawaii[name],
      { size: +side, mood, color: pick(COLOURS) })));

const CLOTHES = ["white", "blue", "black", "green", "red"];
for (let i = 0; i < +count; i++) {
  const fixed = {
    skinTone: pick(["light", "yellow", "brown", "dark", "red", "black"]),
    hair: pick(keys(bigheads.hairMap)),
    hairColor: pick(["blonde", "orange", "black", "white", "brown", "blue", "pink"]),
    facialHair: random() < 0.3 ? pick(keys(bigheads.facialHairMap)) : "none",
    clothing: pick(keys(bigheads.clothingMap)),
    clothingColor: pick(CLOTHES),
    hat: "none",
    body: pick(["chest", "breasts"]),
    accessory: random() < 0.3 ? pick(keys(bigheads.accessoryMap)) : "none",
    mask: false,
    faceMask: false,
    lashes: random() < 0.4,
  };
  for (let view = 0; view < 2; view++)
    draw("bigheads", String(i).padStart(3, "0"), view, renderToStaticMarkup(
      createElement(bigheads.BigHead, { ...fixed,
        eyes: pick(keys(bigheads.eyesMap)),
        eyebrows: pick(keys(bigheads.eyebrowsMap)),
        mouth: pick(keys(bigheads.mouthsMap)) })));
  draw("animal-avatars", String(i).padStart(3, "0"), 0, animals.default(`${i}`,
    { size: +side, round: false, blackout: false, backgroundColors: ["none"] }));
}
