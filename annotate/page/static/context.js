// The whole picture that a face is from, above everything else, until it is closed.

/** Shows pictures in an element that covers the page. */
export class Context {
  #place;

  constructor(place) {
    this.#place = place;
    place.addEventListener("click", () => this.close());
  }

  get isOpen() {
    return !this.#place.hidden;
  }

  open(url, words) {
    const picture = new Image();
    picture.alt = words;
    picture.src = url;
    picture.addEventListener("error", () => {
      const sorry = document.createElement("p");
      sorry.textContent = "The picture cannot be shown.";
      this.#place.replaceChildren(sorry);
    });
    this.#place.replaceChildren(picture);
    this.#place.hidden = false;
  }

  close() {
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  toggle(url, words) {
    if (this.isOpen) this.close();
    else this.open(url, words);
  }
}
