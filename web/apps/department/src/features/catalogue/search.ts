export interface CatalogueSearch {
  readonly text?: string;
  readonly modality?: string;
  /** Absent: what can be ordered. */
  readonly shown?: 'inactive' | 'all';
  /** The procedure that is open; 0: a new one. */
  readonly open?: number;
}

export function readSearch(given: Record<string, unknown>): CatalogueSearch {
  const text = String(given['text'] ?? '').slice(0, 200);
  const modality = String(given['modality'] ?? '').slice(0, 16);
  const shown = given['shown'];
  const open = Number(given['open'] ?? Number.NaN);
  return {
    ...(text === '' ? {} : { text }),
    ...(modality === '' ? {} : { modality }),
    ...(shown === 'inactive' || shown === 'all' ? { shown } : {}),
    ...(Number.isSafeInteger(open) && open >= 0 ? { open } : {}),
  };
}
