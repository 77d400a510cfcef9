import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/{src,test}/**/*.test.{ts,tsx}', 'apps/*/src/**/*.test.{ts,tsx}'],
    // A test of components says so itself: `// @vitest-environment jsdom`.
    environment: 'node',
    testTimeout: 30_000,
    setupFiles: ['./vitest.setup.ts'],
  },
});
