import type { NodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Calls } from '../rpc/calls.ts';
import { isLatestFolder, type KnownStart, type LatestFolderNeeds, turnsOutOlder } from './latest-folder.ts';
import type { MetadataGroup } from './metadata-group.ts';
import type { StartRecord } from './store-identity.ts';

export interface FolderWatchNeeds {
  readonly self: NodeId;
  readonly peers: readonly NodeId[];
  readonly calls: Calls;
  readonly clock: Clock;
  readonly isStopped: () => boolean;
  readonly onFatal: (error: Error) => void;
}

/** For so long a node hears of no leader before it asks whether it is still known. */
const SILENCE_MS = 3000;

/** Whether the data folder is the one that the cluster knows of this node: before it takes part, until it has its grant, and from then on. */
export class FolderWatch {
  private readonly needs: FolderWatchNeeds;
  private readonly group: MetadataGroup;

  constructor(needs: FolderWatchNeeds, group: MetadataGroup) {
    this.needs = needs;
    this.group = group;
  }

  /** Whether it may take part: asked before anything is sent. */
  isLatest(starts: StartRecord): Promise<boolean> {
    return isLatestFolder(this.folderNeeds(this.needs.isStopped, this.isBehind(starts)));
  }

  /** Stops the group when somebody knows a later folder; until `isOver`. */
  untilGranted(starts: StartRecord, isOver: () => boolean): void {
    const isStopped = () => isOver() || this.isStopped;
    turnsOutOlder(this.folderNeeds(isStopped, this.isBehind(starts))).then((isOlder) => {
      if (isOlder) this.group.stop();
    }, this.needs.onFatal);
  }

  /**
   * Another process of this node, with another folder, may take its place while this one is cut off or stands still. Nobody in the
   * metadata group speaks to it then, yet what it says and does would count as this owner's: it ends.
   */
  fromNowOn(): void {
    const { self, clock, onFatal } = this.needs;
    let heardMs = clock.monotonicMs();
    const isUnsure = (): boolean => {
      if (this.group.leader !== undefined) heardMs = clock.monotonicMs();
      return clock.monotonicMs() - heardMs > SILENCE_MS;
    };
    const hasLaterPlace = ({ raft }: KnownStart): boolean => raft > this.group.id;
    turnsOutOlder(
      this.folderNeeds(() => this.isStopped, hasLaterPlace),
      isUnsure,
    ).then((isReplaced) => {
      if (isReplaced)
        onFatal(new FatalError(`${self} takes part in the cluster with another data folder than this one`, 2));
    }, onFatal);
  }

  private get isStopped(): boolean {
    return this.needs.isStopped() || this.group.isStopped;
  }

  private folderNeeds(isStopped: () => boolean, isBehind: LatestFolderNeeds['isBehind']): LatestFolderNeeds {
    const { peers, calls, clock } = this.needs;
    return { peers, calls, clock, isBehind, isStopped };
  }

  /** Who knows an earlier place of this node than the folder does is behind itself. */
  private isBehind(starts: StartRecord): LatestFolderNeeds['isBehind'] {
    const { id } = this.group;
    return ({ raft, grant, start }) => raft > id || (raft === id && start !== '' && starts.isBehind(grant, start));
  }
}
