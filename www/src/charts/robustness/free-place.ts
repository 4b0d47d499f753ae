/** A place on a chart. */
export interface Spot {
  x: number;
  y: number;
}

/** A label's box. */
export interface LabelBox {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The first of the boxes that comes to none of the spots nearer than `room`; where all do, the one that meets fewest. */
export function freePlace<Place extends LabelBox>(
  boxes: readonly Place[],
  spots: readonly Spot[],
  room: number,
) {
  const met = boxes.map((box) => spots.filter((spot) => meets(box, spot, room)).length);
  return boxes[met.indexOf(Math.min(...met))];
}

function meets({ left, top, width, height }: LabelBox, { x, y }: Spot, room: number): boolean {
  return x > left - room && x < left + width + room && y > top - room && y < top + height + room;
}
