import { describe, expect, it } from 'vitest';
import { element, instance, item, stack } from '../testing';
import { displaySetsOf, kindOf, sortFrames, volumeObstacle } from './displaySets';
import { framesOf, readInstance, readStudy, spacingOf } from './instance';

const of = (vr: string, ...value: unknown[]) => element(vr, ...value);

describe('a series', () => {
  it('is sorted by place, in the direction its numbers have', () => {
    const down = [1, 2, 3].map((number) => instance({ number, z: -number * 5 }));
    const shuffled = [down[2], down[0], down[1]].flatMap((one) => (one ? framesOf(one) : []));
    expect(sortFrames(shuffled).map((frame) => frame.instance.instanceNumber)).toEqual([1, 2, 3]);
  });

  it('is sorted by place where numbers are shuffled', () => {
    const set = displaySetsOf([
      instance({ number: 1, z: 0 }),
      instance({ number: 9, z: 2 }),
      instance({ number: 5, z: 4 }),
    ]);
    expect(set[0]?.frames.map((frame) => frame.instance.instanceNumber)).toEqual([1, 9, 5]);
  });

  it('that comes back to the same places is shown one time after the other', () => {
    const twice = [0, 1, 2, 3].map((i) => instance({ number: i + 1, z: (i % 2) * 3 }));
    const [set] = displaySetsOf(twice);
    expect(set?.frames.map((frame) => frame.instance.instanceNumber)).toEqual([1, 2, 3, 4]);
    expect(set?.noVolume).toBe('uneven');
  });

  it('keeps a scout and other orientations apart', () => {
    const sets = displaySetsOf([
      instance({ number: 1, more: { '00080008': of('CS', 'ORIGINAL', 'PRIMARY', 'LOCALIZER') } }),
      instance({ number: 2, z: 0 }),
      instance({ number: 3, z: 2 }),
      instance({ number: 4, cosines: [0, 1, 0, 0, 0, -1] }),
    ]);
    expect(sets.map(({ frames }) => frames.length)).toEqual([1, 2, 1]);
  });

  it('of views gives each its own pane: CC above MLO, the right breast on the left', () => {
    const view = (number: number, side: string, position: string) =>
      instance({
        number,
        modality: 'MG',
        more: { '00200062': of('CS', side), '00185101': of('CS', position) },
      });
    const sets = displaySetsOf([
      view(1, 'L', 'MLO'),
      view(2, 'R', 'MLO'),
      view(3, 'L', 'CC'),
      view(4, 'R', 'CC'),
    ]);
    expect(sets.map(({ description }) => description)).toEqual(['R-CC', 'L-CC', 'R-MLO', 'L-MLO']);
  });

  it('knows documents, films and curves by their SOP class', () => {
    const kind = (uid: string) => kindOf(readInstance({ ...item(), '00080016': of('UI', uid) }));
    expect(kind('1.2.840.10008.5.1.4.1.1.104.1')).toBe('pdf');
    expect(kind('1.2.840.10008.5.1.4.1.1.88.11')).toBe('text');
    expect(kind('1.2.840.10008.5.1.4.1.1.9.1.1')).toBe('waveform');
    expect(kind('1.2.840.10008.5.1.4.1.1.11.1')).toBe('presentation');
    expect(kind('1.2.840.10008.5.1.4.1.1.77.1.4.1')).toBe('video');
    expect(kind('1.2.840.10008.5.1.4.1.1.2')).toBe('images');
  });
});

describe('a volume', () => {
  it('needs parallel grey images, evenly spaced', () => {
    expect(stack(20).noVolume).toBeNull();
    expect(stack(2).noVolume).toBe('too-few');
    const frames = [0, 2, 4, 9].flatMap((z, i) => framesOf(instance({ number: i, z })));
    expect(volumeObstacle(frames)).toBe('uneven');
    const colour = [0, 2, 4].flatMap((z, i) =>
      framesOf(instance({ number: i, z, more: { '00280002': of('US', 3) } })),
    );
    expect(volumeObstacle(colour)).toBe('colour');
    const nowhere = [0, 2, 4].flatMap((z, i) =>
      framesOf(instance({ number: i, z, more: { '00200037': of('DS') } })),
    );
    expect(volumeObstacle(nowhere)).toBe('no-geometry');
  });
});

describe('an instance', () => {
  it('reads functional groups: each frame its own plane, window and spacing', () => {
    const group = (z: number, center: number) => ({
      '00209113': of('SQ', { '00200032': of('DS', 0, 0, z) }),
      '00289132': of('SQ', { '00281050': of('DS', center), '00281051': of('DS', 100) }),
    });
    const enhanced = readInstance(
      item({
        frames: 2,
        more: {
          '00200032': of('DS'),
          '00200037': of('DS'),
          '00280030': of('DS'),
          '52009229': of('SQ', {
            '00209116': of('SQ', { '00200037': of('DS', 1, 0, 0, 0, 1, 0) }),
            '00289110': of('SQ', { '00280030': of('DS', 0.7, 0.7), '00180050': of('DS', 3) }),
          }),
          '52009230': of('SQ', group(1, 10), group(4, 20)),
        },
      }),
    );
    const frames = framesOf(enhanced);
    expect(frames.map(({ plane }) => plane?.origin[2])).toEqual([1, 4]);
    expect(frames.map(({ windows }) => windows[0]?.center)).toEqual([10, 20]);
    expect(frames[0]?.spacing).toEqual({ kind: 'patient', mm: [0.7, 0.7] });
    expect(frames[0]?.sliceThickness).toBe(3);
  });

  it('does not take the detector for the patient', () => {
    const dx = { '00080016': of('UI', '1.2.840.10008.5.1.4.1.1.1.1'), '00181164': of('DS', 0.14, 0.14) };
    expect(spacingOf(dx)).toEqual({ kind: 'detector', mm: [0.14, 0.14] });
    expect(spacingOf({ ...dx, '00280030': of('DS', 0.14, 0.14) }).kind).toBe('detector');
    expect(spacingOf({ ...dx, '00280030': of('DS', 0.1, 0.1) })).toEqual({ kind: 'patient', mm: [0.1, 0.1] });
    expect(
      spacingOf({ ...dx, '00280030': of('DS', 0.14, 0.14), '00280A02': of('CS', 'FIDUCIAL') }).kind,
    ).toBe('patient');
    expect(spacingOf({ '00080016': of('UI', '1.2.840.10008.5.1.4.1.1.7') })).toEqual({ kind: 'none' });
  });

  it('survives values that are not what they should be', () => {
    const odd = readInstance({
      ...item(),
      '00280008': of('IS', 'many'),
      '00200037': of('DS', 1, 0, 0, 1, 0, 0),
      '00281051': of('DS', 0),
      '00280030': of('DS', '0.5', '0.5'),
      '00186011': of('SQ', null, 'x'),
    });
    expect(odd.frameCount).toBe(1);
    const [frame] = framesOf(odd);
    expect(frame?.plane).toBeNull();
    expect(frame?.windows).toEqual([]);
    expect(frame?.spacing).toEqual({ kind: 'patient', mm: [0.5, 0.5] });
  });

  it('writes names as people read them', () => {
    const study = readStudy({
      '00100010': of('PN', { Alphabetic: 'LEFÈVRE-DUBOIS^Marie-Hélène^^Dr' }),
      '00080060': of('CS', 'CT'),
    });
    expect(study.patientName).toBe('LEFÈVRE-DUBOIS Marie-Hélène');
    expect(study.modalities).toEqual(['CT']);
  });
});
