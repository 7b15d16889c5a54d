import { describe, expect, it } from 'vitest';
import { type CasInput, type CasOutput, casRegister } from './cas-register.ts';
import { checkLinearizable } from './check-linearizable.ts';
import { describeViolation } from './describe-violation.ts';
import { keyValue } from './key-value.ts';
import type { Model, Operation } from './model.ts';
import { settingsRegister } from './settings-register.ts';

type Cas = Operation<CasInput<number>, CasOutput<number>>;

const register = casRegister<number>(0);
const op = (calledAt: number, returnedAt: number | undefined, input: Cas['input'], output: CasOutput<number>): Cas => {
  const returned = returnedAt === undefined ? undefined : { at: returnedAt, output };
  return { process: `p${calledAt}`, input, calledAt, returned };
};
const read = (calledAt: number, returnedAt: number | undefined, value: number) =>
  op(calledAt, returnedAt, { kind: 'read' }, { kind: 'value', value });
const write = (calledAt: number, returnedAt: number | undefined, value: number) =>
  op(calledAt, returnedAt, { kind: 'write', value }, { kind: 'written' });
const cas = (calledAt: number, returnedAt: number | undefined, from: number, to: number, isEqual: boolean) =>
  op(calledAt, returnedAt, { kind: 'cas', from, to }, { kind: 'compared', isEqual });
const verdictOf = (...history: Cas[]) => checkLinearizable(register, history).kind;

describe('a register', () => {
  it('starts with its initial value', () => {
    expect(verdictOf()).toBe('linearizable');
    expect(verdictOf(read(0, 1, 0))).toBe('linearizable');
    expect(verdictOf(read(0, 1, 1))).toBe('violation');
  });

  it('shows what was written before', () => {
    expect(verdictOf(write(0, 1, 5), read(2, 3, 5))).toBe('linearizable');
    expect(verdictOf(write(0, 1, 5), read(2, 3, 0))).toBe('violation');
  });

  it('may show a write under way, or not yet', () => {
    expect(verdictOf(write(0, 100, 1), read(25, 75, 1), read(30, 60, 0))).toBe('linearizable');
    expect(verdictOf(write(0, 100, 1), read(10, 20, 0), read(30, 40, 1))).toBe('linearizable');
  });

  it('does not take back what it has shown', () => {
    expect(verdictOf(write(0, 100, 2), read(10, 30, 2), read(40, 90, 0))).toBe('violation');
  });

  it('lets operations that touch in time stand in either order', () => {
    expect(verdictOf(write(0, 10, 1), read(10, 20, 0))).toBe('linearizable');
    expect(verdictOf(write(0, 10, 1), read(11, 20, 0))).toBe('violation');
    expect(verdictOf(read(5, 5, 1), write(5, 5, 1), read(5, 5, 0))).toBe('linearizable');
  });

  it('does not care in what order the history lists its operations', () => {
    expect(verdictOf(read(2, 3, 5), write(0, 1, 5))).toBe('linearizable');
    expect(verdictOf(read(2, 3, 0), write(0, 1, 5))).toBe('violation');
  });

  it('writes by comparison only once', () => {
    expect(verdictOf(cas(0, 10, 0, 1, true), cas(0, 10, 0, 2, false), read(11, 12, 1))).toBe('linearizable');
    expect(verdictOf(cas(0, 10, 0, 1, true), cas(0, 10, 0, 2, true))).toBe('violation');
    expect(verdictOf(cas(0, 10, 0, 1, false))).toBe('violation');
  });
});

describe('an operation without an answer', () => {
  it('may have taken effect at any later time', () => {
    expect(verdictOf(write(0, undefined, 7), read(1, 2, 0), write(3, 4, 1), read(50, 51, 7))).toBe('linearizable');
  });

  it('may never take effect', () => {
    expect(verdictOf(write(0, undefined, 7), read(50, 51, 0))).toBe('linearizable');
  });

  it('takes no effect before its call', () => {
    expect(verdictOf(read(0, 1, 7), write(2, undefined, 7))).toBe('violation');
  });

  it('takes effect once', () => {
    const history = [write(0, undefined, 7), read(1, 2, 7), write(3, 4, 1), read(5, 6, 7)];
    expect(verdictOf(...history)).toBe('violation');
    expect(verdictOf(...history, write(0, undefined, 7))).toBe('linearizable');
  });

  it('compares at the time of its effect', () => {
    const history = [cas(0, undefined, 1, 2, false), write(1, 2, 1), read(3, 4, 2)];
    expect(verdictOf(...history)).toBe('linearizable');
    expect(verdictOf(...history, read(5, 6, 1))).toBe('violation');
  });

  it('may be kept for later when another one will do', () => {
    const later = [read(1, 2, 1), write(3, 4, 5), read(5, 6, 1)];
    expect(verdictOf(write(0, undefined, 1), cas(0, undefined, 0, 1, true), ...later)).toBe('linearizable');
    expect(verdictOf(write(0, undefined, 1), cas(3, undefined, 0, 1, true), ...later)).toBe('violation');
  });

  it('may be needed by another one', () => {
    expect(verdictOf(write(0, undefined, 1), cas(0, undefined, 1, 2, true), read(5, 6, 2))).toBe('linearizable');
  });
});

