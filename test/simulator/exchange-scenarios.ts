import type { Scenarios } from './hint-scenarios.ts';

/** How owners find together again. */
export const EXCHANGE_SCENARIOS: Scenarios = [];
