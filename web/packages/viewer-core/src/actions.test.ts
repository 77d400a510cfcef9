import { describe, expect, it } from 'vitest';
import { ACTIONS, action, actionsFor, type Effects, GROUPS, run } from './actions';
import { readStudy } from './dicom/instance';
import { messagesFor } from './messages';
import { readPreferences, started } from './preferences';
import { keymap, keysOf, readBindings, readShortcut, sayShortcut } from './shortcuts';
import { INITIAL, type ViewerState } from './state/model';
import { type Command, reduce } from './state/reduce';
import { item, stack } from './testing';

const effects = new Proxy({}, { get: () => () => undefined }) as Effects;
const key = (press: Partial<Parameters<typeof readShortcut>[0]>) =>
  readShortcut({
    key: '',
    code: '',
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    ...press,
  });
const state = (
  [
    { type: 'studyOpened', study: { ...readStudy(item()), studyInstanceUID: '1.2' } },
    { type: 'seriesLoaded', study: '1.2', sets: [stack(10)] },
  ] satisfies Command[]
).reduce<ViewerState>(reduce, INITIAL);

describe('the registry', () => {
  it('gives every action words in both languages, a group and a key of its own', () => {
    const seen = new Map<string, string>();
    for (const one of ACTIONS) {
      for (const language of ['en', 'fr']) expect(messagesFor(language)[one.label], one.id).toBeTruthy();
      expect(GROUPS).toContain(one.group);
      expect(one.keys.length, one.id).toBeGreaterThan(0);
      for (const shortcut of one.keys) {
        expect(seen.get(shortcut), `${shortcut} of ${one.id}`).toBeUndefined();
        seen.set(shortcut, one.id);
      }
    }
  });

  it('says why an action cannot be done, and does nothing then', () => {
    const done: Command[] = [];
    const context = { state: INITIAL, dispatch: (command: Command) => done.push(command), effects };
    expect(run(action('tool.length'), context)).toBe('why.noImages');
    expect(run(action('volume.mpr'), { ...context, state: { ...state, panes: INITIAL.panes } })).toBe(
      'why.noImages',
    );
    expect(done).toEqual([]);
    expect(run(action('tool.length'), { ...context, state })).toBeNull();
    expect(done).toEqual([{ type: 'tool', tool: 'length' }]);
  });

  it('can do every action on a CT without failing', () => {
    for (const one of ACTIONS) {
      let next = state;
      run(one, {
        state,
        dispatch: (command) => {
          next = reduce(next, command);
        },
        effects,
      });
      expect(next.panes).toHaveLength(4);
    }
  });

  it('offers clinicians a part of it', () => {
    const basic = actionsFor('basic').map(({ id }) => id);
    expect(basic).toContain('tool.length');
    expect(basic).not.toContain('volume.mpr');
    expect(actionsFor('full')).toHaveLength(ACTIONS.length);
    expect(() => action('nothing')).toThrow(RangeError);
  });
});

describe('shortcuts', () => {
  it('are digits on a French keyboard too', () => {
    expect(key({ key: '&', code: 'Digit1' })).toBe('1');
    expect(key({ key: '1', code: 'Digit1', shiftKey: true })).toBe('Shift+1');
    expect(key({ key: '2', code: 'Numpad2' })).toBe('2');
  });

  it('name signs by what they type and letters without their case', () => {
    expect(key({ key: '?', code: 'KeyM', shiftKey: true })).toBe('?');
    expect(key({ key: 'Z', code: 'KeyW', shiftKey: true })).toBe('Shift+Z');
    expect(key({ key: 'z', code: 'KeyW', metaKey: true })).toBe('Ctrl+Z');
    expect(key({ key: ' ', code: 'Space' })).toBe('Space');
    expect(key({ key: 'Shift', code: 'ShiftLeft', shiftKey: true })).toBeNull();
  });

  it('can be chosen; the action that had the key loses it', () => {
    const map = keymap({ 'tool.length': ['W'] });
    expect(map.get('W')?.id).toBe('tool.length');
    expect(map.get('L')).toBeUndefined();
    expect(keysOf(action('tool.length'), { 'tool.length': ['Q'] })).toEqual(['Q']);
  });

  it('are printed as on the keys', () => {
    expect(sayShortcut('Shift+ArrowUp', 'fr-FR')).toBe('Maj + ↑');
    expect(sayShortcut('Space', 'fr')).toBe('Espace');
    expect(sayShortcut('+', 'en')).toBe('+');
  });
});

describe('preferences', () => {
  it('take what can be understood and nothing else', () => {
    expect(readPreferences(null).layout).toBe('1x1');
    const read = readPreferences({
      layout: '9x9',
      overlays: { text: false, scale: 'yes' },
      shortcuts: { 'tool.length': ['Q'], nothing: ['A'], 'tool.angle': [1] },
      transfer: 'stored',
    });
    expect(read).toMatchObject({
      layout: '1x1',
      overlays: { text: false },
      shortcuts: { 'tool.length': ['Q'] },
      transfer: 'stored',
    });
    expect(readBindings('x')).toEqual({});
    expect(started(INITIAL, read).overlays).toMatchObject({ text: false, scale: true });
  });
});
