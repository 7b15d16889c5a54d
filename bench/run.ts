/** What `quorate bench` and `npm run bench` run. Each of these is a program by itself, and is loaded only where it is asked for. */
type Program = (args: readonly string[]) => Promise<number | undefined>;

const say = (text: string): void => void process.stdout.write(text);

const PROGRAMS = new Map<string | undefined, Program>([
  [
    'repair',
    async () => {
      await import('./repair/main.ts');
      return undefined;
    },
  ],
  ['compare', async (args) => (await import('./report/compare.ts')).compareCommand(args, say)],
  ['readme', async (args) => (await import('./report/readme-command.ts')).readmeCommand(args, say)],
]);

const [name, ...args] = process.argv.slice(2);
const program = PROGRAMS.get(name);
if (program === undefined) {
  await import('./command/main.ts');
} else {
  try {
    // Some set it themselves.
    process.exitCode = (await program(args)) ?? process.exitCode;
  } catch (error) {
    process.stderr.write(`quorate bench ${name}: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
