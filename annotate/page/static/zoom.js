// A picture in a stage: fitted, zoomed with wheel, pinch or keys, and moved about.

const MOST = 16;

/** Events: "change" when the picture has another place on the stage. */
export class Zoom extends EventTarget {
  #stage;
  #width = 1;
  #height = 1;
  // Times as big as the picture is where it fits; and the picture's point, from 0 to 1,
  // that is in the middle of the stage.
  #zoom = 1;
  #middle = [0.5, 0.5];

  /** @param {HTMLElement} stage */
  constructor(stage) {
    super();
    this.#stage = stage;
    new ResizeObserver(() => this.#changed()).observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Begin with another picture, as big as fits. */
  reset(width, height) {
    this.#width = width;
    this.#height = height;
    this.fit();
  }

  /** Show the whole picture. */
  fit() {
    this.#zoom = 1;
    this.#middle = [0.5, 0.5];
    this.#changed();
  }

  /** Whether it is bigger than the stage. */
  get zoomed() {
    return this.#zoom > 1;
  }

  /** Pixels of the stage for one of the picture. */
  get rate() {
    const { clientWidth, clientHeight } = this.#stage;
    const fits = Math.min(clientWidth / this.#width, clientHeight / this.#height);
    return Math.max(fits, 1e-6) * this.#zoom;
  }

  /** Where the picture's corner is on the stage. */
  get corner() {
    const { clientWidth, clientHeight } = this.#stage;
    const [across, down] = this.#middle;
    return [
      clientWidth / 2 - across * this.#width * this.rate,
      clientHeight / 2 - down * this.#height * this.rate,
    ];
  }

  /** A point of the window, in pixels of the picture. */
  toPicture(clientX, clientY) {
    const [x, y] = this.#onStage(clientX, clientY);
    const [left, top] = this.corner;
    return [(x - left) / this.rate, (y - top) / this.rate];
  }

  /** A box of the picture, in pixels of the stage. */
  toStage([x1, y1, x2, y2]) {
    const { rate } = this;
    const [left, top] = this.corner;
    return [left + x1 * rate, top + y1 * rate, left + x2 * rate, top + y2 * rate];
  }

  /** Make it so many times bigger; a point of the window stays where it is. */
  zoomBy(times, clientX, clientY) {
    const [px, py] = this.toPicture(clientX, clientY);
    this.#zoom = Math.max(1, Math.min(MOST, this.#zoom * times));
    const { clientWidth, clientHeight } = this.#stage;
    const [x, y] = this.#onStage(clientX, clientY);
    this.#middle = [
      (px + (clientWidth / 2 - x) / this.rate) / this.#width,
      (py + (clientHeight / 2 - y) / this.rate) / this.#height,
    ];
    this.#stay();
  }

  /** The same around the middle of the stage. */
  zoomInMiddle(times) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    this.zoomBy(times, left + width / 2, top + height / 2);
  }

  /** Move the picture by pixels of the stage. */
  pan(dx, dy) {
    this.#middle[0] -= dx / (this.#width * this.rate);
    this.#middle[1] -= dy / (this.#height * this.rate);
    this.#stay();
  }

  /** Move a box of the picture into sight. */
  show(box) {
    const { clientWidth, clientHeight } = this.#stage;
    const [x1, y1, x2, y2] = this.toStage(box);
    const seen = x2 > 0 && y2 > 0 && x1 < clientWidth && y1 < clientHeight;
    if (!seen) this.pan(clientWidth / 2 - (x1 + x2) / 2, clientHeight / 2 - (y1 + y2) / 2);
  }

  #onStage(clientX, clientY) {
    const { left, top } = this.#stage.getBoundingClientRect();
    const { clientLeft, clientTop } = this.#stage;
    return [clientX - left - clientLeft, clientY - top - clientTop];
  }

  /** Keep the picture on the stage: no empty margin where it could be filled. */
  #stay() {
    const { clientWidth, clientHeight } = this.#stage;
    this.#middle = [
      kept(this.#middle[0], clientWidth / (this.#width * this.rate)),
      kept(this.#middle[1], clientHeight / (this.#height * this.rate)),
    ];
    this.#changed();
  }

  #wheel(event) {
    event.preventDefault();
    // A pinch on a touchpad is a wheel with Ctrl, and turns less.
    const speed = event.ctrlKey ? 0.01 : 0.002;
    const turned = event.deltaMode === 1 ? event.deltaY * 30 : event.deltaY;
    this.zoomBy(Math.exp(-turned * speed), event.clientX, event.clientY);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The middle of what is seen, of which `seen` of 1 is seen. */
function kept(middle, seen) {
  if (seen >= 1) return 0.5;
  return Math.max(seen / 2, Math.min(1 - seen / 2, middle));
}
