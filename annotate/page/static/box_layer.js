// Draws boxes over the picture: one element a box, which has the focus when it is chosen.

import { PARTS, boxAround } from "./box_model.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLES = Object.keys(PARTS).filter((part) => part !== "whole");
/** Pixels from a handle's or an edge's middle that still hit it. */
const REACH = { mouse: 9, pen: 14, touch: 22 };
/** Radius of the sign that deletes the chosen box, and its distance from the corner. */
const CROSS = 13;
const AWAY = 26;

function made(name, className) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", className);
  return element;
}

function set(element, values) {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
}

/** Where the handles of a box are, on the stage. */
function handles([x1, y1, x2, y2]) {
  const across = { w: x1, e: x2 };
  const down = { n: y1, s: y2 };
  return HANDLES.map((part) => {
    const x = across[[...part].find((each) => each in across)] ?? (x1 + x2) / 2;
    const y = down[[...part].find((each) => each in down)] ?? (y1 + y2) / 2;
    return { part, x, y };
  });
}

export class BoxLayer {
  #svg;
  #zoom;
  #boxes = made("g", "boxes-all");
  #others = made("g", "boxes-others");
  #points = made("g", "boxes-points");
  #grips = made("g", "boxes-grips");

  /**
   * @param {SVGElement} svg over the stage
   * @param {import("./zoom.js").Zoom} zoom
   */
  constructor(svg, zoom) {
    this.#svg = svg;
    this.#zoom = zoom;
    svg.replaceChildren(this.#others, this.#boxes, this.#points, this.#grips);
  }

  /**
   * Draw everything again; the elements of boxes stay, so that the focus does.
   *
   * @param {import("./box_model.js").BoxModel} model
   * @param {number[][]} points of a box that is not finished
   * @param {number[]|null} pointer where its next point would be
   * @param {number[][][]} people what others drew
   */
  draw(model, points, pointer, people) {
    this.#drawBoxes(model);
    this.#drawGrips(model);
    this.#drawPoints(points, pointer);
    this.#others.replaceChildren(
      ...people.flatMap((boxes, place) =>
        boxes.flatMap((box) => {
          const shown = this.#zoom.toStage(box);
          return [rect(shown, "other-under"), rect(shown, `other other-${place % 4}`)];
        }),
      ),
    );
  }

  /** Give a box the focus; -1: the stage. */
  focus(place) {
    const element = this.#boxes.children[place] ?? this.#svg.parentElement;
    if (document.activeElement !== element) element.focus({ preventScroll: true });
  }

