import type { Distribution } from '../report/bench-report.ts';

/** Which operations a workload is made of: shares of one. */
export interface Mix {
  readonly name: string;
  readonly read: number;
  readonly update: number;
  /** Of a key that is new. */
  readonly insert: number;
  readonly readModifyWrite: number;
  /** What the workload is defined with. */
  readonly distribution: Distribution;
}

const NONE = { read: 0, update: 0, insert: 0, readModifyWrite: 0 };

export const PUT: Mix = { ...NONE, name: 'PUT', update: 1, distribution: 'uniform' };
export const GET: Mix = { ...NONE, name: 'GET', read: 1, distribution: 'uniform' };
export const HALF_AND_HALF: Mix = {
  ...NONE,
  name: 'half reads, half writes',
  read: 0.5,
  update: 0.5,
  distribution: 'uniform',
};
export const READ_MODIFY_WRITE: Mix = {
  ...NONE,
  name: 'read-modify-write',
  readModifyWrite: 1,
  distribution: 'uniform',
};

/** Cooper et al., "Benchmarking cloud serving systems with YCSB", SoCC 2010, table 2, and F of the YCSB distribution. E scans, which is another question. */
export const YCSB: readonly Mix[] = [
  { ...NONE, name: 'YCSB A', read: 0.5, update: 0.5, distribution: 'zipfian' },
  { ...NONE, name: 'YCSB B', read: 0.95, update: 0.05, distribution: 'zipfian' },
  { ...NONE, name: 'YCSB C', read: 1, distribution: 'zipfian' },
  { ...NONE, name: 'YCSB D', read: 0.95, insert: 0.05, distribution: 'latest' },
  { ...NONE, name: 'YCSB F', read: 0.5, readModifyWrite: 0.5, distribution: 'zipfian' },
];
