/**
 * One life of a simulated process: from its start to its crash. What was under way when it ends never happens; while it is paused,
 * what is due waits, as behind SIGSTOP.
 */
export class NodeLife {
  private state: 'running' | 'paused' | 'over' = 'running';
  private held: (() => void)[] = [];

  get isOver(): boolean {
    return this.state === 'over';
  }

  get isPaused(): boolean {
    return this.state === 'paused';
  }

  run(task: () => void): void {
    if (this.state === 'running') task();
    else if (this.state === 'paused') this.held.push(task);
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const { held } = this;
    this.held = [];
    for (const task of held) this.run(task);
  }

  end(): void {
    this.state = 'over';
    this.held = [];
  }
}
