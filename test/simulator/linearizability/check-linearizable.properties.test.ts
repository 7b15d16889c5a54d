import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finalState, hasOrder, keepsRealTime } from './brute-force.ts';
import { casRegister } from './cas-register.ts';
import { checkLinearizable } from './check-linearizable.ts';
import { type KeyValueInput, type KeyValueOutput, keyValue } from './key-value.ts';
import type { Defined, Model } from './model.ts';
import {
  arbitraryHistories,
  type CasOperation,
  casExchange,
  type Exchange,
  executions,
  NEVER_WRITTEN,
} from './random-histories.ts';
import { type SettingsInput, type SettingsOutput, settingsRegister } from './settings-register.ts';

const register = casRegister<number>(0);
const verdictOf = (history: readonly CasOperation[]) => checkLinearizable(register, history);

const settingsExchange: fc.Arbitrary<Exchange<SettingsInput<number>, SettingsOutput<number>>> = fc.oneof(
  fc.nat(2).map(
    (value) =>
      [
        { kind: 'read', name: 'b' },
        { kind: 'value', value },
      ] as const,
  ),
  fc.nat(2).map((value) => [{ kind: 'write', name: 'b', value }, { kind: 'written' }] as const),
);

const written = fc.constantFrom('x', 'y', 'xy');
const keyValueExchange: fc.Arbitrary<Exchange<KeyValueInput, KeyValueOutput>> = fc.oneof(
  fc.constantFrom('', 'x', 'y', 'xy', 'xyx', 'yx').map(
    (value) =>
      [
        { kind: 'get', key: 'k' },
        { kind: 'value', value },
      ] as const,
  ),
  written.map((value) => [{ kind: 'put', key: 'k', value }, { kind: 'written' }] as const),
  written.map((value) => [{ kind: 'append', key: 'k', value }, { kind: 'written' }] as const),
);

describe('the verdict is that of the definition', () => {
  function judge<S extends Defined, I, O extends Defined>(
    model: Model<S, I, O>,
    exchange: fc.Arbitrary<Exchange<I, O>>,
  ): void {
    const verdicts = { linearizable: 0, violation: 0, unknown: 0 };
    fc.assert(
      fc.property(arbitraryHistories(exchange, 5), (history) => {
        const { kind } = checkLinearizable(model, history);
        verdicts[kind]++;
        expect(kind).toBe(hasOrder(model, history) ? 'linearizable' : 'violation');
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(200);
  }

  it('for a register', () => judge(register, casExchange));
  it('for settings', () => judge(settingsRegister<number>(0), settingsExchange));
  it('for keys and values', () => judge(keyValue, keyValueExchange));
});

describe('the verdict', () => {
  it('does not depend on how the history lists its operations', () => {
    const shuffled = arbitraryHistories(casExchange, 12).chain((history) =>
      fc.tuple(fc.constant(history), fc.shuffledSubarray([...history], { minLength: history.length })),
    );
    fc.assert(
      fc.property(shuffled, ([history, other]) => {
        const [one, two] = [verdictOf(history), verdictOf(other)];
        expect(two.kind).toBe(one.kind);
        if (one.kind === 'violation' && two.kind === 'violation') {
          expect(two.blocked.returned?.at).toBe(one.blocked.returned?.at);
        }
      }),
    );
  });
});

describe('a true execution', () => {
  it('is accepted, however its operations overlap', () => {
    fc.assert(
      fc.property(executions(120), (history) => {
        expect(verdictOf(history).kind).toBe('linearizable');
      }),
    );
  });

  it('is accepted with an order that is legal, in real time, and has every answer in it', () => {
    fc.assert(
      fc.property(executions(60), (history) => {
        const verdict = verdictOf(history);
        const order = verdict.kind === 'linearizable' ? (verdict.orders[0] ?? []) : [];
        expect(finalState(register, order)).toBeDefined();
        expect(keepsRealTime(order)).toBe(true);
        expect(new Set(order).size).toBe(order.length);
        for (const operation of history)
          expect(operation.returned === undefined || order.includes(operation)).toBe(true);
      }),
    );
  });

  it('is refused once a read shows what nobody wrote, at that read', () => {
    const isRead = ({ input, returned }: CasOperation) => input.kind === 'read' && returned !== undefined;
    const reads = executions(60).filter((history) => history.some(isRead));
    fc.assert(
      fc.property(reads, fc.nat(), (history, chosen) => {
        const answered = history.filter(isRead);
        const victim = answered[chosen % answered.length];
        const at = victim?.returned?.at ?? 0;
        const changed = history.map((operation): CasOperation => {
          if (operation !== victim) return operation;
          return { ...operation, returned: { at, output: { kind: 'value', value: NEVER_WRITTEN } } };
        });
        const verdict = verdictOf(changed);
        expect(verdict.kind === 'violation' && verdict.blocked.process).toBe(victim?.process);
      }),
    );
  });
});

describe('the explanation of a violation', () => {
  const wrong = arbitraryHistories(casExchange, 14).filter((history) => verdictOf(history).kind === 'violation');
  const explained = (check: (history: readonly CasOperation[], violation: ViolationOf) => void) => {
    fc.assert(
      fc.property(wrong, (history) => {
        const verdict = verdictOf(history);
        if (verdict.kind === 'violation') check(history, verdict);
      }),
      { numRuns: 500 },
    );
  };
  type ViolationOf = Extract<ReturnType<typeof verdictOf>, { kind: 'violation' }>;
  const returnOf = ({ returned }: CasOperation) => returned?.at ?? Number.POSITIVE_INFINITY;

  it('has a prefix that is legal, in real time, and leads to its state', () => {
    explained((_, { prefix, state }) => {
      expect(finalState(register, prefix)).toBe(state);
      expect(keepsRealTime(prefix)).toBe(true);
    });
  });

  it('has all in its prefix that returned before the blocked operation', () => {
    explained((history, { prefix, blocked }) => {
      for (const operation of history)
        expect(returnOf(operation) >= returnOf(blocked) || prefix.includes(operation)).toBe(true);
      expect(prefix).not.toContain(blocked);
    });
  });

  it('lists unplaced operations whose answers its state does not allow, the blocked one among them', () => {
    explained((_, { unplaced, blocked, state }) => {
      expect(unplaced).toContain(blocked);
      for (const { input, returned } of unplaced) {
        expect(returned !== undefined && register.step(state, input, returned.output)).toBeUndefined();
      }
    });
  });

  it('needs nothing that was called after the blocked operation returned', () => {
    explained((history, { blocked }) => {
      const verdict = verdictOf(history.filter(({ calledAt }) => calledAt <= returnOf(blocked)));
      expect(verdict.kind === 'violation' && returnOf(verdict.blocked)).toBe(returnOf(blocked));
    });
  });

  it('is about an operation without which an order gets further', () => {
    explained((history, { blocked }) => {
      const verdict = verdictOf(history.filter((operation) => operation !== blocked));
      if (verdict.kind === 'violation') expect(returnOf(verdict.blocked)).toBeGreaterThanOrEqual(returnOf(blocked));
    });
  });
});
