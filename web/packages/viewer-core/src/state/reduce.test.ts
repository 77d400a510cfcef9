import { describe, expect, it } from 'vitest';
import type { DisplaySet } from '../dicom/displaySets';
import { readStudy } from '../dicom/instance';
import { element, item, stack } from '../testing';
import { toRange } from '../windowing';
import { INITIAL, paneAt, type ViewerState } from './model';
import { type Command, reduce } from './reduce';
import { createStore } from './store';

const after = (...commands: Command[]): ViewerState => commands.reduce(reduce, INITIAL);
const study = { ...readStudy(item()), studyInstanceUID: '1.2' };
const opened = (...sets: DisplaySet[]): Command[] => [
  { type: 'studyOpened', study },
  { type: 'seriesLoaded', study: '1.2', sets },
];
const long = stack(40);
const short = stack(20, { series: '1.2.4', step: 4 });
const elsewhere = stack(30, { series: '1.2.5', forUID: '1.10' });

describe('opening a study', () => {
  it('shows the first series, a volume in its middle', () => {
    const state = after(...opened(long));
    expect(paneAt(state, 0)).toMatchObject({ displaySetId: long.id, index: 20 });
  });

  it('fills panes as series arrive, without moving those that are shown', () => {
    const state = after(
      { type: 'layout', layout: '1x2' },
      ...opened(long),
      { type: 'goTo', pane: 0, index: 3 },
      { type: 'seriesLoaded', study: '1.2', sets: [short] },
    );
    expect(paneAt(state, 0)).toMatchObject({ displaySetId: long.id, index: 3 });
    expect(paneAt(state, 1).displaySetId).toBe(short.id);
  });

  it('hangs two views side by side', () => {
    const views = ['1.2.7', '1.2.8'].map((series) => stack(1, { series, modality: 'DX' }));
    expect(after(...opened(...views)).layout).toBe('1x2');
  });

  it('leaves documents out of the panes while there are pictures', () => {
    const report: DisplaySet = { ...long, id: 'sr', kind: 'text', frames: [], noVolume: 'not-images' };
    expect(
      paneAt(after({ type: 'layout', layout: '1x2' }, ...opened(long, report)), 1).displaySetId,
    ).toBeNull();
    expect(paneAt(after(...opened(report)), 0).displaySetId).toBe('sr');
  });

  it('forgets all of a study that is closed', () => {
    const state = after(
      ...opened(long),
      { type: 'window', pane: 0, voi: { lower: 0, upper: 1 } },
      { type: 'studyClosed', study: '1.2' },
    );
    expect(state.displaySets).toEqual({});
    expect(state.remembered).toEqual({});
    expect(paneAt(state, 0).displaySetId).toBeNull();
  });
});

describe('what a person did to a series', () => {
  it('is there again when the series comes back', () => {
    const voi = toRange({ center: 40, width: 80 });
    const state = after(
      ...opened(long, short),
      { type: 'window', pane: 0, voi },
      { type: 'goTo', pane: 0, index: 7 },
      { type: 'place', pane: 0, displaySetId: short.id },
      { type: 'place', pane: 0, displaySetId: long.id },
    );
    expect(paneAt(state, 0)).toMatchObject({ index: 7, presentation: { voi } });
  });

  it('is not lost by another layout', () => {
    const state = after(
      ...opened(long, short),
      { type: 'turn', pane: 0, degrees: -90 },
      { type: 'layout', layout: '2x2' },
      { type: 'layout', layout: '1x1' },
    );
    expect(paneAt(state, 0).presentation.rotation).toBe(270);
  });
});

describe('scrolling', () => {
  it('stops at both ends', () => {
    const state = after(...opened(long), { type: 'scroll', pane: 0, by: 999 });
    expect(paneAt(state, 0).index).toBe(39);
    expect(paneAt(reduce(state, { type: 'scroll', pane: 0, by: -999 }), 0).index).toBe(0);
  });

  it('takes the linked series to the same place of the patient', () => {
    const state = after(
      { type: 'layout', layout: '1x2' },
      ...opened(long, short),
      { type: 'link', isLinked: true },
      { type: 'goTo', pane: 0, index: 30 },
    );
    expect(paneAt(state, 1).index).toBe(15); // 60 mm at 4 mm a step
  });

  it('keeps the offset where the two have no common space', () => {
    const state = after(
      { type: 'layout', layout: '1x2' },
      ...opened(long, elsewhere),
      { type: 'goTo', pane: 1, index: 5 },
      { type: 'link', isLinked: true },
      { type: 'scroll', pane: 0, by: 3 },
    );
    expect([paneAt(state, 0).index, paneAt(state, 1).index]).toEqual([23, 8]);
  });

  it('follows whichever pane is moved', () => {
    const state = after(
      { type: 'layout', layout: '1x2' },
      ...opened(long, short),
      { type: 'link', isLinked: true },
      { type: 'goTo', pane: 1, index: 2 },
    );
    expect(paneAt(state, 0).index).toBe(4);
  });

  it('zooms linked panes together', () => {
    const state = after(
      { type: 'layout', layout: '1x2' },
      ...opened(long, short),
      { type: 'link', isLinked: true },
      { type: 'present', pane: 0, change: { zoom: 2 } },
    );
    expect(paneAt(state, 1).presentation.zoom).toBe(2);
  });
});

