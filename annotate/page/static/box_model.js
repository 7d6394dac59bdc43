// The boxes of one picture, in its pixels, and what was done to them.

/** Pixels of a box's shorter side, under which the server takes none. */
export const LEAST = 2;

/** Parts of a box that can be dragged: which of its corners' coordinates move. */
export const PARTS = {
  nw: [0, 1],
  n: [1],
  ne: [2, 1],
  w: [0],
  e: [2],
  sw: [0, 3],
  s: [3],
  se: [2, 3],
  whole: [0, 1, 2, 3],
};

/** The smallest box around some points, in any order. */
export function boxAround(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Whether the server would take a box. */
function isBigEnough([x1, y1, x2, y2]) {
  return x2 - x1 >= LEAST && y2 - y1 >= LEAST;
}

/** Events: "change" after each change of the boxes or of the chosen one. */
export class BoxModel extends EventTarget {
  #past = [];
  #step = null;

  /**
   * @param {number} width of the picture
   * @param {number} height of the picture
   * @param {number[][]} boxes to begin with: x1, y1, x2, y2
   */
  constructor(width, height, boxes) {
    super();
    this.width = width;
    this.height = height;
    this.boxes = boxes.map((box) => [...box]);
    this.chosen = -1;
  }

  /** Choose a box; -1: none. */
  choose(place) {
    if (place === this.chosen) return;
    this.chosen = place;
    this.#step = null;
    this.#changed();
  }

  /** Add a box, unless it is too small or there already; return whether it was. */
  add(box) {
    const made = this.#within(box.map(round));
    if (!isBigEnough(made) || this.boxes.some((other) => same(other, made))) return false;
    this.#remember(null);
    this.chosen = this.boxes.push(made) - 1;
    this.#changed();
    return true;
  }

  /** Take all boxes from somebody. */
  replace(boxes) {
    this.#remember(null);
    this.boxes = boxes.map((box) => [...box]);
    this.chosen = -1;
    this.#changed();
  }

  /** Delete the chosen box. */
  remove(place = this.chosen) {
    if (!this.boxes[place]) return;
    this.#remember(null);
    this.boxes.splice(place, 1);
    this.chosen = Math.min(place, this.boxes.length - 1);
    this.#changed();
  }

  /**
   * Move a part of the chosen box away from where it was.
   *
   * @param {number[]} from the box before
   * @param {string} part one of PARTS
   * @param {number} dx to the right
   * @param {number} dy down
   * @param {string|null} step moves of one step are undone together
   */
  move(from, part, dx, dy, step = null) {
    if (!this.boxes[this.chosen]) return;
    const made = part === "whole" ? this.#shifted(from, dx, dy) : [...from];
    if (part !== "whole") {
      for (const each of PARTS[part]) made[each] += each % 2 ? dy : dx;
      this.#keepApart(made, part);
    }
    const moved = made.map(round);
    if (same(moved, this.boxes[this.chosen])) return;
    this.#remember(step && `${step} ${this.chosen} ${part}`);
    this.boxes[this.chosen] = moved;
    this.#changed();
  }

  /** Take the last change back; return whether there was one. */
  undo() {
    const before = this.#past.pop();
    if (!before) return false;
    [this.boxes, this.chosen] = before;
    this.#step = null;
    this.#changed();
    return true;
  }

  /** Whether anything is changed that `undo` would take back. */
  get isChanged() {
    return this.#past.length > 0;
  }

  /** Two boxes that are the same, as their places; null: there are none. */
  twins() {
    for (let one = 0; one < this.boxes.length; one += 1)
      for (let other = one + 1; other < this.boxes.length; other += 1)
        if (same(this.boxes[one], this.boxes[other])) return [one, other];
    return null;
  }

  #shifted([x1, y1, x2, y2], dx, dy) {
    const right = clamp(dx, -x1, this.width - x2);
    const down = clamp(dy, -y1, this.height - y2);
    return [x1 + right, y1 + down, x2 + right, y2 + down];
  }

  /** An edge stops at the picture's, and before the opposite one. */
  #keepApart(made, part) {
    const moved = new Set(PARTS[part]);
    if (moved.has(0)) made[0] = clamp(made[0], 0, made[2] - LEAST);
    if (moved.has(1)) made[1] = clamp(made[1], 0, made[3] - LEAST);
    if (moved.has(2)) made[2] = clamp(made[2], made[0] + LEAST, this.width);
    if (moved.has(3)) made[3] = clamp(made[3], made[1] + LEAST, this.height);
  }

  #within([x1, y1, x2, y2]) {
    const { width, height } = this;
    return [clamp(x1, 0, width), clamp(y1, 0, height), clamp(x2, 0, width), clamp(y2, 0, height)];
  }

  #remember(step) {
    if (step && step === this.#step) return;
    this.#past.push([this.boxes.map((box) => [...box]), this.chosen]);
    this.#step = step;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const round = (value) => Math.round(value * 10) / 10;
const same = (one, other) => one.every((value, place) => value === other[place]);
