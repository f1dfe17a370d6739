import type { Role } from '@sa800/sdk';

/** Least role a page asks for; the same rule as the box's `Role.allows` (the box decides, this only hides). */
export type Access = 'any' | 'agent' | 'supervisor' | 'technician' | 'admin';

export function allows(access: Access, role: Role): boolean {
  if (access === 'any' || role === 'admin') return true;
  const allowed: Record<Exclude<Access, 'any'>, readonly Role[]> = {
    agent: ['agent', 'supervisor'],
    supervisor: ['supervisor'],
    technician: ['technician'],
    admin: [],
  };
  return allowed[access].includes(role);
}

/** Where a role begins its day. */
export function homeOf(role: Role): string {
  return { agent: '/desk', supervisor: '/board', admin: '/board', technician: '/alarms' }[role];
}
