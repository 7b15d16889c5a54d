/** When the metadata log is cut down to a snapshot. */
export interface MetadataLogLimits {
  /** Applied entries since the last snapshot. */
  readonly compactAfter: number;
  /** Entries kept behind it, for followers that are not far behind. */
  readonly kept: number;
}

export const METADATA_LOG: MetadataLogLimits = { compactAfter: 1000, kept: 100 };
