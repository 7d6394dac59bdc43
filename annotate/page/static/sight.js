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

/** Whether a picture is there. */
export const isThere = (picture) => picture.naturalWidth > 0;

/** Whether a picture is there, or did not come. */
export const isSettled = (picture) =>
  isThere(picture) || picture.classList.contains("missing");

/** Whether all of some pictures are there, and were for a glance. */
export function areSeen(pictures, is = isThere) {
  return pictures.every((each) => is(each) && glanced.has(each));
}

/**
 * Call back once all of some pictures are there, at once if they are; and when they were
 * for a glance.
 */
export function whenSeen(pictures, there, seen, is = isThere) {
  let areThere = false;
  const look = () => {
    if (!areThere && pictures.every(is)) {
      areThere = true;
      there();
    }
    const some = pictures.filter(is);
    afterGlance(() => {
      for (const each of some) glanced.add(each);
      if (areSeen(pictures, is)) seen();
    });
  };
  for (const each of pictures)
    for (const event of ["load", "error"]) each.addEventListener(event, look);
  look();
}

/** Call back when what is shown now can have been looked at. */
export function afterGlance(then) {
  if (performance.now() - pressed < MOMENT) setTimeout(then, GLANCE);
  else then();
}
