import { describe, expect, it } from 'vitest';

const modules: Readonly<Record<string, Record<string, unknown>>> = import.meta.glob(
  ['./**/*.ts', '../../../packages/*/src/**/*.ts', '!**/*.test.ts', '!**/main.tsx'],
  { eager: false },
) as never;

interface Catalogs {
  readonly en: Readonly<Record<string, unknown>>;
  readonly fr: Readonly<Record<string, unknown>>;
}

function isCatalogs(value: unknown): value is Catalogs {
  return (
    typeof value === 'object' &&
    value !== null &&
    'en' in value &&
    'fr' in value &&
    typeof value.en === 'object'
  );
}

function placeholders(message: unknown): readonly string[] {
  const text = typeof message === 'string' ? message : Object.values(message as object).join(' ');
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort();
}

describe('catalogs of messages', () => {
  for (const [path, load] of Object.entries(modules).filter(([path]) =>
    /messages|roles|passwords|problems/i.test(path),
  )) {
    it(`${path} says the same in both languages`, async () => {
      const module = await (load as unknown as () => Promise<Record<string, unknown>>)();
      for (const catalogs of Object.values(module).filter(isCatalogs)) {
        expect(Object.keys(catalogs.fr).sort()).toEqual(Object.keys(catalogs.en).sort());
        for (const [key, message] of Object.entries(catalogs.en)) {
          expect([key, placeholders(catalogs.fr[key])]).toEqual([key, placeholders(message)]);
        }
      }
    });
  }
});
