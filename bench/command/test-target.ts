import { type Answering, TestStore } from '../load/test-store.ts';
import type { Target } from './target.ts';

/** A target within this process whose store answers as it is told. */
export function aTestTarget(name = 'test', answering: Answering = async () => undefined): Target {
  const nothing = async (): Promise<void> => {};
  return {
    info: { name, store: 'test', version: '1', nodes: 1, isOwn: false, durability: 'none' },
    store: new TestStore(answering),
    addresses: () => ['a'],
    pids: () => [],
    settled: nothing,
    stop: nothing,
  };
}
