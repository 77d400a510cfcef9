/** Keys to actions; each person may choose their own. */

import { ACTIONS, type ViewerAction } from './actions';

export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const MODIFIERS = new Set(['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'Dead', 'Process', 'Unidentified']);

/** A key press as text: ``Ctrl+Shift+Z``, ``ArrowUp``, ``5``; null for a modifier alone.
 *
 * Digits of the upper row are digits on any keyboard: a French one types & é " with them. Signs are named by what they type.
 */
export function readShortcut(press: KeyPress): string | null {
  if (MODIFIERS.has(press.key)) return null;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(press.code)?.[1];
  const isLetter = /^\p{L}$/u.test(press.key);
  const named = digit ?? (press.key === ' ' ? 'Space' : isLetter ? press.key.toUpperCase() : press.key);
  const isSign = digit === undefined && press.key.length === 1 && !isLetter && press.key !== ' ';
  const parts = [
    press.ctrlKey || press.metaKey ? 'Ctrl' : '',
    press.altKey && !isSign ? 'Alt' : '',
    press.shiftKey && !isSign ? 'Shift' : '',
    named,
  ];
  return parts.filter(Boolean).join('+');
}

/** Chosen keys by action; those that are not named keep their own. */
export type Bindings = Readonly<Record<string, readonly string[]>>;

/** Keys of an action. */
export const keysOf = (one: ViewerAction, bindings: Bindings = {}): readonly string[] =>
  bindings[one.id] ?? one.keys;

/** Which action each key does. A key chosen by a person is taken from the action that had it. */
export function keymap(
  bindings: Bindings = {},
  actions: readonly ViewerAction[] = ACTIONS,
): ReadonlyMap<string, ViewerAction> {
  const map = new Map<string, ViewerAction>();
  const chosen = actions.filter(({ id }) => bindings[id] !== undefined);
  for (const one of [...actions.filter(({ id }) => bindings[id] === undefined), ...chosen]) {
    for (const key of keysOf(one, bindings)) map.set(key, one);
  }
  return map;
}

/** Bindings that can be used from what was stored: unknown actions and strange values are left out. */
export function readBindings(stored: unknown): Bindings {
  if (typeof stored !== 'object' || stored === null) return {};
  const known = new Set(ACTIONS.map(({ id }) => id));
  const found: Record<string, readonly string[]> = {};
  for (const [id, keys] of Object.entries(stored)) {
    if (!known.has(id) || !Array.isArray(keys) || keys.length > 4) continue;
    if (keys.every((key) => typeof key === 'string' && key.length > 0 && key.length <= 32)) found[id] = keys;
  }
  return found;
}

const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fr: {
    Shift: 'Maj',
    Space: 'Espace',
    ArrowUp: '↑',
    ArrowDown: '↓',
    ArrowLeft: '←',
    ArrowRight: '→',
    PageUp: 'Page préc.',
    PageDown: 'Page suiv.',
    Home: 'Début',
    End: 'Fin',
    Delete: 'Suppr',
    Escape: 'Échap',
    Backspace: 'Retour arr.',
  },
  en: {
    ArrowUp: '↑',
    ArrowDown: '↓',
    ArrowLeft: '←',
    ArrowRight: '→',
    PageUp: 'Page Up',
    PageDown: 'Page Down',
    Escape: 'Esc',
  },
};

/** A shortcut as it is printed on keys. */
export function sayShortcut(shortcut: string, language: string): string {
  const names = NAMES[language.slice(0, 2)] ?? NAMES['en'] ?? {};
  const parts = shortcut === '+' ? ['+'] : shortcut.split('+');
  return parts.map((part) => names[part] ?? part).join(' + ');
}
