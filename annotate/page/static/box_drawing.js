// A box that is being drawn: by two corners, or by the four outermost points of a face.

import { boxAround } from "./box_model.js";

const KEPT = "icf-boxes-drawing";
const POINTS = { corners: 2, extremes: 4 };

/** Events: "change". */
export class Drawing extends EventTarget {
  points = [];
  /** Where the next point would be; null: not over the picture. */
  pointer = null;
  /** Whether each click is a point, over other boxes too. */
  on = false;

  constructor() {
    super();
    const kept = localStorage.getItem(KEPT);
    this.way = kept in POINTS ? kept : "corners";
  }

  /** How many points are still to be given. */
  get left() {
    return POINTS[this.way] - this.points.length;
  }

  /** Draw in another way from now on, on this browser. */
  choose(way) {
    this.way = way;
    localStorage.setItem(KEPT, way);
    this.cancel();
  }

  /** Wait for points; not any more. */
  turn(on) {
    this.on = on;
    this.points = [];
    this.pointer = null;
    this.#changed();
  }

  /** Forget the points. */
  cancel() {
    this.turn(false);
  }

  /** Take a point back; return whether there was one. */
  back() {
    const had = this.points.pop() !== undefined;
    if (had) this.#changed();
    return had;
  }

  /** Give a point; return the box if it was the last one. */
  add(point) {
    this.points.push(point);
    if (this.left > 0) {
      this.#changed();
      return null;
    }
    const box = boxAround(this.points);
    this.turn(false);
    return box;
  }

  /** The pointer is there now. */
  over(point) {
    this.pointer = point;
    if (this.points.length) this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
