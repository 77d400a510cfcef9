import { describe, expect, it } from 'vitest';
import {
  edgeLabels,
  letterAlong,
  mirrored,
  orientationLabel,
  type Plane,
  referenceLine,
  screenAxes,
  toImage,
  toPatient,
  type Vector,
} from './geometry';

const axial: Plane = {
  origin: [-128, -128, 50],
  row: [1, 0, 0],
  column: [0, 1, 0],
  spacing: [0.5, 0.5],
  rows: 512,
  columns: 512,
};
const sagittal: Plane = {
  origin: [10, -100, 200],
  row: [0, 1, 0],
  column: [0, 0, -1],
  spacing: [1, 1],
  rows: 300,
  columns: 200,
};

describe('orientation', () => {
  it('names directions by the letters of PS3.3 §C.7.6.1.1.1, the longest component first', () => {
    expect(orientationLabel([1, 0, 0])).toBe('L');
    expect(orientationLabel([0, 0, 1])).toBe('H');
    expect(orientationLabel([0.2, -0.9, 0.05])).toBe('AL');
    expect(orientationLabel([0, 0, 0])).toBe('');
  });

  it('writes the opposite letters at the opposite edges', () => {
    expect(edgeLabels('L', 'PF')).toEqual({ top: 'AH', right: 'L', bottom: 'PF', left: 'R' });
  });

  it('takes the letters of Patient Orientation for an image without a plane', () => {
    expect(letterAlong([1, 0], ['A', 'F'])).toBe('A');
    expect(letterAlong([0, -2], ['A', 'FL'])).toBe('HR');
    expect(letterAlong([1, 0], [])).toBe('');
  });
});

describe('turns and mirrors', () => {
  const letters = (turn: Parameters<typeof screenAxes>[1]) => {
    const { right, up } = screenAxes(axial, turn);
    return `${orientationLabel(up)}${orientationLabel(right)}`; // top, right
  };
  const none = { rotation: 0, flipHorizontal: false, flipVertical: false };

  it('a quarter to the right brings the left edge to the top', () => {
    expect(letters(none)).toBe('AL');
    expect(letters({ ...none, rotation: 90 })).toBe('RA');
    expect(letters({ ...none, rotation: 180 })).toBe('PR');
    expect(letters({ ...none, rotation: 270 })).toBe('LP');
  });

  it('mirrors what the eye sees, before and after a turn', () => {
    expect(letters(mirrored(none, 'horizontal'))).toBe('AR');
    expect(letters(mirrored(none, 'vertical'))).toBe('PL');
    expect(letters(mirrored({ ...none, rotation: 90 }, 'horizontal'))).toBe('RP');
    expect(letters(mirrored({ ...none, rotation: 90 }, 'vertical'))).toBe('LA');
  });

  it('twice the same mirror is none', () => {
    const turn = { ...none, rotation: 270, flipVertical: true };
    expect(mirrored(mirrored(turn, 'horizontal'), 'horizontal')).toEqual(turn);
  });
});

describe('planes', () => {
  it('goes from an image to the patient and back', () => {
    const point: Vector = toPatient(sagittal, [20, 30]);
    expect(point).toEqual([10, -80, 170]);
    expect(toImage(sagittal, point)).toEqual([20, 30]);
  });

  it('draws where a sagittal image cuts an axial one: a vertical line at its x', () => {
    const line = referenceLine(sagittal, axial);
    expect(line).not.toBeNull();
    for (const [x] of line ?? []) expect(x).toBeCloseTo((10 + 128) / 0.5, 6);
    const ys = (line ?? []).map(([, y]) => y).sort((a, b) => a - b);
    expect(ys[0]).toBeCloseTo((-100.5 + 128) / 0.5, 6);
    expect(ys[1]).toBeCloseTo((99.5 + 128) / 0.5, 6);
  });

  it('draws nothing between parallel planes, nor where the other image does not reach', () => {
    expect(referenceLine(axial, { ...axial, origin: [-128, -128, 60] })).toBeNull();
    expect(referenceLine({ ...sagittal, origin: [10, -100, 40] }, axial)).toBeNull();
    expect(referenceLine({ ...sagittal, origin: [900, -100, 200] }, axial)).toBeNull();
  });
});
