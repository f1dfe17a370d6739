"""Many SIP phones in one process, by pjsua2 (PJSIP's own stack and media). Run as `python -m tests.callers.phones`.

Commands come as JSON lines on stdin, events go as JSON lines to stdout; `tests.callers.client` is the other end.
One thread: pjsua2 dislikes Python threads, so the loop polls its events and stdin in turn.

Commands: add {ext, domain, secret, tone_hz, answer: "auto"|"refuse"|"ring", answer_after_s, talk_s, record_dir,
              name, register: true|false}
          codec {name}: the only codec of this process's phones from the next call on, such as "G722"; else G.711
          call {ext, to} · answer {ext} · hangup {ext} · hold {ext, on} · transfer {ext, to} · attend {ext}
          (attend: connect the two calls of this phone, RFC 3891 Replaces) · dtmf {ext, digits} · quit {}
Events:   ready · registered {ext, code} · ringing {ext, call, from, headers} · answered {ext, call} · media {ext, call}
          ended {ext, call, code, reason, wav, seconds} (its wav is complete) · done {id} · error {id, text}
Each command bears an id and is answered by `done` or `error` with it, once it has been carried out.
"""

import contextlib
import itertools
import json
import os
import select
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pjsua2 as pj

POLL_MS = 10
MOST_CALLS = 4
"""PJSUA_MAX_CALLS of the wheel: more at once are refused with 486 before we hear of them."""


numbers = itertools.count()
WAV_LIMIT_S = 5.0
"""So long `ended` waits for its recording."""


REFUSE_AFTER_S = 0.5
"""At once, where many refuse for long, PJSIP runs out of sockets: it gives closed ones back half a second later."""


def emit(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, "at": time.time(), **fields}) + "\n")
    sys.stdout.flush()


def finished(wav: Path) -> bool:
    """Whether the header has got its length (RIFF), which is written last."""
    with wav.open("rb") as file:
        header = file.read(12)
    return header[8:] == b"WAVE" and int.from_bytes(header[4:8], "little") + 8 == wav.stat().st_size


