// A head that is drawn at an angle, to hold a drawn face against.
//
// A point is [x, y, z] as one looks at the head from the front: x to the right of the
// screen, y up, z towards the viewer. The head's own left is on the right of the screen.
// Yaw turns the nose to the right, pitch lifts it, roll tilts the top of the head to the
// right; all in degrees. Yaw turns about the upright axis, pitch about the axis through
// the ears, roll about the one through the nose.

const SVG = "http://www.w3.org/2000/svg";
const LIGHT = unit([-0.35, 0.55, 0.76]);

// Where a point of the head is, when the head is turned.
export function turned([x, y, z], { yaw, pitch, roll }) {
  [x, y] = plane(x, y, roll);
  [y, z] = [
    y * cosine(pitch) + z * sine(pitch),
    z * cosine(pitch) - y * sine(pitch),
  ];
  [x, z] = [x * cosine(yaw) + z * sine(yaw), z * cosine(yaw) - x * sine(yaw)];
  return [x, y, z];
}

// An angle in the range from -180 to 180.
export function wrapped(angle) {
  const turns = ((((angle + 180) % 360) + 360) % 360) - 180;
  return turns === -180 && angle > 0 ? 180 : turns;
}

// Draws the head into an <svg> element, in coordinates from -1.5 to 1.5.
export class Head {
  constructor(svg) {
    this.svg = svg;
    svg.setAttribute("viewBox", "-1.5 -1.45 3 3");
    svg.append(shape("path", { class: "body", d: BODY }));
    this.group = shape("g", {});
    svg.append(this.group);
    this.parts = head().map((part) => ({ ...part, element: shape("polygon", {}) }));
    for (const part of this.parts) {
      if (part.name) part.element.dataset.part = part.name;
    }
  }

  // Show the head at an angle.
  show(pose) {
    const seen = [];
    for (const part of this.parts) {
      const points = part.points.map((point) => turned(point, pose));
      const normal = unit(across(points));
      const faces = normal[2] > 0;
      if (!faces && !part.thin) continue;
      const light = Math.max(0, dot(faces ? normal : scaled(normal, -1), LIGHT));
      part.element.setAttribute("class", part.kind);
      part.element.style.setProperty("--shade", `${Math.round(56 * (1 - light))}%`);
      const corners = points.map(([x, y]) => `${x.toFixed(3)},${(-y).toFixed(3)}`);
      part.element.setAttribute("points", corners.join(" "));
      const depth = points.reduce((sum, point) => sum + point[2], 0) / points.length;
      seen.push([depth + (part.above || 0), part.element]);
    }
    seen.sort((one, other) => one[0] - other[0]);
    this.group.replaceChildren(...seen.map(([, element]) => element));
  }
}

// --- the head, looking straight ahead ----------------------------------------------

const BODY =
  "M -0.32 0.7 L -0.32 1.05 Q -1.1 1.15 -1.25 1.55 L 1.25 1.55 " +
  "Q 1.1 1.15 0.32 1.05 L 0.32 0.7 Z";
const ROWS = 14;
const COLUMNS = 24;

function head() {
  return [...skull(), ...ears(), ...nose(), ...eyes(), mouth()];
}

// A point of the skull, by angles in radians: up from the middle, around from the front.
function at(up, around) {
  const y = Math.sin(up);
  const chin = y < 0 ? 1 - 0.34 * y * y : 1;
  const wide = Math.cos(up) * chin;
  const z = Math.cos(around);
  return [0.76 * wide * Math.sin(around), y, (z > 0 ? 0.8 : 0.92) * wide * z];
}

// The point of the skull behind a place of the face.
function on(x, y, lift = 0.02) {
  const up = Math.asin(y);
  const chin = y < 0 ? 1 - 0.34 * y * y : 1;
  const around = Math.asin(x / (0.76 * Math.cos(up) * chin));
  const [, , z] = at(up, around);
  return [x, y, z + lift];
}

