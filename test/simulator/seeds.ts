import type { Operation, Plan } from './plan.ts';
import { CALM } from './simulated-network.ts';

/** A run that once failed, or that shows something which must stay so. */
export interface NamedRun {
  /** What must hold. */
  readonly name: string;
  readonly seed: number;
  /** Instead of what the seed draws: a plan of its own outlives every change in how plans are drawn. */
  readonly plan?: Plan;
  readonly why: string;
}

/** A failing seed that led to a correction is added here; once its cause is known, better as a plan that brings it about for sure. */
export const NAMED_RUNS: readonly NamedRun[] = [
  {
    name: 'a forwarded write that the network repeats is carried out once',
    seed: 1,
    plan: everyMessageTwice(1),
    why: 'the second copy was coordinated again, and minted a second dot for the same value',
  },
  {
    name: 'a forwarded write whose copy comes late is carried out once',
    seed: 22,
    why: 'as above, with a copy that may come after the write was answered',
  },
  {
    name: 'a heartbeat that was overtaken takes nothing back',
    seed: 113424,
    why: 'one of before the grant came ten seconds late, and for a moment its sender was asked for no writes',
  },
  {
    name: 'a disk fails now and then while a damaged record is had again, and a write comes in between',
    seed: 2_002_659,
    why: 'the answers of the other owners were older than what had been written, and took its place',
  },
  {
    name: 'a disk fails while the objects of a store are counted',
    seed: 35,
    why: 'the read that the count needs failed with an error of the disk instead of a typed one, and nobody caught it',
  },
  {
    name: 'a read meets an owner in the middle of a full comparison',
    seed: 5_004_707,
    why: 'the owner had a value and did not know what it had overwritten, which was shown beside it',
  },
  {
    name: 'a write comes in while the count of an empty partition ends',
    seed: 1_023_423_107,
    why: 'it was neither in what had been counted nor added to it, and the contents were said to differ from then on',
  },
  {
    name: 'a node starts again more often between two retirements than actors are told apart',
    seed: 11_007_024,
    why: 'what was kept of its actors had a floor that no clock covers before it has folded, and nobody could fold them',
  },
  {
    name: 'an older folder brings a damaged record back while another owner has its own damaged',
    seed: 11_010_594,
    why: 'each waited a minute for the other to read it, though the third owner had all that was in both',
  },
  {
    name: 'what a read explains is what it shows',
    seed: 40_002,
    why: 'an answer that was fetched after its digest was newer, and the explanation named what the digest had told',
  },
  {
    name: 'a peer that comes and goes counts where a quorum needs it',
    seed: 90_499,
    why: 'very late messages reset connections after all faults were over, and for a second the peer was no better than down',
  },
];

function everyMessageTwice(seed: number): Plan {
  const nodes = 3;
  const operations = Array.from({ length: 60 }, (_, id): Operation => {
    const kind = id % 2 === 0 ? 'put' : 'get';
    const request = { level: 'quorum', owners: 0, timeoutMs: 2000, context: 'none' } as const;
    return { id, atMs: 100 + 20 * id, client: id % 4, node: id % nodes, key: id % 5, kind, ...request };
  });
  const weather = { ...CALM, duplication: 1 };
  return {
    seed,
    ...{ healMs: 2000, operations, faults: [{ kind: 'weather', atMs: 0, forMs: 2000, weather }] },
    shape: {
      ...{ nodes, zones: 1, n: nodes, partitions: 4, durability: 'flush', keys: 5, siblings: 32 },
      clocks: Array.from({ length: nodes }, () => ({ rate: 1, offsetMs: 0 })),
    },
  };
}
