// The whole picture that a face is from, above everything else, until it is closed.

/** Shows pictures in a <dialog> that covers the page. */
export class Context {
  #place;

  constructor(place) {
    this.#place = place;
    place.addEventListener("click", () => this.close());
  }

  get isOpen() {
    return this.#place.open;
  }

  #open(url) {
    const picture = new Image();
    picture.alt = "the whole picture, the face boxed";
    picture.src = url;
    picture.addEventListener("error", () => {
      const sorry = document.createElement("p");
      sorry.textContent = "The picture cannot be shown.";
      this.#place.replaceChildren(sorry);
    });
    this.#place.replaceChildren(picture);
    // What it covers can be neither clicked nor reached by Tab; keys still answer.
    this.#place.showModal();
  }

  close() {
    this.#place.close();
    this.#place.replaceChildren();
  }

  toggle(url) {
    if (this.isOpen) this.close();
    else this.#open(url);
  }
}