describe('an accepted history', () => {
  it('comes with its order', () => {
    const [late, early] = [read(0, 10, 5), write(1, 9, 5)];
    expect(checkLinearizable(register, [late, early])).toEqual({ kind: 'linearizable', orders: [[early, late]] });
  });

  it('leaves out operations that nothing needed', () => {
    const verdict = checkLinearizable(register, [write(0, undefined, 3), read(1, 2, 0)]);
    expect(verdict).toEqual({ kind: 'linearizable', orders: [[read(1, 2, 0)]] });
  });
});

describe('a violation', () => {
  const history = [
    write(0, 1, 1),
    write(2, undefined, 1),
    read(3, 20, 9),
    cas(4, 10, 1, 2, true),
    read(5, 12, 1),
    read(6, 13, 8),
    write(14, 15, 8),
    read(16, 17, 9),
  ];

  it('names the first answer that nothing explains, and what leads up to it', () => {
    expect(checkLinearizable(register, history)).toEqual({
      kind: 'violation',
      blocked: read(6, 13, 8),
      prefix: [write(0, 1, 1), read(5, 12, 1), cas(4, 10, 1, 2, true)],
      state: 2,
      unplaced: [read(3, 20, 9), read(6, 13, 8)],
      unanswered: [write(2, undefined, 1)],
    });
  });

  it('does not depend on what came later', () => {
    const verdict = checkLinearizable(register, history);
    expect(checkLinearizable(register, history.slice(0, 6))).toEqual(verdict);
    expect(checkLinearizable(register, history.slice(0, 5)).kind).toBe('violation');
    expect(checkLinearizable(register, [...history.slice(0, 2), ...history.slice(3, 5)]).kind).toBe('linearizable');
  });

  it('reads as text', () => {
    const verdict = checkLinearizable(register, history);
    expect(verdict.kind === 'violation' && describeViolation(register, verdict).split('\n')).toEqual([
      'not linearizable: no order explains read -> 8 (process p6, 6 to 13)',
      'up to its return 3 operations have an order:',
      '  write 1 -> ok (process p0, 0 to 1)',
      '  read -> 1 (process p5, 5 to 12)',
      '  cas 1 to 2 -> equal (process p4, 4 to 10)',
      'which leads to 2',
      'under way, and impossible next as well:',
      '  read -> 9 (process p3, 3 to 20)',
      'without an answer, and of no help:',
      '  write 1 -> unknown (process p2, 2 to unknown)',
    ]);
  });

  it('shows the end of a long order', () => {
    const long = Array.from({ length: 40 }, (_, at) => write(2 * at, 2 * at + 1, at));
    const verdict = checkLinearizable(register, [...long, read(100, 101, 77)]);
    const text = verdict.kind === 'violation' ? describeViolation(register, verdict) : '';
    expect(text).toContain('\n  (28 earlier ones)\n  write 28 -> ok');
    expect(text.split('\n')).toHaveLength(16);
  });
});

describe('the limit', () => {
  /** Nobody can tell which of the increments took effect: every subset leads to another state. */
  const sum: Model<number, number, number> = {
    initial: 0,
    step: (state, input, output) => (output === undefined || output === state ? state + input : undefined),
    describe: (input, output) => `add ${input} -> ${output}`,
  };
  const increments = Array.from({ length: 30 }, (_, at) => {
    return { process: at, input: 2 ** at, calledAt: 0, returned: undefined };
  });
  const impossible = { process: 'reader', input: 0, calledAt: 1, returned: { at: 2, output: -1 } };

  it('ends a search that would not end', () => {
    expect(checkLinearizable(sum, [...increments, impossible], { stepsMax: 1000 })).toEqual({ kind: 'unknown' });
  });

  it('is enough when it is just reached', () => {
    const history = [write(0, 1, 1), read(2, 3, 1)];
    expect(checkLinearizable(register, history, { stepsMax: 2 }).kind).toBe('linearizable');
    expect(checkLinearizable(register, history, { stepsMax: 1 }).kind).toBe('unknown');
  });

  it('does not hide a violation in another part', () => {
    const parts = { ...sum, partition: () => [[...increments, impossible], [impossible]] };
    const history = [...increments, impossible, impossible];
    expect(checkLinearizable(parts, history, { stepsMax: 1000 }).kind).toBe('violation');
  });
});