describe('films', () => {
  const playing: Command[] = [...opened(stack(3, { series: '1.2.9' })), { type: 'goTo', pane: 0, index: 2 }];
  const play = (loop: 'loop' | 'sweep' | 'once') =>
    after(
      ...playing,
      { type: 'cine', pane: 0, change: { isPlaying: true, loop } },
      { type: 'tick', pane: 0 },
    );

  it('begin again, turn round, or stop', () => {
    expect(paneAt(play('loop'), 0).index).toBe(0);
    expect(paneAt(play('sweep'), 0)).toMatchObject({ index: 1, cine: { direction: -1, isPlaying: true } });
    expect(paneAt(play('once'), 0)).toMatchObject({ index: 2, cine: { isPlaying: false } });
  });

  it('have a speed that a screen can show', () => {
    const speed = (framesPerSecond: number) =>
      paneAt(after(...playing, { type: 'cine', pane: 0, change: { framesPerSecond } }), 0).cine
        .framesPerSecond;
    expect([speed(-3), speed(500), speed(24)]).toEqual([1, 60, 24]);
  });
});

describe('three planes', () => {
  it('open on the active series, with the cross in hand, and leave it behind', () => {
    const state = after(...opened(long), { type: 'openVolume', projection: 'maximum' });
    expect(state.volume).toMatchObject({ displaySetId: long.id, projection: 'maximum', slabMm: 20 });
    expect(state.tool).toBe('crosshair');
    const back = reduce(state, { type: 'closeVolume' });
    expect([back.volume, back.tool]).toEqual([null, 'window']);
  });

  it('are not opened without a warning where they are too large, and never beyond the texture', () => {
    const limits = { maxTextureSize: 2048, maxBytes: 1000 };
    const asked = after(...opened(long), { type: 'limits', limits }, { type: 'openVolume' });
    expect([asked.volume, asked.dialog]).toEqual([null, 'volumeWarning']);
    expect(reduce(asked, { type: 'openVolume', isConfirmed: true }).volume).not.toBeNull();
    const small = reduce(asked, { type: 'limits', limits: { maxTextureSize: 16, maxBytes: 1e12 } });
    expect(reduce(small, { type: 'openVolume', isConfirmed: true }).volume).toBeNull();
  });

  it('are not cut through what is no volume', () => {
    expect(after(...opened(stack(2)), { type: 'openVolume' }).volume).toBeNull();
  });
});

describe('the store', () => {
  it('does commands of its listeners after the one that is under way', () => {
    const store = createStore();
    const seen: string[] = [];
    store.subscribe((state) => {
      seen.push(state.tool);
      if (state.tool === 'zoom') store.dispatch({ type: 'tool', tool: 'pan' });
    });
    store.dispatch({ type: 'tool', tool: 'zoom' });
    expect(seen).toEqual(['zoom', 'pan']);
  });

  it('goes on after a listener that fails', () => {
    const store = createStore();
    const end = store.subscribe(() => {
      throw new Error('broken');
    });
    expect(() => store.dispatch({ type: 'tool', tool: 'zoom' })).toThrow('broken');
    end();
    store.dispatch({ type: 'tool', tool: 'pan' });
    expect(store.get().tool).toBe('pan');
  });

  it('ignores what does not exist', () => {
    const state = after(...opened(long));
    for (const command of [
      { type: 'place', pane: 0, displaySetId: 'none' },
      { type: 'place', pane: 9, displaySetId: long.id },
      { type: 'activate', pane: 7 },
      { type: 'goTo', pane: 3, index: 4 },
      { type: 'tool', tool: 'crosshair' },
      { type: 'seriesLoaded', study: '9.9', sets: [short] },
    ] satisfies Command[]) {
      expect(reduce(state, command)).toBe(state);
    }
    expect(element('UI').Value).toEqual([]);
  });
});
