import type { CallLeg } from '@sa800/sdk';

/** Who a leg is with: extension, number and trunk, as far as there are any. */
export function legParty(leg: CallLeg): string {
  return [leg.extension, leg.number !== leg.extension ? leg.number : '', leg.trunk].filter(Boolean).join(' · ');
}
