/** Patient space (PS3.3 §C.7.6.2): millimetres, +x to the patient's left, +y posterior, +z towards the head. */

export type Vector = readonly [number, number, number];
export type Point2 = readonly [number, number];

/** Where an image lies. */
export interface Plane {
  /** Centre of the first pixel, mm (0020,0032). */
  readonly origin: Vector;
  /** Direction of increasing column index, unit vector (first half of (0020,0037)). */
  readonly row: Vector;
  /** Direction of increasing row index, unit vector. */
  readonly column: Vector;
  /** Distance of rows and of columns, mm: ``[between rows, between columns]`` (0028,0030). */
  readonly spacing: Point2;
  readonly rows: number;
  readonly columns: number;
}

export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vector, k: number): Vector => [a[0] * k, a[1] * k, a[2] * k];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vector): number => Math.sqrt(dot(a, a));
export const normal = (plane: Pick<Plane, 'row' | 'column'>): Vector => cross(plane.row, plane.column);

/** Position of a plane along a normal, mm. */
export const along = (plane: Plane, axis: Vector): number => dot(plane.origin, axis);

/** Whether two planes have the same orientation, whatever its sign. */
export function isParallel(a: Pick<Plane, 'row' | 'column'>, b: Pick<Plane, 'row' | 'column'>): boolean {
  return Math.abs(dot(normal(a), normal(b))) > 0.995;
}

const LETTERS = [
  ['L', 'R'],
  ['P', 'A'],
  ['H', 'F'],
] as const;

/** Patient orientation of a direction (PS3.3 §C.7.6.1.1.1): up to three letters, the longest component first.
 *
 * Components below a tenth of the direction's length say nothing to a reader and are left out.
 */
export function orientationLabel(direction: Vector): string {
  const size = length(direction);
  if (size === 0) return '';
  return direction
    .map((value, axis) => ({ value: value / size, axis }))
    .filter(({ value }) => Math.abs(value) > 0.1)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .map(({ value, axis }) => LETTERS[axis]?.[value > 0 ? 0 : 1] ?? '')
    .join('');
}

/** The letters of the opposite direction. */
export function opposite(label: string): string {
  const pairs: Record<string, string> = { L: 'R', R: 'L', A: 'P', P: 'A', H: 'F', F: 'H' };
  return [...label].map((letter) => pairs[letter] ?? letter).join('');
}

export interface EdgeLabels {
  readonly top: string;
  readonly right: string;
  readonly bottom: string;
  readonly left: string;
}

/** Letters at the edges of a pane, from the letters towards its right and its bottom. */
export const edgeLabels = (right: string, down: string): EdgeLabels => ({
  top: opposite(down),
  right,
  bottom: down,
  left: opposite(right),
});

/** Letters of a direction on an image without a plane.
 *
 * Args: direction: columns and rows that it goes; letters: Patient Orientation (0020,0020), towards the last column and the last row.
 */
export function letterAlong([x, y]: Point2, letters: readonly string[]): string {
  const [right = '', down = ''] = letters;
  const letter = Math.abs(x) >= Math.abs(y) ? right : down;
  return (Math.abs(x) >= Math.abs(y) ? x : y) >= 0 ? letter : opposite(letter);
}

/** How a picture is laid on the screen: mirrored in its own axes first, then turned. */
export interface Turn {
  /** Degrees clockwise. */
  readonly rotation: number;
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
}

/** Directions of the screen in the space of an image: its right, its top, and towards who looks. */
export function screenAxes(
  plane: Pick<Plane, 'row' | 'column'>,
  turn: Turn,
): { readonly right: Vector; readonly up: Vector; readonly toViewer: Vector } {
  const right = scale(plane.row, turn.flipHorizontal ? -1 : 1);
  const up = scale(plane.column, turn.flipVertical ? 1 : -1);
  const angle = (turn.rotation * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const turnedRight = add(scale(right, cosine), scale(up, sine));
  const turnedUp = subtract(scale(up, cosine), scale(right, sine));
  return { right: turnedRight, up: turnedUp, toViewer: cross(turnedRight, turnedUp) };
}

/** Mirrored as the eye sees it, whatever the turn was. */
export const mirrored = (turn: Turn, axis: 'horizontal' | 'vertical'): Turn => ({
  rotation: (360 - turn.rotation) % 360,
  flipHorizontal: axis === 'horizontal' ? !turn.flipHorizontal : turn.flipHorizontal,
  flipVertical: axis === 'vertical' ? !turn.flipVertical : turn.flipVertical,
});

/** Point of patient space under an image position. ``x`` counts columns, ``y`` rows, from the first pixel's centre. */
export function toPatient(plane: Plane, [x, y]: Point2): Vector {
  return add(
    plane.origin,
    add(scale(plane.row, x * plane.spacing[1]), scale(plane.column, y * plane.spacing[0])),
  );
}

/** Image position of the projection of a point on a plane: the inverse of ``toPatient``. */
export function toImage(plane: Plane, point: Vector): Point2 {
  const from = subtract(point, plane.origin);
  return [dot(from, plane.row) / plane.spacing[1], dot(from, plane.column) / plane.spacing[0]];
}

/** Where one image cuts another: a segment in image positions of ``target``, or null.
 *
 * The segment is the cut of ``source``'s rectangle, drawn on ``target`` and clipped to it. Parallel planes do not cut.
 */
export function referenceLine(source: Plane, target: Plane): readonly [Point2, Point2] | null {
  const axis = normal(target);
  if (isParallel(source, target)) return null;
  const corners: Point2[] = [
    [-0.5, -0.5],
    [source.columns - 0.5, -0.5],
    [source.columns - 0.5, source.rows - 0.5],
    [-0.5, source.rows - 0.5],
  ];
  const points = corners.map((corner) => toPatient(source, corner));
  const heights = points.map((point) => dot(subtract(point, target.origin), axis));
  const cuts: Point2[] = [];
  for (let i = 0; i < 4; i += 1) {
    const [a, b] = [heights[i] ?? 0, heights[(i + 1) % 4] ?? 0];
    const [from, to] = [points[i], points[(i + 1) % 4]];
    if (from === undefined || to === undefined || a === b || a * b > 0) continue;
    cuts.push(toImage(target, add(from, scale(subtract(to, from), a / (a - b)))));
  }
  const [first, ...rest] = cuts;
  if (first === undefined) return null;
  const far = rest.reduce<Point2 | undefined>(
    (best, cut) => (best === undefined || gap(first, cut) > gap(first, best) ? cut : best),
    undefined,
  );
  if (far === undefined || gap(first, far) < 1e-6) return null;
  return clip([first, far], target.columns, target.rows);
}

const gap = (a: Point2, b: Point2) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Liang–Barsky on the image's rectangle. */
function clip(
  [a, b]: readonly [Point2, Point2],
  columns: number,
  rows: number,
): readonly [Point2, Point2] | null {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  let [start, end] = [0, 1];
  const edges: readonly (readonly [number, number])[] = [
    [-dx, a[0] + 0.5],
    [dx, columns - 0.5 - a[0]],
    [-dy, a[1] + 0.5],
    [dy, rows - 0.5 - a[1]],
  ];
  for (const [p, q] of edges) {
    if (p === 0) {
      if (q < 0) return null;
    } else if (p < 0) start = Math.max(start, q / p);
    else end = Math.min(end, q / p);
  }
  if (start >= end) return null;
  return [
    [a[0] + start * dx, a[1] + start * dy],
    [a[0] + end * dx, a[1] + end * dy],
  ];
}
