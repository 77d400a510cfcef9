/** What is written beside Cornerstone's drawings: numbers of the core, in the reader's language. */

import { cache, utilities as core } from '@cornerstonejs/core';
import { annotation } from '@cornerstonejs/tools';
import {
  angle,
  area,
  distance,
  type Frame,
  type MessageKey,
  messagesFor,
  type Point2,
  pixelSizeAt,
  polygonPixels,
  say,
  sayMeasure,
  type Tool,
  valueUnit,
} from '@negatoscope/viewer-core';
import { frameOf } from './catalogue';

type Point3 = readonly [number, number, number];

interface Drawn {
  readonly handles: { readonly points?: readonly Point3[] };
  readonly contour?: { readonly polyline?: readonly Point3[] };
  readonly cachedStats?: Readonly<Record<string, Statistics>>;
  readonly label?: string;
}

interface Statistics {
  readonly mean?: number;
  readonly stdDev?: number;
  readonly min?: number;
  readonly max?: number;
  readonly area?: number;
}

let language = 'en';

/** The language of what is drawn from now on. */
export function setMeasureLanguage(wanted: string): void {
  language = wanted;
}

const imageIdOf = (targetId: string): string | null =>
  targetId.startsWith('imageId:') ? targetId.slice('imageId:'.length) : null;

function pointsOf(drawn: Drawn, tool: Tool): readonly Point3[] {
  const points = tool === 'freehand' ? drawn.contour?.polyline : drawn.handles.points;
  return points ?? [];
}

/** Positions of a drawing in its image; null when it does not lie in one, as on a cut plane. */
function onImage(drawn: Drawn, tool: Tool, targetId: string): { frame: Frame; points: Point2[] } | null {
  const imageId = imageIdOf(targetId);
  const frame = frameOf(imageId ?? undefined);
  if (imageId === null || frame === undefined) return null;
  const points: Point2[] = [];
  for (const point of pointsOf(drawn, tool)) {
    const found = core.worldToImageCoords(imageId, [point[0], point[1], point[2]]);
    if (!found) return null;
    points.push([found[0], found[1]]);
  }
  return { frame, points };
}

/** Size in pixels of what an ellipse or a rectangle covers, from its handles. */
function coveredPixels(tool: Tool, points: readonly Point2[]): number {
  if (tool === 'freehand') return polygonPixels(points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [width, height] = [Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)];
  return tool === 'ellipse' ? (Math.PI * width * height) / 4 : width * height;
}

/** On a cut plane: millimetres of patient space, by construction. */
function inSpace(drawn: Drawn, tool: Tool, statistics: Statistics | undefined): string[] {
  const points = pointsOf(drawn, tool);
  const [a, b, c] = points;
  if (tool === 'length' && a && b) {
    return [sayMeasure({ value: Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), unit: 'mm' }, language)];
  }
  if (tool === 'angle' && a && b && c) {
    const [u, v] = [a.map((x, i) => x - (b[i] ?? 0)), c.map((x, i) => x - (b[i] ?? 0))];
    const size = Math.hypot(...u) * Math.hypot(...v);
    const cosine = size === 0 ? 1 : u.reduce((sum, x, i) => sum + x * (v[i] ?? 0), 0) / size;
    return [
      sayMeasure(
        { value: (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI, unit: '°' },
        language,
      ),
    ];
  }
  if (statistics?.area !== undefined) {
    const mm2 = statistics.area;
    return [sayMeasure(mm2 < 10 ? { value: mm2, unit: 'mm²' } : { value: mm2 / 100, unit: 'cm²' }, language)];
  }
  return [];
}

