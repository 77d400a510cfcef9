import { createHash } from 'node:crypto';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { licences } from './licences';

// `make web-dev` serves the sources with a running server behind them.
const server = process.env['NEGATOSCOPE_SERVER'] ?? 'http://127.0.0.1:8080';
const behind = ['/api', '/dicom-web', '/wado', '/ohif', '/healthz', '/readyz', '/fhir'];

/** Another name for every build: of what it is made from, or of the moment. */
const build = createHash('sha256')
  .update(process.env['NEGATOSCOPE_WEB_SOURCES'] ?? String(Date.now()))
  .digest('hex')
  .slice(0, 16);

/** Tells pages that are open when the server was given a newer build. */
const buildName: Plugin = {
  name: 'build-name',
  apply: 'build',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'build.json', source: JSON.stringify({ build }) });
  },
};

export default defineConfig({
  plugins: [react(), buildName, licences('../..')],
  define: { __BUILD__: JSON.stringify(build) },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['@cornerstonejs/dicom-image-loader'], include: [] },
  build: {
    target: 'es2022',
    outDir: process.env['NEGATOSCOPE_WEB_DIST'] ?? '../../../src/negatoscope/entrypoints/web/site/dist',
    emptyOutDir: true,
    manifest: 'manifest.json',
    // Nothing inline: the content security policy of the pages allows none.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
  },
  server: {
    proxy: Object.fromEntries(
      behind.map((path) => [path, { target: server, changeOrigin: false, headers: { origin: server } }]),
    ),
  },
});
