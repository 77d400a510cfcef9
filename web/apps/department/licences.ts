import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly homepage: string;
  readonly text: string;
}

const TEXT = /^(licen[cs]e|copying|notice)/i;
const PREFIX = 'node_modules/';

/**
 * The packages that pages may carry, with their licences: everything the lock file names that is not
 * for development or another machine. Written beside the pages for the page of licences.
 */
function packages(root: string): readonly Package[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<
      Record<
        string,
        { version?: string; license?: string; dev?: boolean; link?: boolean; optional?: boolean }
      >
    >;
  };
  const found: Package[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    const at = path.lastIndexOf(PREFIX);
    if (at < 0 || entry.dev === true || entry.link === true || entry.optional === true) continue;
    found.push({
      name: path.slice(at + PREFIX.length),
      version: entry.version ?? '',
      licence: entry.license ?? licenceOf(join(root, path)),
      homepage: homepageOf(join(root, path)),
      text: textsOf(join(root, path)),
    });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** As old packages say it: an object, or several. */
function licenceOf(folder: string): string {
  try {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      license?: unknown;
      licenses?: unknown;
    };
    const told = [about.licenses ?? about.license].flat() as readonly unknown[];
    const types = told.map((one) =>
      typeof one === 'object' && one !== null && 'type' in one ? String(one.type) : '',
    );
    return types.filter((one) => one !== '').join(' OR ') || 'not stated';
  } catch {
    return 'not stated';
  }
}

function homepageOf(folder: string): string {
  try {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { homepage?: unknown };
    return typeof about.homepage === 'string' && about.homepage.startsWith('https://') ? about.homepage : '';
  } catch {
    return '';
  }
}

function textsOf(folder: string): string {
  try {
    return readdirSync(folder)
      .filter((name) => TEXT.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n\n');
  } catch {
    return '';
  }
}

/** Writes `licences.json` into the build. */
export function licences(root: string): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'licences.json',
        source: JSON.stringify(packages(root)),
      });
    },
  };
}
