import { C } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { MediaPath } from './path';
import type { PhoneCall } from './types';

/** What JsSIP does when a request of a call could not be sent; public by name only, absent from its types. */
interface SessionInternals {
  onTransportError(): void;
  _iceReady: boolean;
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

/** JsSIP hangs up when ICE fails. Established calls are given another way first; `giveUp` then ends them. */
export function survivePathLoss(session: RTCSession): void {
  const original = session.terminate.bind(session);
  session.terminate = (options) => {
    if (options?.cause !== C.causes.RTP_TIMEOUT || !session.isEstablished()) original(options);
  };
}

/** Tells `path` what becomes of the way of the sound, from the call's first connection on. */
export function watchPath(session: RTCSession, path: MediaPath): void {
  onConnection(session, (connection) => {
    const look = () => {
      const ice = connection.getSenders()[0]?.transport?.iceTransport;
      if (ice) ice.onselectedcandidatepairchange = look;
      const pair = ice?.getSelectedCandidatePair?.();
      const ends = [pair?.local, pair?.remote].filter((end) => !!end);
      path.feed({
        state: connection.iceConnectionState,
        credentials: ends.map((end) => end.usernameFragment).join(' '),
        addresses: ends.map((end) => `${end.address}:${end.port}`).join(' '),
      });
    };
    connection.addEventListener('iceconnectionstatechange', look);
  });
}

/** An offer with new credentials and candidates; false: not now, as another offer is on its way. */
export function restartIce(session: RTCSession): boolean {
  // Else JsSIP would take the candidates that it had when the call began for the new ones, and send none.
  (session as unknown as SessionInternals)._iceReady = false;
  return session.renegotiate({ rtcOfferConstraints: { iceRestart: true, offerToReceiveAudio: true } });
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
  onConnection(session, (connection) => {
    connection.addEventListener('track', (event) => heard(event.streams[0] ?? new MediaStream([event.track])));
  });
}

/** An own call has its connection at once, one that rings gets it when it is answered. */
function onConnection(session: RTCSession, attach: (connection: RTCPeerConnection) => void): void {
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
    mending: false,
    consultation,
    cause: '',
  };
}
