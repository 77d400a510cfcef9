/** One key with its modifiers. */
export interface Stroke {
  /** `KeyboardEvent.key` in lower case: the letter the keyboard gives, wherever it lies. */
  readonly key: string;
  /** Control, or Command on a Mac. */
  readonly mod: boolean;
  readonly shift: boolean;
  readonly alt: boolean;
}

/** Strokes one after the other, such as `g s`. */
export type Shortcut = readonly Stroke[];

const NAMES: Readonly<Record<string, string>> = { esc: 'escape', space: ' ', plus: '+' };

/** Whether Shift is part of the stroke, or only of how the keyboard reaches the character (`?`). */
function countsShift(key: string): boolean {
  return key.length > 1 || key === ' ' || (key >= 'a' && key <= 'z');
}

/**
 * Read a shortcut as it is declared: `mod+k`, `shift+enter`, `?`, `g s`.
 *
 * @throws {Error} It names no key.
 */
export function parseShortcut(text: string): Shortcut {
  return text
    .trim()
    .split(/\s+/)
    .map((stroke) => {
      const parts = stroke.toLowerCase().split('+');
      const last = parts.pop() ?? '';
      const key = NAMES[last] ?? last;
      const rest = parts.filter((part) => part !== '');
      if (key === '' || rest.some((part) => !['mod', 'shift', 'alt'].includes(part))) {
        throw new Error(`not a shortcut: ${text}`);
      }
      return { key, mod: rest.includes('mod'), shift: rest.includes('shift'), alt: rest.includes('alt') };
    });
}

/** What was pressed. */
export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export function isStroke(stroke: Stroke, pressed: Pressed): boolean {
  const key = pressed.key.toLowerCase();
  return (
    key === stroke.key &&
    stroke.mod === (pressed.ctrlKey || pressed.metaKey) &&
    stroke.alt === pressed.altKey &&
    (!countsShift(key) || stroke.shift === pressed.shiftKey)
  );
}

/** Whether the shortcut may be meant while somebody writes in a field. */
export function worksWhileTyping(shortcut: Shortcut): boolean {
  const first = shortcut[0];
  return first !== undefined && (first.mod || first.alt || /^f\d+$/.test(first.key));
}
