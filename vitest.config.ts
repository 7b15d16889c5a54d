import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 30_000,
    // The cluster tests start real processes: more workers than cores only make them wait for each other.
    maxWorkers: 2,
    reporters: ['default', new ClosingLine()],
  },
});
