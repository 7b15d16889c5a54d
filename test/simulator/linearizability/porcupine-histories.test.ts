import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vectorsFolder } from '../../vectors.ts';
import { casRegister } from './cas-register.ts';
import { checkLinearizable } from './check-linearizable.ts';
import { keyValue } from './key-value.ts';
import { type EtcdValue, parseEtcdLog, parseKeyValueLog } from './porcupine-histories.ts';

/** By the name of the file: whether the history is linearizable, as Porcupine's own tests have it. */
interface Verdicts {
  readonly jepsen_etcd: Readonly<Record<string, boolean>>;
  readonly kv: Readonly<Record<string, boolean>>;
}

const folder = join(vectorsFolder() ?? '', 'porcupine');
const verdictsFile = join(folder, 'verdicts.json');
const verdicts: Verdicts = existsSync(verdictsFile)
  ? JSON.parse(readFileSync(verdictsFile, 'utf8'))
  : { jepsen_etcd: {}, kv: {} };
const etcd = casRegister<EtcdValue>(null);
const etcdVerdict = (text: string) => checkLinearizable(etcd, parseEtcdLog(text)).kind;
const expected = (isLinearizable: boolean) => (isLinearizable ? 'linearizable' : 'violation');

describe.each([
  ['jepsen', verdicts.jepsen_etcd, etcdVerdict],
  ['kv', verdicts.kv, (text: string) => checkLinearizable(keyValue, parseKeyValueLog(text)).kind],
] as const)('the published histories of %s', (name, known, verdictOf) => {
  const isThere = existsSync(join(folder, name));
  const files = isThere ? readdirSync(join(folder, name)) : [];

  it.skipIf(!isThere)('all have a known verdict', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => known[file] === undefined)).toEqual([]);
  });

  for (const [file, isLinearizable] of Object.entries(known)) {
    it.skipIf(!files.includes(file))(`${file}: ${expected(isLinearizable)}`, () => {
      expect(verdictOf(readFileSync(join(folder, name, file), 'utf8'))).toBe(expected(isLinearizable));
    });
  }
});

describe('an etcd log', () => {
  const log = (...lines: string[]) => lines.map((line) => `INFO  jepsen.util - ${line}\n`).join('');

  it('is read line by line', () => {
    const text = log(
      '4\t:invoke\t:write\t1',
      ':nemesis\t:info\t:start\tnil',
      '7\t:invoke\t:cas\t[1 2]',
      '4\t:ok\t:write\t1',
    );
    expect(parseEtcdLog(text)).toEqual([
      {
        process: '4',
        input: { kind: 'write', value: 1 },
        calledAt: 0,
        returned: { at: 3, output: { kind: 'written' } },
      },
      { process: '7', input: { kind: 'cas', from: 1, to: 2 }, calledAt: 2, returned: undefined },
    ]);
  });

  it('starts with nil', () => {
    expect(etcdVerdict(log('0\t:invoke\t:read\tnil', '0\t:ok\t:read\tnil'))).toBe('linearizable');
    expect(etcdVerdict(log('0\t:invoke\t:read\tnil', '0\t:ok\t:read\t0'))).toBe('violation');
  });

  it('takes a failed cas for an unequal comparison', () => {
    const wrote = ['0\t:invoke\t:write\t1', '0\t:ok\t:write\t1'];
    expect(etcdVerdict(log(...wrote, '0\t:invoke\t:cas\t[1 2]', '0\t:fail\t:cas\t[1 2]'))).toBe('violation');
    expect(etcdVerdict(log(...wrote, '0\t:invoke\t:cas\t[3 2]', '0\t:fail\t:cas\t[3 2]'))).toBe('linearizable');
    expect(etcdVerdict(log(...wrote, '0\t:invoke\t:cas\t[3 2]', '0\t:ok\t:cas\t[3 2]'))).toBe('violation');
  });

  it('leaves open what timed out, a read too, whose process goes on', () => {
    const text = log(
      '0\t:invoke\t:read\tnil',
      '0\t:fail\t:read\t:timed-out',
      '0\t:invoke\t:write\t3',
      '0\t:info\t:write\t:timed-out',
      '1\t:invoke\t:read\tnil',
      '1\t:ok\t:read\t3',
    );
    expect(etcdVerdict(text)).toBe('linearizable');
    expect(parseEtcdLog(text).filter(({ returned }) => returned === undefined)).toHaveLength(2);
  });
});

describe('a key-value log', () => {
  it('is refused when a line is of another format', () => {
    expect(() => parseKeyValueLog('{:process 1, :type :ok}')).toThrow('line 1');
  });

  it('is read line by line', () => {
    const text =
      '{:process 2, :type :invoke, :f :put, :key "7", :value "a b"}\n{:process 2, :type :ok, :f :put, :key "7", :value "a b"}\n';
    const returned = { at: 1, output: { kind: 'written' } };
    expect(parseKeyValueLog(text)).toEqual([
      { process: '2', input: { kind: 'put', key: '7', value: 'a b' }, calledAt: 0, returned },
    ]);
  });
});
