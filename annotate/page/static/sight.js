// Whether pictures are there to be looked at: nobody says what is on others.

/** Whether all of some pictures are there. */
export function areSeen(pictures) {
  return pictures.every((each) => each.naturalWidth > 0);
}

/** Call back as soon as all of some pictures are there; at once if they are. */
export function whenSeen(pictures, then) {
  const look = () => areSeen(pictures) && then();
  for (const each of pictures) each.addEventListener("load", look, { once: true });
  look();
}

/** Whether each of some pictures is there, or will not come. */
export function areSettled(pictures) {
  return pictures.every((each) => each.complete);
}

/** Call back as soon as each of some pictures is there, or will not come. */
export function whenSettled(pictures, then) {
  const look = () => areSettled(pictures) && then();
  for (const each of pictures)
    for (const event of ["load", "error"]) each.addEventListener(event, look, { once: true });
  look();
}
