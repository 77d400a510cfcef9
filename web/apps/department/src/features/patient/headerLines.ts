import type { Element, Header } from '@negatoscope/api-client';
import { folded } from '@negatoscope/ui';

/** A line of the tree: where it stands, and what the other instance has there. */
export interface HeaderLine {
  readonly element: Element;
  /** Tags and item numbers that lead here; the same place in another instance has the same. */
  readonly path: string;
  /** Paths of the lines it stands under. */
  readonly parents: readonly string[];
  readonly hasChildren: boolean;
  readonly isPrivate: boolean;
  readonly other: string | null;
  readonly differs: boolean;
  readonly words: string;
}

/** Elements in their order as a tree, beside those of another instance if there is one. */
export function linesOf(header: Header, other: Header | null): readonly HeaderLine[] {
  const here = placed(header.elements);
  if (other === null)
    return here.map(({ element, path, parents }, at) =>
      line(element, path, parents, here[at + 1]?.element, null, false),
    );
  const there = new Map(placed(other.elements).map((one) => [one.path, one.element]));
  const lines = here.map(({ element, path, parents }, at) => {
    const same = there.get(path);
    there.delete(path);
    const differs = same === undefined || same.value !== element.value || same.vr !== element.vr;
    return line(element, path, parents, here[at + 1]?.element, same?.value ?? '', differs);
  });
  const alone = placed(other.elements).filter((one) => there.has(one.path));
  for (const { element, path, parents } of alone)
    lines.push({ ...line({ ...element, value: '' }, path, parents, undefined, element.value, true) });
  return lines;
}

function line(
  element: Element,
  path: string,
  parents: readonly string[],
  next: Element | undefined,
  other: string | null,
  differs: boolean,
): HeaderLine {
  const isPrivate = element.tag !== '' && Number.parseInt(element.tag[4] ?? '0', 16) % 2 === 1;
  const words = [
    element.tag,
    element.tag.replace(/\W/g, ''),
    element.keyword,
    element.name,
    element.creator,
    element.value,
    other,
  ];
  return {
    element,
    path,
    parents,
    hasChildren: next !== undefined && next.depth > element.depth,
    isPrivate,
    other,
    differs,
    words: folded(words.filter((one) => one !== null && one !== '').join(' ')),
  };
}

function placed(
  elements: readonly Element[],
): { element: Element; path: string; parents: readonly string[] }[] {
  const stack: { depth: number; path: string }[] = [];
  return elements.map((element) => {
    while ((stack.at(-1)?.depth ?? -1) >= element.depth) stack.pop();
    const above = stack.at(-1)?.path ?? '';
    const path = `${above}/${element.tag === '' ? element.number : element.tag}`;
    const parents = stack.map((one) => one.path);
    stack.push({ depth: element.depth, path });
    return { element, path, parents };
  });
}

/** Lines that hold every word, with those they stand under. */
export function matching(
  lines: readonly HeaderLine[],
  text: string,
  only: { readonly privates: boolean; readonly differences: boolean },
): readonly HeaderLine[] {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (words.length === 0 && !only.privates && !only.differences) return lines;
  const kept = new Set<string>();
  for (const one of lines) {
    if (only.privates && !one.isPrivate) continue;
    if (only.differences && !one.differs) continue;
    if (!words.every((word) => one.words.includes(word))) continue;
    kept.add(one.path);
    for (const parent of one.parents) kept.add(parent);
  }
  return lines.filter((one) => kept.has(one.path));
}
