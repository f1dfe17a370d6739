/** `elsewhere`: another page of this computer is the phone. */
export type PhoneState = 'off' | 'connecting' | 'registered' | 'reconnecting' | 'failed' | 'elsewhere';

export type PhoneCallState = 'ringing' | 'dialling' | 'talking' | 'ended';

/** One call of this phone as the desk shows it. Times are this computer's, ms. */
export interface PhoneCall {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly number: string;
  readonly name: string;
  state: PhoneCallState;
  startedAt: number;
  answeredAt: number | null;
  muted: boolean;
  held: boolean;
  /** The sound is lost; another way for it is looked for. */
  mending: boolean;
  /** The second call of an attended transfer. */
  consultation: boolean;
  /** Why it ended: a JsSIP cause, '' while it lives or when it simply ended. */
  cause: string;
}

export interface PhoneEvents {
  state(state: PhoneState, detail: string): void;
  calls(calls: readonly PhoneCall[]): void;
  ended(call: PhoneCall): void;
  /** The box does not take this transfer: the call goes on here. */
  transferRefused(): void;
  /** The sound of the far side, to be played. */
  sound(callId: string, stream: MediaStream): void;
}
