// What mouse, pen and fingers do on the stage: draw, drag, choose, pinch and move about.

import { boxAround } from "./box_model.js";

/** Pixels that a press may move and still be a click. */
const STILL = { mouse: 3, pen: 5, touch: 9 };
const CURSORS = {
  n: "ns-resize",
  s: "ns-resize",
  e: "ew-resize",
  w: "ew-resize",
  nw: "nwse-resize",
  se: "nwse-resize",
  ne: "nesw-resize",
  sw: "nesw-resize",
  whole: "move",
  cross: "pointer",
};

/**
 * Watch a stage.
 *
 * @param {HTMLElement} stage
 * @param {object} with_
 * @param {() => import("./box_model.js").BoxModel|null} with_.model the boxes, if shown
 * @param {import("./box_layer.js").BoxLayer} with_.layer
 * @param {import("./zoom.js").Zoom} with_.zoom
 * @param {import("./box_drawing.js").Drawing} with_.drawing
 * @param {(box: number[]) => void} with_.drawn called with a box that is finished
 */
export function watchPointer(stage, { model, layer, zoom, drawing, drawn }) {
  const fingers = new Map();
  let press = null;

  const point = (event) => {
    const { width, height } = model();
    const [x, y] = zoom.toPicture(event.clientX, event.clientY);
    return [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
  };

  function begin(event) {
    const boxes = model();
    const { clientX: x, clientY: y, pointerType, button } = event;
    press = { x, y, pointerType, start: point(event), kind: "point", moved: false };
    if (button === 1) press.kind = "pan";
    else if (!drawing.on && !drawing.points.length) {
      const hit = layer.hit(boxes, x, y, pointerType);
      const mayGrab = hit && (pointerType === "mouse" || hit.box === boxes.chosen);
      if (hit) {
        press.kind = mayGrab ? "part" : "choose";
        press.hit = hit;
        press.was = boxes.chosen;
        if (mayGrab && hit.part !== "cross") boxes.choose(hit.box);
        press.from = [...boxes.boxes[hit.box]];
      } else if (pointerType !== "mouse") press.kind = "empty";
    }
  }

  function drag(event) {
    const far = Math.hypot(event.clientX - press.x, event.clientY - press.y);
    if (!press.moved && far <= (STILL[press.pointerType] ?? 3)) return;
    press.moved = true;
    if (press.kind === "part" && press.hit.part !== "cross") {
      const [x, y] = zoom.toPicture(event.clientX, event.clientY);
      const [sx, sy] = zoom.toPicture(press.x, press.y);
      press.step ??= `drag ${event.timeStamp}`;
      model().move(press.from, press.hit.part, x - sx, y - sy, press.step);
    } else if (press.kind === "point" && !drawing.points.length) {
      drawing.points = [press.start];
      press.kind = "stretch";
      drawing.over(point(event));
    } else if (press.kind === "stretch") {
      drawing.over(point(event));
    } else if (["pan", "choose", "empty"].includes(press.kind)) {
      zoom.pan(event.clientX - (press.px ?? press.x), event.clientY - (press.py ?? press.y));
      [press.px, press.py] = [event.clientX, event.clientY];
    }
  }

  function end(event) {
    const { kind, moved, hit } = press;
    const at = point(event);
    press = null;
    if (kind === "stretch") {
      const [first] = drawing.points;
      drawing.cancel();
      drawn(boxAround([first, at]));
    } else if (kind === "part" && hit.part === "cross") {
      if (!moved) model().remove(hit.box);
    } else if (moved) return;
    else if (kind === "choose") model().choose(hit.box);
    else if (kind === "part") layer.focus(model().chosen);
    else if (kind === "point" || kind === "empty") {
      model().choose(-1);
      const box = drawing.add(at);
      if (box) drawn(box);
    }
  }

  /** Two fingers: bigger by how they part, moved by where their middle goes. */
  function pinch(event) {
    const before = [...fingers.values()];
    fingers.set(event.pointerId, event);
    const after = [...fingers.values()];
    const spread = ([one, other]) =>
      Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const middle = ([one, other]) => [
      (one.clientX + other.clientX) / 2,
      (one.clientY + other.clientY) / 2,
    ];
    const [x, y] = middle(after);
    const [bx, by] = middle(before);
    zoom.pan(x - bx, y - by);
    zoom.zoomBy(spread(after) / Math.max(spread(before), 1), x, y);
  }

  /** A second finger came: what the first one began is taken back. */
  function giveUp() {
    if (press?.step) model().undo();
    if (press?.kind === "stretch") drawing.cancel();
    press = null;
  }

  stage.addEventListener("pointerdown", (event) => {
    if (!model() || event.button > 1 || event.target.closest("button")) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    if (fingers.size === 1) begin(event);
    else giveUp();
  });
  stage.addEventListener("pointermove", (event) => {
    if (!model()) return;
    if (fingers.size === 2 && fingers.has(event.pointerId)) pinch(event);
    else if (press && fingers.has(event.pointerId)) drag(event);
    else if (event.pointerType === "mouse") {
      if (drawing.points.length) drawing.over(point(event));
      const free = !drawing.on && !drawing.points.length;
      const hit = free && layer.hit(model(), event.clientX, event.clientY, "mouse");
      stage.style.cursor = hit ? CURSORS[hit.part] : "crosshair";
    }
  });
  stage.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (press && model() && !fingers.size) end(event);
  });
  // Else the browser takes a quick drag for a fling, and swallows the tap that follows.
  stage.addEventListener("touchmove", (event) => event.preventDefault(), {
    passive: false,
  });
  stage.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (model()) giveUp();
  });
}
