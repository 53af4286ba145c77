import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Two cores: more workers than that only disturb the tests that start real processes.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['packages/*/test/**/*.test.ts', 'demo/test/**/*.test.ts'] },
      },
      { extends: true, test: { name: 'structure', include: ['e2e/structure/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'faults', include: ['e2e/faults/**/*.test.ts'], testTimeout: 120_000 },
      },
    ],
  },
})
