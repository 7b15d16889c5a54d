import { decodeContainer, encodeContainer } from '../../src/core/causality/container.ts';
import { partition as partitionAt } from '../../src/core/ids.ts';
import { roll } from './chance.ts';
import { LABEL } from './labels.ts';
import { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { Fault } from './plan.ts';
import { Rotting } from './rotting.ts';
import { type DiskWeather, HEALTHY } from './simulated-disk.ts';
import { CALM } from './simulated-network.ts';
import type { Simulation } from './simulation.ts';

/** A power cut waits so long for a flush to come into. */
const FLUSH_WAIT_MS = 300;
/** A folder may be lost only when nothing is on it alone: such a moment is waited for. */
const LOSS_RETRY_MS = 23;
const LOSS_RETRIES = 60;

type Crash = Pick<Extract<Fault, { kind: 'crash' }>, 'power' | 'silent' | 'forMs' | 'moment'>;

/** Strikes with the faults of the plan, and ends them. What would destroy the last counted copy of something is left out. */
export class Faults {
  private readonly simulation: Simulation;
  readonly rotting: Rotting;
  private readonly ledger: Ledger;
  private readonly troubled = new Set<Machine>();

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    this.rotting = new Rotting(simulation);
    this.ledger = new Ledger(simulation, this.rotting);
  }

  /** Whether the machine's disk has failed operations, in this life of its process or just before. */
  hasTroubledDisk(machine: Machine): boolean {
    return this.troubled.has(machine);
  }

  strike(fault: Fault): void {
    if (this.simulation.healed) return;
    this.simulation.say('world', JSON.stringify(fault));
    this.simulation.tally.note(`fault: ${fault.kind}`);
    switch (fault.kind) {
      case 'crash':
        return this.crash(fault);
      case 'outage':
        return this.outage(fault);
      case 'pause':
        return this.pause(fault);
      case 'cut':
        return this.cut(fault);
      case 'weather':
        this.simulation.network.weather = fault.weather;
        return this.later(fault.forMs, () => {
          this.simulation.network.weather = CALM;
        });
      case 'reset':
        return this.simulation.network.reset(this.machine(fault.from).id, this.machine(fault.to).id);
      case 'disk':
        return this.trouble(fault);
      case 'clock':
        this.machine(fault.node).clock.offsetMs += fault.jumpMs;
        return;
      case 'wipe':
        return this.wipe(this.machine(fault.node));
      case 'damage':
        return this.damage(this.machine(fault.node), fault.isAltered);
      case 'rot':
        return this.rot(this.machine(fault.node), fault.place);
      case 'restore':
        return this.restore(this.machine(fault.node), fault.liveMs);
    }
  }

  /** No fault lasts. Processes that are down are the caller's to start. */
  end(): void {
    const { network, machines } = this.simulation;
    network.weather = CALM;
    network.heal();
    for (const machine of machines) machine.disk.weather = HEALTHY;
  }

  private crash(fault: Extract<Fault, { kind: 'crash' }>): void {
    const machine = this.machine(fault.node);
    if (fault.moment === 'sending') this.simulation.moments.whenSending(machine, () => this.crashNow(machine, fault));
    else if (fault.moment === 'now' && fault.power && roll(this.simulation.plan.seed, fault.node, fault.atMs, 1) < 0.7)
      this.cutDuringFlush(machine, fault);
    else this.crashNow(machine, fault);
  }

  /** Flushes are short: a power cut at any moment would hardly ever come during one. */
  private cutDuringFlush(machine: Machine, fault: Extract<Fault, { kind: 'crash' }>): void {
    let isOver = false;
    const strike = (): void => {
      if (isOver) return;
      isOver = true;
      machine.disk.atNextFlush(undefined);
      this.crashNow(machine, fault);
    };
    machine.disk.atNextFlush(() => {
      if (!this.simulation.healed) strike();
    });
    this.later(FLUSH_WAIT_MS, strike);
  }

  private crashNow(machine: Machine, fault: Crash): void {
    const { power, silent, forMs, moment } = fault;
    if (!machine.isRunning || this.simulation.healed) return;
    this.simulation.tally.note(power ? 'crash: power cut' : 'crash: process ended');
    machine.crash(power, silent);
    machine.isHeldDown = true;
    this.later(forMs, () => {
      this.startAgain(machine);
      if (moment !== 'granted') return;
      this.simulation.moments.whenGranted(machine, () => this.crashNow(machine, { ...fault, moment: 'now' }));
    });
  }

  /** All at once: what was promised is then on the disks or nowhere. */
  private outage({ after, slowness, power, forMs }: Extract<Fault, { kind: 'outage' }>): void {
    const { machines, moments } = this.simulation;
    for (const machine of machines) this.setWeather(machine, { ...HEALTHY, slowness });
    moments.whenAnswered(after, () => {
      for (const machine of machines) {
        machine.disk.weather = HEALTHY;
        this.crashNow(machine, { power, silent: true, forMs, moment: 'now' });
      }
    });
  }

  private pause({ node, forMs }: Extract<Fault, { kind: 'pause' }>): void {
    const machine = this.machine(node);
    machine.pause();
    this.later(forMs, () => {
      const isSuspected =
        machine.isPaused && this.simulation.machines.some((other) => other.isRunning && !other.sees(machine));
      if (isSuspected) this.simulation.tally.note('a paused node came back suspected');
      machine.resume();
    });
  }

  private cut({ links, forMs, flapMs }: Extract<Fault, { kind: 'cut' }>): void {
    const { network } = this.simulation;
    const apply = () => {
      for (const [from, to] of links) network.cut(this.machine(from).id, this.machine(to).id);
    };
    apply();
    for (let atMs = flapMs; flapMs > 0 && atMs < forMs; atMs += flapMs) {
      this.later(atMs, () => ((atMs / flapMs) % 2 === 1 ? network.heal() : apply()));
    }
    this.later(forMs, () => network.heal());
  }

  private trouble({ node, slowness, isFull, readErrors, forMs }: Extract<Fault, { kind: 'disk' }>): void {
    const machine = this.machine(node);
    this.setWeather(machine, { slowness, isFull, readErrors });
    this.later(forMs, () => {
      machine.disk.weather = HEALTHY;
    });
  }

  private setWeather(machine: Machine, weather: DiskWeather): void {
    machine.disk.weather = weather;
    if (weather.isFull || weather.readErrors > 0 || weather.slowness > 10) this.troubled.add(machine);
  }

  /** The data folder is emptied while no process runs on it; the node is started on the empty one. */
  private wipe(machine: Machine, retries = LOSS_RETRIES): void {
    if (machine.isLost || !this.ledger.canLose(machine)) {
      if (retries === 0) return this.simulation.tally.note('a loss was left out');
      return this.later(LOSS_RETRY_MS, () => this.wipe(machine, retries - 1));
    }
    const voice = machine.node?.membership.metadata?.id;
    if (voice !== undefined) machine.forsworn.add(voice);
    this.ledger.loses(machine);
    machine.crash(false, false);
    machine.disk.wipe();
    this.simulation.tally.note('a folder was emptied');
    machine.loseFolder();
    machine.start();
  }

  /** The folder as it is now is kept, the node runs on for a while, and then the old folder is put back. */
  private restore(machine: Machine, liveMs: number): void {
    if (machine.isLost || !machine.isRunning) return;
    const voice = machine.node?.membership.metadata?.id;
    machine.crash(false, false);
    const image = machine.disk.image();
    const putBack = () => {
      image();
      // It may have been readmitted under another id since, as every other voter knows: what it says under the former counts no more.
      if (voice !== undefined) machine.forsworn.delete(voice);
    };
    machine.start();
    this.later(liveMs, () => this.goBack(machine, putBack, LOSS_RETRIES));
  }

  private goBack(machine: Machine, putBack: () => void, retries: number): void {
    // Before the node had a new grant the old folder is as good as the new one.
    const hasLived = machine.node?.membership.standing.actor !== undefined;
    if (!hasLived || !this.ledger.canGoBack(machine)) {
      if (retries === 0) return this.simulation.tally.note('a loss was left out');
      return this.later(LOSS_RETRY_MS, () => this.goBack(machine, putBack, retries - 1));
    }
    this.ledger.loses(machine);
    machine.crash(false, false);
    putBack();
    this.simulation.tally.note('an older folder was put back');
    machine.loseFolder();
    machine.start();
  }

  /** Of the first partition's first object. Behind the back of the node, so that only its next start can see it. */
  private damage(machine: Machine, isAltered: boolean): void {
    const { store } = machine;
    const partition = partitionAt(0);
    const found = store?.scan(partition, undefined, 1)[0];
    if (store === undefined || found?.object === undefined || machine.isLost) return;
    store.apply(partition, found.key, isAltered ? altered(found.object) : undefined, []);
    this.simulation.tally.note('an object was damaged');
    store.durable(store.lastSequence, 'flush').then(() => {
      machine.crash(false, false);
      machine.start();
    });
  }

  private rot(machine: Machine, place: number, retries = LOSS_RETRIES): void {
    if (this.rotting.strike(machine, place)) return;
    if (retries === 0) return this.simulation.tally.note('a loss was left out');
    this.later(LOSS_RETRY_MS, () => this.rot(machine, place, retries - 1));
  }

  private startAgain(machine: Machine): void {
    machine.isHeldDown = false;
    machine.start();
  }

  private later(ms: number, task: () => void): void {
    this.simulation.world.schedule(ms, LABEL.fault, () => {
      if (!this.simulation.healed) task();
    });
  }

  private machine(index: number): Machine {
    return this.simulation.machine(index);
  }
}

/** Its siblings have their dots, but other bytes: lesser ones, so that owners who must choose choose what was written. */
function altered(object: Uint8Array): Uint8Array {
  const { siblings, context } = decodeContainer(object);
  const others = siblings.map(({ dot, version }) => ({ dot, version: version.with(-1, 0) }));
  return Uint8Array.from(encodeContainer({ siblings: others, context }));
}
