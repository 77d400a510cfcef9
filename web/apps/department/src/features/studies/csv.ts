type Cell = string | number | null | undefined;

/** A table as text for spreadsheets: with the mark that says UTF-8, and no cell that could be a formula. */
export function csvOf(head: readonly string[], rows: readonly (readonly Cell[])[], separator = ','): string {
  const line = (cells: readonly Cell[]): string =>
    `${cells.map((one) => cell(one, separator)).join(separator)}\r\n`;
  return `\uFEFF${line(head)}${rows.map(line).join('')}`;
}

function cell(value: Cell, separator: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /["\r\n]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hand a text to the browser as a file. */
export function saveText(text: string, name: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
