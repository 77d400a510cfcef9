// Writes a brotli and a gzip form beside every file of the build that grows smaller by it.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const dist = process.env.NEGATOSCOPE_WEB_DIST ?? '../../../src/negatoscope/entrypoints/web/site/dist';
const SMALLEST_BYTES = 512;
const TEXT = /\.(js|css|html|svg|json|wasm|map|txt)$/;
// The best brotli takes minutes on megabytes of viewer and codecs; below it costs a second.
const SLOW_BYTES = 1_000_000;

const forms = [
  ['.gz', (data) => promisify(gzip)(data, { level: 9 })],
  [
    '.br',
    (data) =>
      promisify(brotliCompress)(data, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: data.length > SLOW_BYTES ? 9 : 11,
          [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
        },
      }),
  ],
];

const entries = await readdir(dist, { recursive: true, withFileTypes: true });
const files = entries
  .filter((one) => one.isFile() && TEXT.test(one.name))
  .map((one) => join(one.parentPath, one.name));

async function work() {
  for (let path = files.pop(); path !== undefined; path = files.pop()) {
    const data = await readFile(path);
    if (data.length < SMALLEST_BYTES) continue;
    for (const [suffix, compress] of forms) {
      const small = await compress(data);
      if (small.length < data.length) await writeFile(path + suffix, small);
    }
  }
}

await Promise.all(cpus().map(work));
