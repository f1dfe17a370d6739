import type { RTCSession } from 'jssip/lib/RTCSession';
import type { PhoneCall } from './types';

/** What JsSIP does when a request of a call could not be sent; public by name only, absent from its types. */
interface SessionInternals {
  onTransportError(): void;
  _request?: { server_transaction?: { onTransportError(): void } };
}

/**
 * JsSIP hangs up as soon as a request fails for want of a socket. But the talk runs beside the socket and the socket
 * comes back: established calls are kept and renegotiated then (`Phone.recover`), others end as JsSIP means it.
 */
export function surviveSocketLoss(session: RTCSession): void {
  const internals = session as unknown as SessionInternals;
  const original = internals.onTransportError.bind(session);
  internals.onTransportError = () => {
    if (!session.isEstablished()) original();
  };
}

/** Keeps the transaction of a ringing call, so that its refusal can still be sent over the next socket. */
export function keepTransaction(session: RTCSession): void {
  const transaction = (session as unknown as SessionInternals)._request?.server_transaction;
  if (transaction) transaction.onTransportError = () => undefined;
}

/** Candidates of this machine's own addresses come within milliseconds; do not wait for the last one. */
export function hurryCandidates(session: RTCSession): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  session.on('icecandidate', (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => event.ready(), 150);
  });
}

/** Calls `heard` with the far side's sound as soon as there is any. */
export function listen(session: RTCSession, heard: (stream: MediaStream) => void): void {
  const attach = (connection: RTCPeerConnection) => {
    connection.addEventListener('track', (event) => heard(event.streams[0] ?? new MediaStream([event.track])));
  };
  if (session.connection) attach(session.connection);
  session.on('peerconnection', (event) => attach(event.peerconnection));
}

let counter = 0;

export function newCall(session: RTCSession, direction: 'in' | 'out', consultation: boolean): PhoneCall {
  counter += 1;
  const peer = session.remote_identity;
  return {
    id: `p${counter}`,
    direction,
    number: peer.uri.user ?? '',
    name: peer.display_name && peer.display_name !== peer.uri.user ? peer.display_name : '',
    state: direction === 'in' ? 'ringing' : 'dialling',
    startedAt: Date.now(),
    answeredAt: null,
    muted: false,
    held: false,
    consultation,
    cause: '',
  };
}
