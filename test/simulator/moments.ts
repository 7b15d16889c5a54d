import type { NodeId } from '../../src/core/ids.ts';
import { LABEL } from './labels.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

type Happening =
  | { readonly kind: 'sent'; readonly from: NodeId }
  | { readonly kind: 'answered'; readonly answer: 'read' | 'written' };

/** A moment that does not come does not hold up the fault for longer. */
const WAIT_MS = 1500;
/** What was set off by the same event has happened by then, and nothing that takes time has. */
const BARELY_MS = 0.02;
const LOOK_MS = 0.1;

/**
 * The moments at which a fault does most harm, which no time drawn beforehand would hit: flushes take less than a millisecond, and
 * it is in between that a node may have promised what it does not have.
 */
export class Moments {
  private readonly world: World;
  private readonly watches = new Set<(happening: Happening) => void>();

  constructor(world: World) {
    this.world = world;
  }

  happened(happening: Happening): void {
    for (const watch of this.watches) watch(happening);
  }

  /** The node has sent something, and its disk has something that is not flushed. */
  whenSending(machine: Machine, task: () => void): void {
    this.watch(task, (happening, strike) => {
      if (happening.kind !== 'sent' || happening.from !== machine.id) return;
      this.world.schedule(BARELY_MS, LABEL.fault, () => {
        if (machine.disk.isDirty) strike();
      });
    });
  }

  /** A client has just been given such an answer. */
  whenAnswered(answer: 'read' | 'written', task: () => void): void {
    this.watch(task, (happening, strike) => {
      if (happening.kind === 'answered' && happening.answer === answer) this.world.schedule(0, LABEL.fault, strike);
    });
  }

  /** The metadata group has granted the node's present start, and the node has just heard of it. */
  whenGranted(machine: Machine, task: () => void): void {
    const before = grantOf(machine);
    const lastMs = this.world.nowMs + WAIT_MS;
    const look = (): void => {
      const grant = grantOf(machine);
      if ((grant !== undefined && before !== undefined && grant > before) || this.world.nowMs > lastMs) task();
      else this.world.schedule(LOOK_MS, LABEL.fault, look);
    };
    look();
  }

  private watch(task: () => void, isNow: (happening: Happening, strike: () => void) => void): void {
    const strike = (): void => {
      if (this.watches.delete(watch)) task();
    };
    const watch = (happening: Happening): void => isNow(happening, strike);
    this.watches.add(watch);
    this.world.schedule(WAIT_MS, LABEL.fault, strike);
  }
}

/** As the node itself knows it. */
function grantOf({ id, node }: Machine): number | undefined {
  return node?.membership.view?.state.members.find((member) => member.id === id)?.grant;
}