function valueLines(statistics: Statistics | undefined, unit: string): string[] {
  if (statistics?.mean === undefined) return [];
  const words = messagesFor(language);
  const shown = (value: number | undefined) =>
    value === undefined ? '' : sayMeasure({ value, unit: valueUnit(unit, language) }, language);
  const decimals = (value: number | undefined) =>
    value === undefined
      ? ''
      : `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value)}${unit ? `\u00a0${valueUnit(unit, language)}` : ''}`;
  const lines: [MessageKey, Record<string, string>][] = [
    ['measure.mean', { value: decimals(statistics.mean) }],
    ['measure.deviation', { value: decimals(statistics.stdDev) }],
  ];
  if (statistics.min !== undefined && statistics.max !== undefined) {
    lines.push(['measure.range', { min: shown(statistics.min), max: shown(statistics.max) }]);
  }
  return lines.map(([key, values]) => say(words, key, values));
}

/** Values of a pixel after the Modality LUT: one, or one of each sample. */
function valuesAt(imageId: string, [x, y]: Point2): readonly number[] {
  const image = cache.getImage(imageId);
  const found: unknown = image?.voxelManager?.getAtIJK(Math.round(x), Math.round(y), 0);
  const values = typeof found === 'number' ? [found] : Array.from((found ?? []) as ArrayLike<number>);
  if (image === undefined || image.preScale?.scaled || values.length > 1) return values.slice(0, 3);
  return values.map((value) => value * image.slope + image.intercept);
}

function lines(tool: Tool, drawn: Drawn, targetId: string): string[] {
  const words = messagesFor(language);
  const statistics = drawn.cachedStats?.[targetId];
  const placed = onImage(drawn, tool, targetId);
  if (tool === 'arrow') return drawn.label ? [drawn.label] : [];
  if (placed === null) return [...inSpace(drawn, tool, statistics), ...valueLines(statistics, 'HU')];
  const { frame, points } = placed;
  const [a, b, c] = points;
  const isCalibrated = pixelSizeAt(frame, points) !== null;
  const remark = isCalibrated ? [] : [`(${say(words, 'measure.pixels')})`];
  switch (tool) {
    case 'length':
      return a && b ? [sayMeasure(distance(frame, a, b), language), ...remark] : [];
    case 'angle':
      return a && b && c ? [sayMeasure(angle(frame, a, b, c), language)] : [];
    case 'probe': {
      const at = a ?? [0, 0];
      const shown = valuesAt(imageIdOf(targetId) ?? '', at).map((value) =>
        sayMeasure({ value, unit: valueUnit(frame.instance.unit, language) }, language),
      );
      return [`(${Math.round(at[0])}, ${Math.round(at[1])})`, shown.join(' · ')];
    }
    case 'ellipse':
    case 'rectangle':
    case 'freehand':
      return [
        say(words, 'measure.area', {
          value: sayMeasure(area(frame, coveredPixels(tool, points), points), language),
        }),
        ...valueLines(statistics, frame.instance.unit),
      ];
    default:
      return [];
  }
}

/** Text lines of one tool, in the form Cornerstone asks for. */
export const measureTexts = (tool: Tool) => (data: unknown, targetIds: string | readonly string[]) => {
  const targetId = typeof targetIds === 'string' ? targetIds : (targetIds[0] ?? '');
  return lines(tool, data as Drawn, targetId);
};

/** All measures as lines of text: series, image, and what is written beside the drawing. */
export function measuresAsText(toolOf: (name: string) => Tool | undefined): string {
  const words = messagesFor(language);
  const rows: string[] = [];
  for (const one of annotation.state.getAllAnnotations()) {
    const tool = toolOf(one.metadata?.toolName ?? '');
    if (tool === undefined) continue;
    const referencedImageId = one.metadata?.referencedImageId;
    const targetId = referencedImageId
      ? `imageId:${referencedImageId}`
      : (Object.keys((one.data as unknown as Drawn).cachedStats ?? {})[0] ?? '');
    const frame = frameOf(referencedImageId);
    const where = frame ? `${frame.instance.modality} ${frame.instance.instanceNumber}` : '';
    const told = lines(tool, one.data as unknown as Drawn, targetId)
      .filter(Boolean)
      .join(' · ');
    rows.push([where, say(words, `action.tool.${tool}`), told].filter(Boolean).join('\t'));
  }
  return rows.join('\n');
}
