/** What `quorate bench` and `npm run bench` run. Each of these is a program by itself. */
const PROGRAMS: ReadonlyMap<string | undefined, () => Promise<unknown>> = new Map([
  ['repair', () => import('./repair/main.ts')],
]);

await (PROGRAMS.get(process.argv[2]) ?? (() => import('./command/main.ts')))();
