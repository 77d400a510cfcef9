import { describe, expect, it } from 'vitest';
import { type Action, ActionRegistry } from './registry';
import { type Pressed, parseShortcut } from './shortcut';

function key(name: string, held: Partial<Pressed> = {}): Pressed {
  return { key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

function recording() {
  const done: string[] = [];
  const action = (id: string, shortcut: string, more: Partial<Action> = {}): Action => ({
    id,
    label: { en: id, fr: id },
    shortcut,
    perform: () => done.push(id),
    ...more,
  });
  return { done, action, registry: new ActionRegistry() };
}

describe('ActionRegistry', () => {
  it('does what a stroke stands for, Command counting as Control', () => {
    const { done, action, registry } = recording();
    registry.add([action('palette', 'mod+k'), action('help', '?'), action('invert', 'i')]);
    expect(registry.press(key('k', { ctrlKey: true }), false, 0)).toBe(true);
    expect(registry.press(key('k', { metaKey: true }), false, 0)).toBe(true);
    expect(registry.press(key('?', { shiftKey: true }), false, 0)).toBe(true);
    expect(registry.press(key('I', { shiftKey: true }), false, 0)).toBe(false);
    expect(registry.press(key('k'), false, 0)).toBe(false);
    expect(done).toEqual(['palette', 'palette', 'help']);
  });

  it('waits for the rest of a sequence, for a while', () => {
    const { done, action, registry } = recording();
    registry.add([action('studies', 'g s'), action('save', 's')]);
    registry.press(key('g'), false, 0);
    registry.press(key('s'), false, 100);
    registry.press(key('g'), false, 200);
    registry.press(key('s'), false, 5000);
    registry.press(key('g'), false, 6000);
    registry.press(key('x'), false, 6100);
    registry.press(key('s'), false, 6200);
    expect(done).toEqual(['studies', 'save', 'save']);
  });

  it('leaves letters to the field somebody writes in', () => {
    const { done, action, registry } = recording();
    registry.add([action('help', '?'), action('palette', 'mod+k')]);
    expect(registry.press(key('?'), true, 0)).toBe(false);
    expect(registry.press(key('k', { ctrlKey: true }), true, 0)).toBe(true);
    expect(done).toEqual(['palette']);
  });

  it('prefers what came last, and forgets what went', () => {
    const { done, action, registry } = recording();
    registry.add([action('page', 'r')]);
    const remove = registry.add([action('dialog', 'r'), action('page', 'r', { isEnabled: false })]);
    registry.press(key('r'), false, 0);
    expect(registry.list().map((one) => one.id)).toEqual(['dialog', 'page']);
    remove();
    registry.press(key('r'), false, 0);
    expect(done).toEqual(['dialog', 'page']);
  });

  it('refuses a shortcut that is none', () => {
    expect(() => parseShortcut('super+k')).toThrow('not a shortcut');
  });
});
