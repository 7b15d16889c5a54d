import { CAUSALITY_MUTATIONS } from './causality-mutations.ts';
import { CONTENT_MUTATIONS } from './content-mutations.ts';
import { HINT_MUTATIONS } from './hint-mutations.ts';
import { MEMBERSHIP_MUTATIONS } from './membership-mutations.ts';
import type { Mutation } from './mutation.ts';
import { RAFT_MUTATIONS } from './raft-mutations.ts';
import { REPAIR_MUTATIONS } from './repair-mutations.ts';
import { REQUEST_MUTATIONS } from './request-mutations.ts';
import { RETIREMENT_MUTATIONS } from './retirement-mutations.ts';
import { STORAGE_MUTATIONS } from './storage-mutations.ts';

/** Every way in which the product is broken on purpose. */
export const MUTATIONS: readonly Mutation[] = [
  ...REQUEST_MUTATIONS,
  ...CAUSALITY_MUTATIONS,
  ...HINT_MUTATIONS,
  ...STORAGE_MUTATIONS,
  ...MEMBERSHIP_MUTATIONS,
  ...RAFT_MUTATIONS,
  ...REPAIR_MUTATIONS,
  ...CONTENT_MUTATIONS,
  ...RETIREMENT_MUTATIONS,
];
