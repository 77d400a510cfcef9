import { describe, expect, it } from 'vitest';
import { displaySetsOf } from './dicom/displaySets';
import { type Frame, framesOf } from './dicom/instance';
import { TwoFingers } from './gestures';
import { angle, area, distance, polygonPixels, sayMeasure, valueUnit } from './measurement';
import { messagesFor } from './messages';
import { ageAt, corners, sayDate, sayTime } from './overlay';
import { fallback, framePath, preferred, renditionPath, thumbnailPath } from './retrieval';
import { follow, WheelSteps } from './scrolling';
import { INITIAL, paneAt } from './state/model';
import { element, instance, stack } from './testing';
import { bytesOf, cacheBytes, isSoftwareRenderer, volumeVerdict } from './volume';
import { automatic, toRange, toWindow } from './windowing';

const frameOf = (...args: Parameters<typeof instance>): Frame => {
  const [frame] = framesOf(instance(...args));
  if (frame === undefined) throw new Error('no frame');
  return frame;
};
const uncalibrated = { '00280030': element('DS'), '00080016': element('UI', '1.2.840.10008.5.1.4.1.1.7') };

describe('measures', () => {
  it('are millimetres where the spacing is the patient’s, and pixels where nothing is known', () => {
    expect(distance(frameOf(), [0, 0], [30, 40])).toEqual({ value: 25, unit: 'mm' });
    expect(distance(frameOf({ more: uncalibrated }), [0, 0], [30, 40])).toEqual({ value: 50, unit: 'px' });
  });

  it('obey rows and columns of different spacing', () => {
    const frame = frameOf({ more: { '00280030': element('DS', 2, 1) } });
    expect(distance(frame, [0, 0], [0, 10]).value).toBe(20);
    expect(angle(frame, [10, 0], [0, 0], [0, 10]).value).toBeCloseTo(90, 9);
    expect(angle(frame, [2, 0], [0, 0], [2, 1]).value).toBeCloseTo(45, 9);
  });

  it('of ultrasound count inside one calibrated region only', () => {
    const region = {
      '00186018': element('UL', 0),
      '0018601A': element('UL', 0),
      '0018601C': element('UL', 100),
      '0018601E': element('UL', 100),
      '00186024': element('US', 3),
      '00186026': element('US', 3),
      '0018602C': element('FD', 0.02),
      '0018602E': element('FD', 0.02),
    };
    const frame = frameOf({ modality: 'US', more: { ...uncalibrated, '00186011': element('SQ', region) } });
    expect(distance(frame, [0, 0], [50, 0])).toEqual({ value: 10, unit: 'mm' });
    expect(distance(frame, [0, 0], [150, 0]).unit).toBe('px');
  });

  it('give areas in a unit one can read', () => {
    expect(area(frameOf(), 4000, [])).toEqual({ value: 10, unit: 'cm²' });
    expect(area(frameOf(), 20, [])).toEqual({ value: 5, unit: 'mm²' });
    expect(area(frameOf({ more: uncalibrated }), 20, []).unit).toBe('px²');
    expect(
      polygonPixels([
        [0, 0],
        [4, 0],
        [4, 3],
      ]),
    ).toBe(6);
  });

  it('are written as the language writes numbers', () => {
    expect(sayMeasure({ value: 12.345, unit: 'mm' }, 'fr')).toBe('12,3\u00a0mm');
    expect(sayMeasure({ value: 90, unit: '°' }, 'en')).toBe('90.0°');
    expect(valueUnit('HU', 'fr-FR')).toBe('UH');
  });
});

describe('windows', () => {
  it('go to bounds and back (PS3.3 §C.11.2.1.2.1)', () => {
    expect(toRange({ center: 40, width: 400 })).toEqual({ lower: -160, upper: 239 });
    expect(toWindow({ lower: -160, upper: 239 })).toEqual({ center: 40, width: 400 });
  });

  it('from the values leave out the extremes and what is not measured', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i === 500 ? 30000 : i % 100));
    expect(automatic(values, 0)?.upper).toBe(99);
    expect(automatic([])).toBeNull();
    expect(automatic([7, 7])).toEqual({ lower: 6.5, upper: 7.5 });
  });
});

