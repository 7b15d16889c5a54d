#!/usr/bin/env node
import { runCli } from './cli/program.ts';
import { productVersion } from './product-version.ts';

process.exit(
  await runCli(process.argv.slice(2), {
    version: productVersion(),
    // Loaded only when a node runs: LMDB, HTTP and the rest take their time.
    runNode: async (config, id) => (await import('./run-node.ts')).runNode(config, id),
  }),
);
