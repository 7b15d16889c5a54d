/** How often interesting things happened: a run that never reaches a state proves nothing about it. */
export class Tally {
  private readonly counts = new Map<string, number>();

  note(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  add(counts: Iterable<readonly [string, number]>): void {
    for (const [what, times] of counts) this.note(what, times);
  }

  count(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
