import type { FieldError } from '../errors.js';
import type { AnalogSet, E1Span, FxoPort, LineTrunk, LinkSet } from './lines.js';
import type { ExtensionKind, Language } from './session.js';

export type Codec = 'alaw' | 'ulaw' | 'g722' | 'opus';
export type RecordPolicy = 'always' | 'never';
export type Strategy = 'ring_all' | 'round_robin' | 'longest_idle';

export type Target =
  | { kind: 'menu'; menu: string }
  | { kind: 'queue'; queue: string }
  | { kind: 'extension'; extension: string }
  | { kind: 'hangup' };

export interface Extension {
  number: string;
  name: string;
  kind: ExtensionKind;
  secret?: string | null;
  /** Kind `analog` only. */
  analog?: AnalogSet | null;
  record: RecordPolicy;
}

/** Over SIP. Over telephone lines: LineTrunk. */
export interface Trunk {
  id: string;
  name: string;
  host: string;
  port: number;
  username?: string | null;
  secret?: string | null;
  register_with: boolean;
  codecs: Codec[];
  max_calls: number;
}

export interface OutboundRoute {
  prefix: string;
  trunk: string;
}

export interface Did {
  number: string;
  name: string;
  target: Target;
  record: RecordPolicy;
}

export interface Prompt {
  id: string;
  name: string;
  language: Language;
  source: 'upload' | 'speech';
  text?: string | null;
}

export interface MenuOption {
  digit: string;
  target: Target;
}

export interface Menu {
  id: string;
  name: string;
  version: number;
  prompts: string[];
  invalid_prompt?: string | null;
  options: MenuOption[];
  wait_s: number;
  repeats: number;
  otherwise: Target;
}

export interface Queue {
  id: string;
  name: string;
  strategy: Strategy;
  seats: string[];
  ring_s: number;
  max_wait_s: number;
  wrap_up_s: number;
  max_waiting: number;
  music?: string | null;
  otherwise: Target;
  service_level_s: number;
}

export interface Site {
  name: string;
  timezone: string;
  language: Language;
}

export interface Network {
  sip_port: number;
  rtp_first: number;
  rtp_last: number;
  announced_address?: string | null;
}

/** Another box, to and from which the link is probed. */
export interface Peer {
  id: string;
  name: string;
  /** null: it has no address that we reach; it may ask us. */
  host?: string | null;
  port: number;
  secret?: string | null;
}

export interface Collections {
  extensions: Extension;
  trunks: Trunk;
  e1_spans: E1Span;
  fxo_ports: FxoPort;
  linksets: LinkSet;
  line_trunks: LineTrunk;
  outbound: OutboundRoute;
  dids: Did;
  prompts: Prompt;
  menus: Menu;
  queues: Queue;
  peers: Peer;
}

export type CollectionName = keyof Collections;

export type ConfigDocument = { [K in CollectionName]: Collections[K][] } & {
  schema_version: number;
  site: Site;
  network: Network;
};

export type ConfigFault = FieldError;

export interface ConfigState {
  /** The draft. Secrets are null for technicians. */
  document: ConfigDocument;
  /** Sent back with each change, so that two administrators do not overwrite each other. */
  revision: number;
  running_version: number;
  /** Whether the draft differs from what runs. */
  changed: boolean;
  /** Why the draft could not be applied now. */
  faults: ConfigFault[];
  /** The apply that goes on now. */
  active_job: string | null;
}

export interface ConfigChange {
  path: string;
  kind: 'add' | 'remove' | 'change';
  before: unknown;
  after: unknown;
}

export interface ConfigDiff {
  changes: ConfigChange[];
  files: { path: string; diff: string }[];
  reloads: string[];
  restart_because: string[];
  /** How many calls an apply with "now" would end at this moment. */
  calls_that_end: number;
  /** Whether an apply with "idle" would wait until there is no call. */
  waits: boolean;
  faults: ConfigFault[];
}

export interface JobStep {
  name: string;
  state: 'running' | 'done' | 'failed';
  ms: number;
  /** What was told to Asterisk and to the cards, in order. */
  log: string[];
}

export interface ApplyJob {
  id: string;
  version: number;
  when: 'now' | 'idle';
  step: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  steps: JobStep[];
  error: { key: string; message: string; hint?: string; fields?: ConfigFault[]; step?: string } | null;
  created_at: string;
  finished_at: string | null;
}

export interface ConfigVersion {
  version: number;
  at: string;
  by: string;
  comment: string;
  state: 'applying' | 'running' | 'superseded' | 'failed' | 'cancelled';
}