describe('the search stays short', () => {
  const limits = { stepsMax: 100_000 };

  it('when unanswered writes are many and reads say which of them took effect', () => {
    const unanswered = Array.from({ length: 60 }, (_, at) => write(at, undefined, at + 1));
    const reads = [40, 3, 57].map((value, at) => read(100 + 2 * at, 101 + 2 * at, value));
    expect(checkLinearizable(register, [...unanswered, ...reads], limits).kind).toBe('linearizable');
    expect(checkLinearizable(register, [...unanswered, ...reads, read(200, 201, 3)], limits).kind).toBe('violation');
  });

  it('when unanswered writes are alike', () => {
    const unanswered = Array.from({ length: 24 }, (_, at) => write(at, undefined, 1 + (at % 2)));
    const reads = Array.from({ length: 12 }, (_, at) => read(100 + 2 * at, 101 + 2 * at, 1 + (at % 2)));
    expect(checkLinearizable(register, [...unanswered, ...reads], limits).kind).toBe('linearizable');
    expect(checkLinearizable(register, [...unanswered, ...reads, read(200, 201, 3)], limits).kind).toBe('violation');
  });

  it('when the model knows that unanswered writes cannot matter', () => {
    const model = settingsRegister<number>(0);
    const unseen = Array.from({ length: 50 }, (_, at) => {
      return {
        process: at,
        input: { kind: 'write' as const, name: 'a', value: at + 1 },
        calledAt: 0,
        returned: undefined,
      };
    });
    const shown = { at: 2, output: { kind: 'value' as const, value: 99 } };
    const wrong = { process: 'reader', input: { kind: 'read' as const, name: 'a' }, calledAt: 1, returned: shown };
    expect(checkLinearizable(model, [...unseen, wrong], { stepsMax: 1 }).kind).toBe('violation');
  });
});

describe('parts', () => {
  const on = (key: string, at: number, value: string): Operation<typeof get.input, typeof get.output> => {
    return {
      process: key,
      input: { kind: 'get', key },
      calledAt: at,
      returned: { at: at + 1, output: { kind: 'value', value } },
    };
  };
  const get = { input: { kind: 'get' as const, key: '' }, output: { kind: 'value' as const, value: '' } };

  it('are judged one by one', () => {
    const append = (key: string, at: number, value: string) => {
      const returned = { at: at + 1, output: { kind: 'written' as const } };
      return { process: key, input: { kind: 'append' as const, key, value }, calledAt: at, returned };
    };
    const history = [append('a', 0, 'x'), append('b', 2, 'y'), append('a', 4, 'z'), on('a', 6, 'xz'), on('b', 6, 'y')];
    expect(checkLinearizable(keyValue, history).kind).toBe('linearizable');
    const verdict = checkLinearizable(keyValue, [...history, on('b', 8, 'yz')]);
    expect(verdict).toMatchObject({ kind: 'violation', blocked: on('b', 8, 'yz'), state: 'y', prefix: { length: 2 } });
  });

  it('hold every operation', () => {
    const forgetful = { ...keyValue, partition: () => [] };
    expect(() => checkLinearizable(forgetful, [on('a', 0, '')])).toThrow('every operation once');
  });
});

describe('settings', () => {
  interface Levels {
    readonly r?: number;
  }
  const model = settingsRegister<Levels>({}, (a, b) => a.r === b.r);
  const change = (name: string, at: number, value: Levels, isAnswered = true) => {
    const returned = isAnswered ? { at: at + 1, output: { kind: 'written' as const } } : undefined;
    return { process: name, input: { kind: 'write' as const, name, value }, calledAt: at, returned };
  };
  const show = (name: string, at: number, value: Levels) => {
    const returned = { at: at + 1, output: { kind: 'value' as const, value } };
    return { process: name, input: { kind: 'read' as const, name }, calledAt: at, returned };
  };

  it('are replaced as a whole, each name by itself', () => {
    const history = [show('a', 0, {}), change('a', 2, { r: 1 }), change('b', 4, { r: 3 }), show('a', 6, { r: 1 })];
    expect(checkLinearizable(model, history).kind).toBe('linearizable');
    expect(checkLinearizable(model, [...history, show('b', 8, { r: 1 })]).kind).toBe('violation');
  });

  it('are not seen older again', () => {
    const history = [change('a', 0, { r: 1 }), change('a', 2, { r: 2 }, false), show('a', 4, { r: 2 })];
    expect(checkLinearizable(model, history).kind).toBe('linearizable');
    const verdict = checkLinearizable(model, [...history, show('a', 6, { r: 1 })]);
    expect(verdict.kind === 'violation' && describeViolation(model, verdict)).toContain('which leads to {"r":2}');
  });
});