  /** Which box has an element; -1: none. */
  placeOf(element) {
    return [...this.#boxes.children].indexOf(element);
  }

  /**
   * What a point hits: {box, part}, part "cross" to delete; null: nothing.
   *
   * The chosen box comes first, then the smaller one: what it covers can be reached.
   */
  hit(model, clientX, clientY, pointerType) {
    const { left, top } = this.#svg.getBoundingClientRect();
    const point = [clientX - left, clientY - top];
    const reach = REACH[pointerType] ?? REACH.mouse;
    const order = model.boxes
      .map((box, place) => ({ place, shown: this.#zoom.toStage(box) }))
      .sort((one, other) => area(one.shown) - area(other.shown));
    const chosen = order.find(({ place }) => place === model.chosen);
    if (chosen) {
      const cross = this.#cross(chosen.shown);
      const part = gripAt(chosen.shown, point, reach);
      // A finger reaches both: what is nearer counts.
      const toCross = Math.hypot(point[0] - cross[0], point[1] - cross[1]);
      const [, y1, x2] = chosen.shown;
      const isNearer = !part || toCross < Math.hypot(point[0] - x2, point[1] - y1);
      if (toCross <= Math.max(CROSS, reach) && isNearer)
        return { box: chosen.place, part: "cross" };
      if (part) return { box: chosen.place, part };
    }
    for (const { place, shown } of order) {
      const part = edgeAt(shown, point, Math.min(reach, 12));
      if (part) return { box: place, part };
    }
    const inside = order.find(({ shown }) => isInside(shown, point));
    return inside ? { box: inside.place, part: "whole" } : null;
  }

  #drawBoxes(model) {
    while (this.#boxes.childElementCount > model.boxes.length) this.#boxes.lastChild.remove();
    while (this.#boxes.childElementCount < model.boxes.length) {
      const group = made("g", "box");
      set(group, { tabindex: "0", role: "img" });
      group.append(made("rect", "under"), made("rect", "over"), made("text", "number"));
      this.#boxes.append(group);
    }
    model.boxes.forEach((box, place) => {
      const group = this.#boxes.children[place];
      const shown = this.#zoom.toStage(box);
      const [under, over, number] = group.children;
      for (const each of [under, over]) set(each, placed(shown));
      set(number, { x: shown[0] + 6, y: shown[1] + 17 });
      number.textContent = place + 1;
      group.classList.toggle("chosen", place === model.chosen);
      set(group, { "aria-label": `${inWords(box, place)}, of ${model.boxes.length}` });
    });
  }

  #drawGrips(model) {
    const box = model.boxes[model.chosen];
    if (!box) return this.#grips.replaceChildren();
    const shown = this.#zoom.toStage(box);
    const squares = handles(shown).map(({ part, x, y }) => {
      const square = made("rect", `grip ${part}`);
      set(square, { x: x - 5, y: y - 5, width: 10, height: 10 });
      return square;
    });
    const [x, y] = this.#cross(shown);
    const round = made("circle", "cross");
    set(round, { cx: x, cy: y, r: CROSS });
    const sign = made("path", "cross-sign");
    set(sign, { d: `M${x - 5} ${y - 5}L${x + 5} ${y + 5}M${x + 5} ${y - 5}L${x - 5} ${y + 5}` });
    this.#grips.replaceChildren(...squares, round, sign);
  }

  #drawPoints(points, pointer) {
    const every = pointer ? [...points, pointer] : points;
    const shown = every.map(([x, y]) => this.#zoom.toStage([x, y, x, y]).slice(0, 2));
    const dots = shown.slice(0, points.length).map(([x, y]) => {
      const dot = made("circle", "dot");
      set(dot, { cx: x, cy: y, r: 5 });
      return dot;
    });
    const outline = shown.length > 1 ? [rect(boxAround(shown), "unfinished")] : [];
    this.#points.replaceChildren(...(points.length ? [...outline, ...dots] : []));
  }

  /** Where the sign that deletes a box is: beside its upper right corner, in sight. */
  #cross([x1, y1, x2, y2]) {
    const { clientWidth, clientHeight } = this.#svg.parentElement;
    const right = x2 + AWAY + CROSS < clientWidth ? x2 + AWAY : Math.max(x1 - AWAY, CROSS);
    const low = Math.max(CROSS + 2, Math.min(clientHeight - CROSS, y1));
    const isFree = x2 + AWAY + CROSS < clientWidth || x1 - AWAY > CROSS;
    // A box as wide as the stage has its sign inside.
    return isFree ? [right, low] : [(x1 + x2) / 2, Math.min((y1 + y2) / 2, Math.max(y1, 0) + 40)];
  }
}

/** A line as person number `place`'s boxes have it. */
export function lineOf(place) {
  const svg = made("svg", `line other-${place % 4}`);
  set(svg, { width: 28, height: 4, "aria-hidden": "true" });
  const line = made("line", "");
  set(line, { x1: 0, y1: 2, x2: 28, y2: 2 });
  svg.append(line);
  return svg;
}

/** A box in words, for those who hear the page. */
export function inWords([x1, y1, x2, y2], place) {
  const [width, height] = [x2 - x1, y2 - y1].map(Math.round);
  return `Face ${place + 1}: ${width} by ${height} pixels at ${Math.round(x1)}, ${Math.round(y1)}`;
}

function rect(shown, className) {
  const element = made("rect", className);
  set(element, placed(shown));
  return element;
}

function placed([x1, y1, x2, y2]) {
  return { x: x1, y: y1, width: Math.max(x2 - x1, 0), height: Math.max(y2 - y1, 0) };
}

const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);

function isInside([x1, y1, x2, y2], [x, y]) {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2;
}

/** The handle at a point; of a small box its middle stays free, to move it by. */
function gripAt(shown, point, reach) {
  const short = Math.min(shown[2] - shown[0], shown[3] - shown[1]);
  const inner = Math.min(reach, short / 4);
  const found = handles(shown)
    .map(({ part, x, y }) => ({ part, far: Math.hypot(point[0] - x, point[1] - y) }))
    .sort((one, other) => one.far - other.far)[0];
  const within = isInside(shown, point) ? inner : reach;
  return found.far <= within ? found.part : edgeAt(shown, point, reach);
}

/** The edge or corner at a point. */
function edgeAt([x1, y1, x2, y2], [x, y], reach) {
  const inner = Math.min(reach, Math.min(x2 - x1, y2 - y1) / 4);
  const isIn = isInside([x1, y1, x2, y2], [x, y]);
  const least = isIn ? inner : reach;
  if (x < x1 - reach || x > x2 + reach || y < y1 - reach || y > y2 + reach) return null;
  const down = Math.abs(y - y1) <= least ? "n" : Math.abs(y - y2) <= least ? "s" : "";
  const across = Math.abs(x - x1) <= least ? "w" : Math.abs(x - x2) <= least ? "e" : "";
  return down + across || null;
}
