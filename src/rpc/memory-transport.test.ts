import type { NodeId } from '../core/ids.ts';
import type { PeerAddress } from '../ports.ts';
import { MemoryNetwork } from './memory-transport.ts';
import { ManualClock } from './test-ports.ts';
import { type ContractNetwork, transportContract } from './transport.contract.ts';

const QUEUE_BYTES_MAX = 1024 * 1024;
const STEPS_MAX = 1_000;

transportContract('the memory transport', async (): Promise<ContractNetwork> => {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock, QUEUE_BYTES_MAX);
  const addresses = new Map<NodeId, PeerAddress>();
  return {
    queueBytesMax: QUEUE_BYTES_MAX,
    transport: async (node) => {
      addresses.set(node, { host: 'nowhere', port: 0 });
      return network.transport(node);
    },
    addresses: () => addresses,
    until: async (condition) => {
      for (let step = 0; !condition(); step++) {
        if (step === STEPS_MAX) throw new Error('what was waited for did not happen');
        clock.advance(1);
      }
    },
    close: async () => {},
  };
});
