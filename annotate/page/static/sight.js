// Whether pictures are there and can have been looked at: nobody says what is on others.

// Milliseconds. A key that was pressed a moment ago may be pressed again by accident.
// Then what comes next is answered after a glance at it, which is less than anybody needs
// to see it, and more than lies between two such presses.
const MOMENT = 1000;
const GLANCE = 150;
let pressed = -Infinity;
addEventListener("keydown", () => (pressed = performance.now()), true);

/** Pictures that were there for a glance. */
const glanced = new WeakSet();

const isThere = (picture) => picture.naturalWidth > 0;

/** Whether some pictures are not there yet. */
export function areMissing(pictures) {
  return !pictures.every(isThere);
}

/** Whether all of some pictures are there, and were for a glance. */
export function areSeen(pictures) {
  return pictures.every((each) => glanced.has(each));
}

/**
 * Call back as soon as all of some pictures are there, at once if they are; and as soon as
 * they were for a glance.
 */
export function whenSeen(pictures, there, seen) {
  const look = () => {
    if (pictures.every(isThere)) there();
    afterGlance(pictures.filter(isThere), () => areSeen(pictures) && seen());
  };
  for (const each of pictures) each.addEventListener("load", look, { once: true });
  look();
}

/** Whether each of some pictures is there, or will not come; and was so for a glance. */
export function areSettled(pictures) {
  return pictures.every((each) => each.complete && glanced.has(each));
}

/** The same as `whenSeen`, of pictures that are there or will not come. */
export function whenSettled(pictures, there, settled) {
  const look = () => {
    if (!pictures.every((each) => each.complete)) return;
    there();
    afterGlance(pictures, settled);
  };
  for (const each of pictures)
    for (const event of ["load", "error"]) each.addEventListener(event, look, { once: true });
  look();
}

function afterGlance(pictures, then) {
  const note = () => {
    for (const each of pictures) glanced.add(each);
    then();
  };
  if (performance.now() - pressed < MOMENT) setTimeout(note, GLANCE);
  else note();
}
