export interface Found {
  readonly file: File;
  readonly path: string;
}

const MOST = 100_000;
const LEFT_OUT = /^(\.|Thumbs\.db$|desktop\.ini$|__MACOSX$|DICOMDIR$)/i;

/** Files of a choice, without those that are never images. */
export function chosen(list: FileList | readonly File[]): readonly Found[] {
  return [...list]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter((one) => !one.path.split('/').some((part) => LEFT_OUT.test(part)))
    .slice(0, MOST);
}

/** Files of what was dropped, those of folders within folders too. */
export async function dropped(transfer: DataTransfer): Promise<readonly Found[]> {
  // The entries must be taken before anything is waited for.
  const entries = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const found: Found[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Found[]): Promise<void> {
  if (LEFT_OUT.test(entry.name) || found.length >= MOST) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push({ file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const one of some) await walk(one, found);
  }
}
