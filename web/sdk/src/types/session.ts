export type Role = 'admin' | 'supervisor' | 'agent' | 'technician';
export type Language = 'zh' | 'en';
export type ExtensionKind = 'phone' | 'browser' | 'analog';

export interface BoxStatus {
  product: string;
  edition: string;
  version: string;
  box_id: string;
  setup_needed: boolean;
  asterisk: 'up' | 'down';
  language: Language;
}

export interface Session {
  user: { id: string; login: string; name: string; role: Role; language: Language };
  extension: string | null;
  extension_kind: ExtensionKind | null;
  expires_at: string;
  /** Of the site (IANA). */
  timezone: string;
}

export interface SetupRequest {
  token: string;
  login: string;
  password: string;
  name: string;
  language: Language;
}

/** How this session's browser phone registers. The secret dies with the session. */
export interface SipAccount {
  username: string;
  secret: string;
  realm: string;
  ws_path: string;
  /** Addresses of ICE servers (`stun:…`); none are needed on one network. */
  ice: string[];
}

export interface User {
  id: string;
  login: string;
  name: string;
  role: Role;
  extension: string | null;
  language: Language;
  active: boolean;
}

export type UserWrite = Omit<User, 'id'> & { password?: string };

export interface AuditEntry {
  id: number;
  at: string;
  login: string;
  address: string;
  action: string;
  detail: Record<string, unknown>;
}

export interface AuditQuery {
  from?: string;
  to?: string;
  login?: string;
  action?: string;
  limit?: number;
  offset?: number;
}

export interface Page<T> {
  items: T[];
  total: number;
}
