import { LinkProxy, type Passage } from './link-proxy.ts';

/** Every connection between nodes goes through a proxy of its own: one for each that dials and each that is dialed. */
export class ProxiedNetwork {
  private readonly links: ReadonlyMap<string, LinkProxy>;
  private readonly ids: readonly string[];

  private constructor(ids: readonly string[], links: ReadonlyMap<string, LinkProxy>) {
    this.ids = ids;
    this.links = links;
  }

  static async between(ids: readonly string[], portOf: (id: string) => number): Promise<ProxiedNetwork> {
    const links = new Map<string, LinkProxy>();
    for (const from of ids) {
      for (const to of ids) if (from !== to) links.set(name(from, to), await LinkProxy.to(portOf(to)));
    }
    return new ProxiedNetwork(ids, links);
  }

  /** Where `from` is to dial `to`. */
  portOf(from: string, to: string): number {
    return this.link(from, to).port;
  }

  /** What `from` sends to `to`, whichever of them dialed; the other way goes on as before. */
  oneWay(from: string, to: string, passage: Passage): void {
    this.link(from, to).set('there', passage);
    this.link(to, from).set('back', passage);
  }

  /** Nothing goes between any of these and any of those. */
  cut(these: readonly string[], those: readonly string[], passage: Exclude<Passage, 'open'>): void {
    for (const one of these) {
      for (const other of those) {
        this.oneWay(one, other, passage);
        this.oneWay(other, one, passage);
      }
    }
  }

  /** Connections between any of these and any of those end, and new ones are refused. */
  refuse(these: readonly string[], those: readonly string[]): void {
    for (const one of these) {
      for (const other of those) {
        this.link(one, other).refuse(true);
        this.link(other, one).refuse(true);
      }
    }
  }

  /** All is as it was. */
  heal(): void {
    for (const from of this.ids) {
      for (const to of this.ids) {
        if (from === to) continue;
        this.link(from, to).refuse(false);
        this.oneWay(from, to, 'open');
      }
    }
  }

  close(): void {
    for (const link of this.links.values()) link.close();
  }

  private link(from: string, to: string): LinkProxy {
    const link = this.links.get(name(from, to));
    if (link === undefined) throw new Error(`no link from ${from} to ${to}`);
    return link;
  }
}

function name(from: string, to: string): string {
  return `${from} ${to}`;
}