describe('gestures', () => {
  it('a notch is one image, a trackpad adds up', () => {
    const wheel = new WheelSteps();
    expect(wheel.take(120, 0, 0)).toBe(1);
    expect(wheel.take(-3, 1, 10)).toBe(-1);
    const small = [20, 20, 20, 20].map((delta, i) => wheel.take(delta, 0, 100 + i * 10));
    expect(small.reduce((sum, step) => sum + step, 0)).toBe(1);
    expect(wheel.take(50, 0, 200)).toBe(1); // the rest of 20 counts
    expect(wheel.take(50, 0, 5000)).toBe(0); // not after a pause
  });

  it('two fingers say once what they mean', () => {
    const fingers = new TwoFingers();
    expect(
      fingers.move([
        [0, 0],
        [100, 0],
      ]),
    ).toBeNull();
    expect(
      fingers.move([
        [0, 5],
        [100, 5],
      ]),
    ).toBeNull();
    expect(fingers.state).toBe('watching');
    expect(
      fingers.move([
        [0, 20],
        [100, 20],
      ]),
    ).toEqual({ type: 'scroll', steps: 1 });
    expect(
      fingers.move([
        [-50, 20],
        [150, 20],
      ]),
    ).toBeNull(); // apart now: still scrolling
    expect(fingers.state).toBe('scrolling');
    fingers.move([[0, 0]]);
    expect(fingers.state).toBe('idle');
  });

  it('apart is zoom at their middle, aside is pan', () => {
    const zoom = new TwoFingers();
    zoom.move([
      [0, 0],
      [100, 0],
    ]);
    expect(
      zoom.move([
        [-50, 0],
        [150, 0],
      ]),
    ).toEqual({ type: 'zoom', factor: 2, at: [50, 0] });
    const pan = new TwoFingers();
    pan.move([
      [0, 0],
      [100, 0],
    ]);
    expect(
      pan.move([
        [30, 2],
        [130, 2],
      ]),
    ).toEqual({ type: 'pan', dx: 30, dy: 2 });
  });
});

describe('following', () => {
  it('finds the nearest place in a stack of the other direction', () => {
    const up = stack(20);
    const down = stack(20, { series: '1.2.6', step: -2, z: 38 });
    expect(follow({ by: 'position' }, up, 3, down)).toBe(16);
  });
});

describe('retrieval', () => {
  it('asks lossless grey images as HTJ2K, others as stored, then what the server can still do', () => {
    expect(preferred(instance())).toBe('htj2k');
    expect(preferred(instance({ more: { '00282110': element('CS', '01') } }))).toBe('stored');
    expect(preferred(instance({ more: { '00280100': element('US', 8) } }))).toBe('stored');
    expect(preferred(instance(), 'stored')).toBe('stored');
    expect(['htj2k', 'stored', 'native', 'rendered'].map((one) => fallback(one as 'htj2k'))).toEqual([
      'stored',
      'native',
      'rendered',
      null,
    ]);
  });

  it('makes addresses below the service', () => {
    expect(framePath(frameOf(), 'stored')).toMatch(
      /^\/dicom-web\/studies\/1\.2\/series\/1\.2\.3\/instances\/1\.2\.3\.1\/frames\/1\?accept=multipart/,
    );
    expect(thumbnailPath(stack(3))).toContain('/frames/1/thumbnail?viewport=128,128');
    const [report] = displaySetsOf([
      instance({ more: { '00080016': element('UI', '1.2.840.10008.5.1.4.1.1.88.11') } }),
    ]);
    expect(report && renditionPath(report)).toMatch(/rendered\?accept=text%2Fhtml$/);
  });
});

describe('what a machine can hold', () => {
  it('is judged before it is tried', () => {
    const set = stack(100);
    expect(bytesOf(set)).toBe(100 * 512 * 512 * 2);
    expect(volumeVerdict(set, { maxTextureSize: 2048, maxBytes: 1e9 }).fits).toBe(true);
    expect(volumeVerdict(set, { maxTextureSize: 64, maxBytes: 1e9 })).toMatchObject({
      fits: false,
      reason: 'texture',
    });
    expect(cacheBytes(1)).toBe(0.375 * 1024 ** 3);
    expect(cacheBytes(64)).toBe(2 * 1024 ** 3);
    expect(isSoftwareRenderer('ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device))')).toBe(true);
    expect(isSoftwareRenderer('ANGLE (NVIDIA GeForce)')).toBe(false);
  });
});

describe('overlays', () => {
  it('say who, what, which image and how it is shown', () => {
    const set = stack(4);
    const texts = corners(
      {
        studyInstanceUID: '1.2',
        patientName: 'DOE Jane',
        patientID: '7',
        issuerOfPatientID: '',
        birthDate: '19600630',
        sex: 'F',
        studyDate: '20260629',
        studyTime: '0815',
        description: 'Scanner',
        accessionNumber: '',
        institution: 'CHU',
        modalities: ['CT'],
      },
      set,
      set.frames[0],
      { ...paneAt(INITIAL, 0), displaySetId: set.id, index: 0 },
      { voi: toRange({ center: 40, width: 400 }), zoom: 1.5 },
      messagesFor('fr'),
      'fr-FR',
    );
    expect(texts.topLeft).toEqual(['DOE Jane', '7 · F · 65\u00a0ans', '30/06/1960']);
    expect(texts.topRight).toEqual(['CHU', '29/06/2026 08:15', 'Scanner']);
    expect(texts.bottomLeft[1]).toBe('Image 1/4');
    expect(texts.bottomRight).toEqual(['C 40 L 400', 'Zoom 150\u00a0%']);
  });

  it('keep what is no date or time as it is', () => {
    expect([sayDate('2026', 'fr'), sayTime(''), ageAt('', '20260101')]).toEqual(['2026', '', null]);
  });
});