function skull() {
  const quads = [];
  for (let row = 0; row < ROWS; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      const low = Math.PI * (row / ROWS - 0.5);
      const high = Math.PI * ((row + 1) / ROWS - 0.5);
      const left = 2 * Math.PI * (column / COLUMNS - 0.5);
      const right = 2 * Math.PI * ((column + 1) / COLUMNS - 0.5);
      const points = [at(low, left), at(low, right), at(high, right), at(high, left)];
      quads.push({ kind: isHair(points) ? "hair" : "skin", points });
    }
  }
  return quads;
}

function isHair(points) {
  const [x, y, z] = middle(points);
  const fringe = 0.52 + 0.12 * Math.abs(x);
  return y > fringe || (z < -0.12 && y > -0.55) || (z < 0.2 && y > 0.3);
}

function ears() {
  return [-1, 1].map((side) => {
    const points = around(10).map(([a, b]) => [
      side * (0.76 + 0.12 * (0.5 - 0.5 * a)),
      -0.02 + 0.22 * b,
      -0.08 + 0.15 * a,
    ]);
    const name = side > 0 ? "left-ear" : "right-ear";
    return { kind: "ear", name, thin: true, points, above: 0.05 };
  });
}

function nose() {
  const top = on(0, 0.16);
  const tip = [0, -0.16, 1.08];
  const left = on(-0.15, -0.24);
  const right = on(0.15, -0.24);
  return [
    { kind: "nose", points: [top, left, tip], above: 0.15 },
    { kind: "nose", points: [top, tip, right], above: 0.15 },
    { kind: "nose", name: "nose", points: [left, right, tip], above: 0.15, thin: true },
  ];
}

function eyes() {
  return [-1, 1].flatMap((side) => {
    const name = side > 0 ? "left-eye" : "right-eye";
    const disc = (wide, high, lift) =>
      around(12).map(([a, b]) => on(side * 0.3 + wide * a, 0.12 + high * b, lift));
    const brow = [
      on(side * 0.3 - 0.16, 0.34),
      on(side * 0.3 + 0.16, 0.34),
      on(side * 0.3 + 0.16, 0.4),
      on(side * 0.3 - 0.16, 0.4),
    ];
    return [
      { kind: "eye", name, points: disc(0.15, 0.13, 0.02), above: 0.1 },
      { kind: "pupil", points: disc(0.065, 0.08, 0.03), above: 0.12 },
      { kind: "brow", points: brow, above: 0.1 },
    ];
  });
}

function mouth() {
  const lower = [-0.22, -0.11, 0, 0.11, 0.22].map((x) => on(x, -0.56 + x * x));
  const upper = [0.22, 0.11, 0, -0.11, -0.22].map((x) => on(x, -0.5 + 0.4 * x * x));
  return { kind: "mouth", name: "mouth", points: [...lower, ...upper], above: 0.1 };
}

// Points around a circle, against the clock: their normal is towards the viewer.
function around(count) {
  return Array.from({ length: count }, (_, each) => {
    const angle = (2 * Math.PI * each) / count;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

// --- points and directions ----------------------------------------------------------

function plane(x, y, angle) {
  return [x * cosine(angle) + y * sine(angle), y * cosine(angle) - x * sine(angle)];
}

function cosine(degrees) {
  return Math.cos((degrees * Math.PI) / 180);
}

function sine(degrees) {
  return Math.sin((degrees * Math.PI) / 180);
}

function middle(points) {
  const sum = points.reduce((all, each) => all.map((value, axis) => value + each[axis]));
  return scaled(sum, 1 / points.length);
}

// The direction that a polygon faces (Newell's method, whatever corners coincide).
function across(points) {
  const normal = [0, 0, 0];
  points.forEach(([x, y, z], place) => {
    const [u, v, w] = points[(place + 1) % points.length];
    normal[0] += (y - v) * (z + w);
    normal[1] += (z - w) * (x + u);
    normal[2] += (x - u) * (y + v);
  });
  return normal;
}

function unit(vector) {
  return scaled(vector, 1 / (Math.hypot(...vector) || 1));
}

function scaled(vector, by) {
  return vector.map((value) => value * by);
}

function dot(one, other) {
  return one.reduce((sum, value, axis) => sum + value * other[axis], 0);
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  return element;
}
