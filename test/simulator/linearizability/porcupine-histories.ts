import { invariant } from '../../../src/core/invariant.ts';
import type { CasInput, CasOutput } from './cas-register.ts';
import type { KeyValueInput, KeyValueOutput } from './key-value.ts';
import type { Defined, Operation } from './model.ts';

/** An etcd register holds a number, or nothing at first. */
export type EtcdValue = number | null;

const ETCD_LINE = /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(\S.*)$/;
const CAS_VALUE = /^\[(\d+) (\d+)\]$/;
const KEY_VALUE_LINE =
  /^\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "(.*)", :value (?:nil|"(.*)")\}$/;

/**
 * A log of Jepsen's etcd test. Line numbers serve as times; lines that are not about operations are passed over.
 *
 * `:fail` of a cas is an answer, that it compared unequal: Porcupine's verdicts hold it to that. Other failures (reads that timed out) and `:info` leave the operation open.
 */
export function parseEtcdLog(text: string): readonly Operation<CasInput<EtcdValue>, CasOutput<EtcdValue>>[] {
  const calls = new OpenCalls<CasInput<EtcdValue>, CasOutput<EtcdValue>>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, process, type, name, value = ''] = ETCD_LINE.exec(line.trimEnd()) ?? [];
    if (process === undefined) continue;
    if (type === 'invoke') calls.call(process, at, etcdInput(name, value));
    else if (type === 'ok') calls.return(process, at, etcdOutput(name, value));
    else if (type === 'fail' && CAS_VALUE.test(value)) calls.return(process, at, { kind: 'compared', isEqual: false });
    else calls.abandon(process);
  }
  return calls.operations();
}

/** A log of Porcupine's key-value test. Line numbers serve as times. Every line is one of the format, empty ones apart. */
export function parseKeyValueLog(text: string): readonly Operation<KeyValueInput, KeyValueOutput>[] {
  const calls = new OpenCalls<KeyValueInput, KeyValueOutput>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, process, type, kind, key, value = ''] = KEY_VALUE_LINE.exec(line.trimEnd()) ?? [];
    invariant(process !== undefined && key !== undefined, `line ${at + 1} of the log is of the format`);
    const isGet = kind === 'get';
    if (type === 'ok') calls.return(process, at, isGet ? { kind: 'value', value } : { kind: 'written' });
    else if (isGet) calls.call(process, at, { kind, key });
    else calls.call(process, at, { kind: kind === 'put' ? 'put' : 'append', key, value });
  }
  return calls.operations();
}

/** Joins calls and returns. A process has one operation at a time; those it never hears of again stay open. */
class OpenCalls<I, O extends Defined> {
  private readonly all: Operation<I, O>[] = [];
  private readonly open = new Map<string, number>();

  call(process: string, calledAt: number, input: I): void {
    invariant(!this.open.has(process), `process ${process} has one operation at a time`);
    this.open.set(process, this.all.length);
    this.all.push({ process, input, calledAt, returned: undefined });
  }

  return(process: string, at: number, output: O): void {
    const index = this.abandon(process);
    const operation = this.all[index];
    invariant(operation !== undefined, 'what is open was called');
    this.all[index] = { ...operation, returned: { at, output } };
  }

  /** The index of the operation that stays as it is. */
  abandon(process: string): number {
    const index = this.open.get(process);
    invariant(index !== undefined, `process ${process} returns from what it called`);
    this.open.delete(process);
    return index;
  }

  operations(): readonly Operation<I, O>[] {
    return this.all;
  }
}

function etcdInput(name: string | undefined, value: string): CasInput<EtcdValue> {
  if (name === 'read') return { kind: 'read' };
  if (name === 'write') return { kind: 'write', value: etcdValue(value) };
  const [, from, to] = CAS_VALUE.exec(value) ?? [];
  invariant(from !== undefined && to !== undefined, `cas takes a pair, not ${value}`);
  return { kind: 'cas', from: etcdValue(from), to: etcdValue(to) };
}

function etcdOutput(name: string | undefined, value: string): CasOutput<EtcdValue> {
  if (name === 'read') return { kind: 'value', value: etcdValue(value) };
  return name === 'write' ? { kind: 'written' } : { kind: 'compared', isEqual: true };
}

function etcdValue(text: string): EtcdValue {
  if (text === 'nil') return null;
  const value = Number(text);
  invariant(Number.isInteger(value), `${text} is a value`);
  return value;
}
