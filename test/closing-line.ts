import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** What a run came to. A test file that could not be loaded, and an error outside of any test, count as failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Prints the run's last line, `N passed, N failed` and, where there are any, `, N skipped`, alone and without colours. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    process.stdout.write(`${closingLine(tallyOf(modules, unhandledErrors.length))}\n`);
  }
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function tallyOf(modules: readonly TestModule[], unhandled: number): Tally {
  const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
  const count = (state: string) => states.filter((other) => other === state).length;
  const broken = modules.reduce((sum, module) => sum + errorsOutsideTests(module), 0);
  // A test that is still pending when the run ends has not passed.
  return {
    passed: count('passed'),
    failed: count('failed') + count('pending') + broken + unhandled,
    skipped: count('skipped'),
  };
}

/** Errors of the file itself and of its suites' hooks. */
function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()];
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0);
}
