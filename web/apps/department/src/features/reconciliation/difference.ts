export interface Piece {
  readonly text: string;
  readonly isDifferent: boolean;
}

const MOST = 200;

/** Two texts cut into what they share and what they do not, letter by letter (longest common part). */
export function differing(a: string, b: string): readonly [readonly Piece[], readonly Piece[]] {
  const one = [...a].slice(0, MOST);
  const other = [...b].slice(0, MOST);
  const shared = commonLengths(one, other);
  if ((shared[0]?.[0] ?? 0) * 2 < Math.max(one.length, other.length)) {
    return [whole(one), whole(other)]; // single letters in common tell nothing
  }
  const marksOfOne: boolean[] = one.map(() => true);
  const marksOfOther: boolean[] = other.map(() => true);
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    if (same(one[i], other[j])) {
      marksOfOne[i] = one[i] !== other[j];
      marksOfOther[j] = one[i] !== other[j];
      i += 1;
      j += 1;
    } else if ((shared[i + 1]?.[j] ?? 0) >= (shared[i]?.[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return [pieces(one, marksOfOne), pieces(other, marksOfOther)];
}

function whole(letters: readonly string[]): readonly Piece[] {
  return letters.length === 0 ? [] : [{ text: letters.join(''), isDifferent: true }];
}

function same(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLocaleLowerCase() === b.toLocaleLowerCase();
}

function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table: number[][] = Array.from({ length: a.length + 1 }, () =>
    Array.from({ length: b.length + 1 }, () => 0),
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i] ?? [];
    const below = table[i + 1] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = same(a[i], b[j]) ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}

function pieces(letters: readonly string[], marks: readonly boolean[]): readonly Piece[] {
  const found: { text: string; isDifferent: boolean }[] = [];
  letters.forEach((letter, at) => {
    const isDifferent = marks[at] ?? false;
    const last = found.at(-1);
    if (last !== undefined && last.isDifferent === isDifferent) last.text += letter;
    else found.push({ text: letter, isDifferent });
  });
  return found;
}
