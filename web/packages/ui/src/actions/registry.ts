import type { Translated } from '../i18n';
import { isStroke, type Pressed, parseShortcut, type Shortcut, worksWhileTyping } from './shortcut';

/** Something a person can do here: declared once, found in menu, palette, shortcut and help. */
export interface Action {
  /** Unique, such as `go.studies`. */
  readonly id: string;
  readonly label: Translated;
  /** Heading in the palette and in the help. */
  readonly group?: Translated;
  /** Other words by which the palette finds it. */
  readonly keywords?: string;
  /** One or several ways of typing it: `mod+k`, `?`, `g s`. */
  readonly shortcut?: string | readonly string[];
  /** Known to the help and to the keyboard only. */
  readonly isHidden?: boolean;
  /** False: shown as not available now, and its shortcut does nothing. */
  readonly isEnabled?: boolean;
  readonly perform: () => void;
}

interface Entry {
  readonly action: Action;
  readonly shortcuts: readonly Shortcut[];
}

/** How long the second stroke of a sequence is waited for. */
const SEQUENCE_MS = 1500;

/** Every action that can be done now. A component's actions come and go with it. */
export class ActionRegistry {
  #entries: readonly Entry[] = [];
  readonly #listeners = new Set<() => void>();
  #pressed: { strokes: readonly Pressed[]; at: number } = { strokes: [], at: 0 };
  #snapshot: readonly Action[] = [];

  /** Add actions; a later one with the same id or shortcut comes before. Returns how to remove them. */
  add(actions: readonly Action[]): () => void {
    const entries: readonly Entry[] = actions.map((action) => {
      const texts = action.shortcut === undefined ? [] : [action.shortcut].flat();
      return { action, shortcuts: texts.map(parseShortcut) };
    });
    this.#set([...entries, ...this.#entries]);
    return () => this.#set(this.#entries.filter((entry) => !entries.includes(entry)));
  }

  #set(entries: readonly Entry[]): void {
    this.#entries = entries;
    const seen = new Set<string>();
    this.#snapshot = entries
      .map((entry) => entry.action)
      .filter((action) => !seen.has(action.id) && seen.add(action.id));
    for (const listener of this.#listeners) listener();
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The actions; the same array until something changes. */
  readonly list = (): readonly Action[] => this.#snapshot;

  /**
   * A key was pressed.
   *
   * @param isTyping Whether it goes into a field.
   * @param now Milliseconds.
   * @returns Whether it belonged to an action, done or begun.
   */
  press(pressed: Pressed, isTyping: boolean, now: number): boolean {
    if (['Shift', 'Control', 'Alt', 'Meta'].includes(pressed.key)) return false;
    const before = now - this.#pressed.at <= SEQUENCE_MS ? this.#pressed.strokes : [];
    for (const strokes of before.length > 0 ? [[...before, pressed], [pressed]] : [[pressed]]) {
      let begins = false;
      for (const { action, shortcuts } of this.#entries) {
        if (action.isEnabled === false) continue;
        for (const shortcut of shortcuts) {
          if (isTyping && !worksWhileTyping(shortcut)) continue;
          if (!strokes.every((one, index) => shortcut[index] !== undefined && isStroke(shortcut[index], one)))
            continue;
          if (shortcut.length === strokes.length) {
            this.#pressed = { strokes: [], at: now };
            action.perform();
            return true;
          }
          begins = true;
        }
      }
      if (begins) {
        this.#pressed = { strokes, at: now };
        return true;
      }
    }
    this.#pressed = { strokes: [], at: now };
    return false;
  }
}

/** Lower case without accents: how the palette compares. */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();
}
