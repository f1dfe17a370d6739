import type { SipAccount } from '@sa800/sdk';
import { UA } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent, UnRegisteredEvent } from 'jssip/lib/UA';
import { MediaPath } from './path';
import {
  hurryCandidates,
  keepTransaction,
  listen,
  newCall,
  restartIce,
  survivePathLoss,
  surviveSocketLoss,
  watchPath,
} from './session';
import { PhoneSocket } from './socket';
import type { PhoneCall, PhoneEvents } from './types';

interface Line {
  call: PhoneCall;
  session: RTCSession;
  path: MediaPath;
}

/** Milliseconds. */
const KEEPALIVE_MS = 10_000;
const SILENCE_MS = 4_000;
const REGISTER_AGAIN_MS = 2_000;
const RENEGOTIATE_TRIES = 6;

const AUDIO: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: false,
};

/**
 * The browser's SIP phone. It outlives its socket: sound goes on beside it, and after a reconnect the phone registers
 * and renegotiates each established call, so that either both sides have the call or neither has (no ghost call).
 */
export class Phone {
  private ua: UA | null = null;
  private socket: PhoneSocket | null = null;
  private account: SipAccount | null = null;
  private readonly lines = new Map<string, Line>();
  private lostWhileRinging: RTCSession[] = [];
  private registerTimer: ReturnType<typeof setTimeout> | undefined;
  private keepalive: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly events: PhoneEvents,
    private readonly getAccount: () => Promise<SipAccount>,
  ) {}

  async start(): Promise<void> {
    this.events.state('connecting', '');
    const account = await this.getAccount();
    this.account = account;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new PhoneSocket(`${scheme}://${location.host}${account.ws_path}`);
    this.socket = socket;
    const token = crypto.getRandomValues(new Uint32Array(2)).join('');
    this.ua = new UA({
      // The front checks that every request is from this user: in dialogs that called us, From is our contact.
      contact_uri: `sip:${account.username}@${token}.invalid;transport=ws`,
      sockets: socket,
      uri: `sip:${account.username}@${account.realm}`,
      authorization_user: account.username,
      password: account.secret,
      register_expires: 120,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 1,
      user_agent: 'SA800 panel',
    });
    this.listenTo(this.ua);
    this.ua.start();
    this.keepalive = setInterval(() => this.probe(), KEEPALIVE_MS);
  }

  /** Hangs up, unregisters, forgets everything. Also called while the page goes away: BYE leaves before the socket. */
  stop(): void {
    clearTimeout(this.registerTimer);
    clearInterval(this.keepalive);
    for (const { session, path } of this.lines.values()) {
      path.stop();
      quietly(() => session.terminate());
    }
    this.lines.clear();
    this.lostWhileRinging = [];
    const ua = this.ua;
    this.ua = null;
    ua?.removeAllListeners();
    ua?.stop();
    this.publish();
    this.events.state('off', '');
  }

  /** A second call while one is there is the consultation of an attended transfer. */
  dial(number: string): void {
    this.ua?.call(this.target(number), this.media());
  }

  answer(id: string): void {
    this.lines.get(id)?.session.answer(this.media());
  }

  hangup(id: string): void {
    const line = this.lines.get(id);
    if (line) quietly(() => line.session.terminate(line.call.state === 'ringing' ? { status_code: 486 } : {}));
  }

  hold(id: string, on: boolean): void {
    const session = this.lines.get(id)?.session;
    if (on) session?.hold();
    else session?.unhold();
  }

  mute(id: string, on: boolean): void {
    const session = this.lines.get(id)?.session;
    if (on) session?.mute({ audio: true });
    else session?.unmute({ audio: true });
  }

  keys(id: string, tones: string): void {
    const session = this.lines.get(id)?.session;
    quietly(() => session?.sendDTMF(tones, { transportType: 'RFC2833' as never, duration: 120, interToneGap: 80 }));
  }

  /** Blind: the far side is sent to `number`, this call ends. */
  transfer(id: string, number: string): void {
    this.refer(id, this.target(number), [id]);
  }

  /** Attended: the far side of `id` is connected with the far side of the consultation; both calls end here. */
  join(id: string, consultationId: string): void {
    const other = this.lines.get(consultationId)?.session;
    if (other) this.refer(id, other.remote_identity.uri.toString(), [id, consultationId], other);
  }

  /**
   * Asterisk leaves it to the one who transfers to hang up, and does so itself only a minute later. Refused at once:
   * the call is still here. A final failure comes after the far side has left, so that call is over, too.
   */
  private refer(id: string, target: string, over: readonly string[], replaces?: RTCSession): void {
    const gone = () => {
      for (const each of over) this.hangup(each);
    };
    const refused = () => this.events.transferRefused();
    const eventHandlers = { accepted: gone, failed: gone, requestFailed: refused };
    quietly(() => this.lines.get(id)?.session.refer(target, { eventHandlers, ...(replaces && { replaces }) }));
  }

  private target(number: string): string {
    return `sip:${encodeURIComponent(number)}@${this.account?.realm ?? ''}`;
  }

  private media() {
    return {
      mediaConstraints: AUDIO,
      pcConfig: { iceServers: (this.account?.ice ?? []).map((urls) => ({ urls })) },
      rtcOfferConstraints: { offerToReceiveAudio: true },
    };
  }

  private listenTo(ua: UA): void {
    ua.on('connected', () => this.recover());
    ua.on('disconnected', () => this.lost());
    ua.on('registered', () => this.events.state('registered', ''));
    ua.on('registrationFailed', (event: UnRegisteredEvent) => this.refused(event));
    ua.on('newRTCSession', (event: RTCSessionEvent) => this.arrived(event));
  }

  private arrived(event: RTCSessionEvent): void {
    const { session } = event;
    const incoming = session.direction === 'incoming';
    if (incoming) {
      if (this.lines.size > 0) {
        session.terminate({ status_code: 486 });
        return;
      }
      performance.mark('sa800-invite');
      keepTransaction(session);
    }
    const consultation = !incoming && this.lines.size > 0;
    const call = newCall(session, incoming ? 'in' : 'out', consultation);
    const path = new MediaPath({
      restart: () => session.isEstablished() && this.socket?.isConnected() && restartIce(session),
      mending: (on) => this.change(call, { mending: on }),
      giveUp: () => quietly(() => session.terminate()),
    });
    const line = { call, session, path };
    this.lines.set(call.id, line);
    surviveSocketLoss(session);
    survivePathLoss(session);
    hurryCandidates(session);
    watchPath(session, path);
    listen(session, (stream) => this.events.sound(call.id, stream));
    this.follow(line);
    this.publish();
  }

  private follow({ call, session, path }: Line): void {
    const change = (part: Partial<PhoneCall>) => this.change(call, part);
    const over = (cause: string) => {
      path.stop();
      this.lines.delete(call.id);
      change({ state: 'ended', cause });
      this.events.ended(call);
    };
    session.on('accepted', () => change({ state: 'talking', answeredAt: Date.now() }));
    session.on('hold', (event) => String(event.originator) === 'local' && change({ held: true }));
    session.on('unhold', (event) => String(event.originator) === 'local' && change({ held: false }));
    session.on('muted', () => change({ muted: true }));
    session.on('unmuted', () => change({ muted: false }));
    session.on('ended', () => over(''));
    session.on('failed', (event) => over(event.cause));
  }

  private change(call: PhoneCall, part: Partial<PhoneCall>): void {
    Object.assign(call, part);
    this.publish();
  }

  private publish(): void {
    this.events.calls([...this.lines.values()].map(({ call }) => ({ ...call })));
  }

  /** The socket is gone. Talk goes on; what only rings cannot be answered any more. */
  private lost(): void {
    if (this.ua === null) return;
    this.events.state('reconnecting', '');
    for (const [id, { call, session }] of this.lines) {
      if (call.state !== 'ringing') continue;
      this.lines.delete(id);
      this.lostWhileRinging.push(session);
    }
    this.publish();
  }

  /** The socket is back (JsSIP registers by itself): refuse what rang, so that it is offered anew; renegotiate talks. */
  private recover(): void {
    for (const session of this.lostWhileRinging.splice(0)) quietly(() => session.terminate({ status_code: 480 }));
    for (const line of this.lines.values()) this.renegotiate(line, RENEGOTIATE_TRIES);
  }

  private renegotiate(line: Line, tries: number): void {
    const { session, path } = line;
    if (tries === 0 || !session.isEstablished() || !this.socket?.isConnected()) return;
    // JsSIP ends the call itself when the far side does not know it (481) or refuses.
    const offered = path.isLost ? restartIce(session) : session.renegotiate({});
    if (!offered) setTimeout(() => this.renegotiate(line, tries - 1), 250);
  }

  /** Refused or unanswered: ask for the secret of this session again, then register again. */
  private refused(event: UnRegisteredEvent): void {
    if (!this.socket?.isConnected()) return;
    this.events.state('failed', String(event.cause ?? ''));
    clearTimeout(this.registerTimer);
    this.registerTimer = setTimeout(() => void this.registerAgain(), REGISTER_AGAIN_MS);
  }

  private async registerAgain(): Promise<void> {
    const account = await this.getAccount().catch(() => null);
    if (this.ua === null) return;
    if (account !== null && account.secret !== this.account?.secret) {
      this.account = account;
      this.ua.set('password', account.secret);
    }
    this.ua.register();
  }

  /** A socket can be dead without the browser knowing: ask for a sign of life. */
  private probe(): void {
    const { ua, socket, account } = this;
    if (!ua || !socket?.isConnected() || !account) return;
    const askedAt = performance.now();
    if (askedAt - socket.heardAt < KEEPALIVE_MS) return;
    (ua as unknown as { sendOptions(target: string): void }).sendOptions(`sip:${account.realm}`);
    setTimeout(() => {
      if (this.socket === socket && socket.heardAt < askedAt) socket.abandon();
    }, SILENCE_MS);
  }
}

/** JsSIP throws when a call has just ended by itself; then the wish is fulfilled already. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    /* already ended */
  }
}
