// Swipes with a thumb: right, left and up.

const FAR = 70;

/**
 * Watch an element.
 *
 * @param {HTMLElement} place
 * @param {(direction: string|null, share: number) => void} dragged while it is dragged:
 *   "left", "right", "up" or null, and how far of what is needed
 * @param {(direction: string) => void} swiped
 */
export function watchSwipes(place, dragged, swiped) {
  let from = null;

  const read = (event) => {
    const right = event.clientX - from.x;
    const down = event.clientY - from.y;
    if (Math.abs(right) >= Math.abs(down))
      return { direction: right > 0 ? "right" : "left", far: Math.abs(right) };
    return down < 0 ? { direction: "up", far: -down } : { direction: null, far: 0 };
  };

  const end = () => {
    from = null;
    dragged(null, 0);
  };

  place.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    from = { x: event.clientX, y: event.clientY, id: event.pointerId };
  });
  place.addEventListener("pointermove", (event) => {
    if (from?.id !== event.pointerId) return;
    const { direction, far } = read(event);
    dragged(direction, Math.min(1, far / FAR));
  });
  // Else the browser takes a quick one for a fling, and swallows the tap that follows.
  place.addEventListener("touchmove", (event) => event.preventDefault(), {
    passive: false,
  });
  place.addEventListener("pointerup", (event) => {
    if (from?.id !== event.pointerId) return;
    const { direction, far } = read(event);
    end();
    if (direction && far >= FAR) swiped(direction);
  });
  place.addEventListener("pointercancel", (event) => {
    if (from?.id === event.pointerId) end();
  });
}
