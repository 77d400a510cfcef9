import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `make web-dev` serves the sources with a running server behind them.
const server = process.env['NEGATOSCOPE_SERVER'] ?? 'http://127.0.0.1:8080';
const behind = ['/api', '/dicom-web', '/wado', '/ohif', '/healthz', '/readyz'];

export default defineConfig({
  plugins: [react()],
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
