import { REGISTER_INITIAL, type RegisterCall } from '../clients.ts';
import { checkLinearizable } from '../linearizability/check-linearizable.ts';
import { describeViolation } from '../linearizability/describe-violation.ts';
import type { Operation } from '../linearizability/model.ts';
import { type SettingsInput, type SettingsOutput, settingsRegister } from '../linearizability/settings-register.ts';
import type { Simulation } from '../simulation.ts';

/** Changes of a bucket's properties and fresh reads of them are linearizable, whoever leads and whatever is lost. */
export function checkMetadata(simulation: Simulation): void {
  const { clients, tally } = simulation;
  const history = clients.register.flatMap(operationOf);
  if (history.length === 0) return;
  tally.note('metadata operations', history.length);
  const verdict = checkLinearizable(MODEL, history);
  if (verdict.kind === 'unknown') tally.note('a metadata history was too long to judge');
  if (verdict.kind === 'violation') simulation.violated('metadata', describeViolation(MODEL, verdict));
}

const MODEL = settingsRegister(REGISTER_INITIAL);
const NAME = 'register';

/** A read that got no answer says nothing; a write that got none may take effect at any later time. */
function operationOf({
  client,
  call,
  invokedMs,
  completedMs,
  result,
}: RegisterCall): Operation<SettingsInput<number>, SettingsOutput<number>>[] {
  const answer = { process: client, calledAt: invokedMs };
  if (call.kind === 'read') {
    if (result?.kind !== 'value' || completedMs === undefined) return [];
    return [{ ...answer, input: { kind: 'read', name: NAME }, returned: { at: completedMs, output: result } }];
  }
  const isKnown = result?.kind === 'done' && completedMs !== undefined;
  const returned = isKnown ? { at: completedMs, output: { kind: 'written' } as const } : undefined;
  return [{ ...answer, input: { kind: 'write', name: NAME, value: call.value }, returned }];
}