def quoted(name: str) -> str:
    """A display name as RFC 3261 writes it."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '" ' if name else ""


class PhoneCall(pj.Call):
    def __init__(self, phone: "Phone", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone, call_id)
        # Never destroyed: the destructor of an ended call would hang up the next one, which has its id by then.
        self.__disown__()
        self.number = next(numbers)
        """In events: pjsua's own id is another call's as soon as this one has ended."""
        self.over = False
        self.phone = phone
        self.recorder: pj.AudioMediaRecorder | None = None
        self.wav = ""
        self.answered_at = 0.0

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.answered_at = time.time()
            emit("answered", ext=self.phone.ext, call=self.number)
            if self.phone.talk_s:
                self.phone.farm.later(self.phone.talk_s, self.end)
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            seconds = time.time() - self.answered_at if self.answered_at else 0.0
            self.recorder = None  # the bridge closes the wav, some frames later
            self.over = True
            self.phone.calls.discard(self)
            fields = {"code": int(info.lastStatusCode), "reason": info.lastReason, "wav": self.wav, "seconds": seconds}
            tell = partial(emit, "ended", ext=self.phone.ext, call=self.number, at=time.time(), **fields)
            self.phone.farm.once(lambda: not self.wav or finished(Path(self.wav)), WAV_LIMIT_S, tell)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE:
                continue
            audio = self.getAudioMedia(index)
            self.phone.tone.startTransmit(audio)
            if self.recorder is None and self.phone.record_dir:
                self.recorder = pj.AudioMediaRecorder()
                self.wav = str(Path(self.phone.record_dir) / f"{self.phone.ext}-{self.number}-{time.time_ns()}.wav")
                self.recorder.createRecorder(self.wav)
            if self.recorder is not None:
                audio.startTransmit(self.recorder)
            emit("media", ext=self.phone.ext, call=self.number)

    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        emit("transfer_request", ext=self.phone.ext, to=prm.dstUri)

    def end(self, code: int = 0) -> None:
        if self.over:
            return
        with contextlib.suppress(pj.Error):
            prm = pj.CallOpParam()
            prm.statusCode = code
            self.hangup(prm)


class Phone(pj.Account):
    def __init__(self, farm: "Farm", spec: dict[str, Any]) -> None:
        super().__init__()
        self.farm = farm
        self.ext: str = spec["ext"]
        self.domain: str = spec["domain"]
        self.answer: str = spec.get("answer", "auto")
        self.answer_after_s: float = spec.get("answer_after_s", 0.0)
        self.talk_s: float = spec.get("talk_s", 0.0)
        self.record_dir: str = spec.get("record_dir", "")
        self.calls: set[PhoneCall] = set()
        self.tone = pj.ToneGenerator()
        self.tone.createToneGenerator(8000, 1)
        desc = pj.ToneDesc()
        desc.freq1, desc.freq2, desc.on_msec, desc.off_msec = int(spec["tone_hz"]), 0, 1000, 0
        desc.volume = 8000
        tones = pj.ToneDescVector()
        tones.append(desc)
        self.tone.play(tones, True)
        config = pj.AccountConfig()
        config.idUri = f"{quoted(spec.get('name', ''))}<sip:{self.ext}@{self.domain}>"
        if spec.get("register", True):
            config.regConfig.registrarUri = f"sip:{self.domain}"
            config.regConfig.timeoutSec = 120
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", self.ext, 0, spec["secret"]))
        self.create(config)

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        emit("registered", ext=self.ext, code=int(prm.code), expires=int(prm.expiration))

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        call = PhoneCall(self, prm.callId)
        self.calls.add(call)
        info = call.getInfo()
        emit("ringing", ext=self.ext, call=call.number, **{"from": info.remoteUri}, message=prm.rdata.wholeMsg)
        if self.answer == "refuse":
            self.farm.later(REFUSE_AFTER_S, lambda: call.end(486))
            return
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        call.answer(ringing)
        if self.answer == "auto":
            self.farm.later(self.answer_after_s, lambda: self.pick_up(call))

    def pick_up(self, call: PhoneCall) -> None:
        if call.over:  # its id is another call's by now
            return
        with contextlib.suppress(pj.Error):
            prm = pj.CallOpParam()
            prm.statusCode = 200
            call.answer(prm)


class Farm:
    def __init__(self) -> None:
        self.endpoint = pj.Endpoint()
        self.phones: dict[str, Phone] = {}
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        self.timers.append((time.monotonic() + delay_s, action))

    def once(self, holds: Callable[[], bool], limit_s: float, action: Callable[[], None]) -> None:
        """Does it as soon as `holds`, or after the limit."""
        end = time.monotonic() + limit_s

        def look() -> None:
            if holds() or time.monotonic() > end:
                action()
            else:
                self.later(POLL_MS / 1000, look)

        look()

    def start(self, bind: str, port: int) -> None:
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MOST_CALLS
        config.logConfig.level = int(os.environ.get("PHONES_LOG", "0"))
        config.logConfig.consoleLevel = config.logConfig.level
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.clockRate = 8000
        config.medConfig.sndClockRate = 8000
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = bind
        transport.port = port
        transport.publicAddress = bind
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        self.use("PCMA", "PCMU")

    def use(self, *codecs: str) -> None:
        names = [codec.codecId for codec in self.endpoint.codecEnum2()]
        if not any(name.startswith(codecs) for name in names):
            raise ValueError(f"no codec {codecs}; there are {names}")
        for name in names:
            self.endpoint.codecSetPriority(name, 200 if name.startswith(codecs) else 0)

    def one_call(self, ext: str) -> PhoneCall:
        calls = sorted(self.phones[ext].calls, key=lambda call: call.number)
        if not calls:
            raise ValueError(f"{ext} has no call")
        return calls[0]

    def do(self, command: dict[str, Any]) -> None:
        verb = getattr(self, f"do_{command['do']}", None)
        if verb is None:
            raise ValueError(f"unknown command {command['do']!r}")
        verb(**{key: value for key, value in command.items() if key not in ("do", "id")})

    def do_add(self, **spec: Any) -> None:
        self.phones[spec["ext"]] = Phone(self, spec)

    def do_set(self, ext: str, **options: Any) -> None:
        for key in ("answer", "answer_after_s", "talk_s"):
            if key in options:
                setattr(self.phones[ext], key, options[key])

    def do_codec(self, name: str) -> None:
        self.use(f"{name}/")

    def do_call(self, ext: str, to: str) -> None:
        phone = self.phones[ext]
        call = PhoneCall(phone)
        phone.calls.add(call)
        call.makeCall(f"sip:{to}@{phone.domain}", pj.CallOpParam(True))

    def do_answer(self, ext: str) -> None:
        self.phones[ext].pick_up(self.one_call(ext))

    def do_hangup(self, ext: str) -> None:
        for call in list(self.phones[ext].calls):
            call.end()

    def do_hold(self, ext: str, on: bool) -> None:
        call = self.one_call(ext)
        prm = pj.CallOpParam(True)
        if on:
            call.setHold(prm)
        else:
            prm.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(prm)

    def do_transfer(self, ext: str, to: str) -> None:
        self.one_call(ext).xfer(f"sip:{to}@{self.phones[ext].domain}", pj.CallOpParam())

    def do_attend(self, ext: str) -> None:
        first, second = sorted(self.phones[ext].calls, key=lambda call: call.number)[:2]
        first.xferReplaces(second, pj.CallOpParam())

    def do_dtmf(self, ext: str, digits: str) -> None:
        self.one_call(ext).dialDtmf(digits)

    def run(self) -> None:
        emit("ready")
        pending = b""
        while True:
            self.endpoint.libHandleEvents(POLL_MS)
            now = time.monotonic()
            due = [action for at, action in self.timers if at <= now]
            self.timers = [(at, action) for at, action in self.timers if at > now]
            for action in due:
                action()
            if not select.select([0], [], [], 0)[0]:
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if command["do"] == "quit":
                    return
                try:
                    self.do(command)
                except (pj.Error, ValueError, KeyError) as error:
                    text = error.info() if isinstance(error, pj.Error) else str(error)
                    emit("error", id=command["id"], text=text)
                else:
                    emit("done", id=command["id"])

    def stop(self) -> None:
        for phone in self.phones.values():
            for call in list(phone.calls):
                call.end()
        end = time.monotonic() + 1.0
        while time.monotonic() < end and any(phone.calls for phone in self.phones.values()):
            self.endpoint.libHandleEvents(POLL_MS)
        for phone in self.phones.values():
            phone.calls.clear()
            phone.shutdown()
            del phone.tone  # before the library: a port that outlives its bridge aborts the process
        self.phones.clear()
        self.endpoint.libDestroy()


def main() -> None:
    farm = Farm()
    farm.start(sys.argv[1], int(sys.argv[2]))
    try:
        farm.run()
    finally:
        farm.stop()


if __name__ == "__main__":
    main()
