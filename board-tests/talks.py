"""Seeded talks as an FXO port hears them: ring-back, a Mandarin speaker, music, the line's noise; and no busy tone."""

import io
import subprocess
import wave

import numpy as np
from sounds import RATE_HZ, RING_BACK_MS, Sound, cadence, level, noise, peak, silence

VOICES = ("cmn", "cmn+f1", "cmn+f2", "cmn+f3", "cmn+f5", "cmn+m1", "cmn+m3", "cmn+m5", "cmn+m6", "cmn+m8")
PHRASES = (
    "喂，你好。", "喂，喂，喂，听得到吗？", "请问是李先生吗？", "对对对，是的，是的。", "嗯，嗯，好，好，好。",
    "不是，不是，不是。",
    "我想查一下我的快递，单号是六六八八零一二三四五。", "您稍等一下，我帮您看看。",
    "一，二，三，四，五，六，七，八，九，十。",
    "我们公司在中山路二百三十五号，地铁三号线出来往东走五分钟就到了。", "价格是一千九百八十元，含税，三天之内发货。",
    "明天上午十点，可以，可以，没有问题。", "您的来电我们已经记录，稍后会有专人与您联系，请保持电话畅通。",
    "啊？什么？再说一遍。",
    "嘟，嘟，嘟，嘟，嘟，怎么又断了？", "哈，哈，哈，哈，太好了。", "谢谢，再见，再见，拜拜。", "等等，等等，等一等。",
)  # fmt: skip
ESPEAK_LIMIT_S = 60


def resampled(sound: Sound, rate_hz: int) -> Sound:
    """At 8000 Hz, nothing above 3400 Hz: what passes a telephone line. Cut and put together in the spectrum."""
    size = round(len(sound) * RATE_HZ / rate_hz)
    spectrum = np.fft.rfft(sound)[: size // 2 + 1]
    spectrum[np.arange(len(spectrum)) * RATE_HZ / size > 3400] = 0
    return np.fft.irfft(np.pad(spectrum, (0, size // 2 + 1 - len(spectrum))), size) * (size / len(sound))


def spoken(text: str, voice: str, words_a_minute: int, pitch: int) -> Sound:
    command = ["espeak-ng", "-v", voice, "-s", str(words_a_minute), "-p", str(pitch), "--stdout", text]
    said = subprocess.run(command, capture_output=True, check=True, timeout=ESPEAK_LIMIT_S).stdout
    with wave.open(io.BytesIO(said)) as file:
        rate = file.getframerate()
    return resampled(np.frombuffer(said[44:], "<i2") / 32768, rate)  # the header of a stream tells no length


def speech(rng: np.random.Generator, seconds: float) -> Sound:
    """One speaker of his own voice, pitch, speed, loudness and patience, who also listens."""
    voice, speed, pitch = str(rng.choice(VOICES)), int(rng.integers(110, 260)), int(rng.integers(10, 95))
    parts: list[Sound] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        said = spoken("".join(map(str, rng.permutation(PHRASES)[:3])), voice, speed, pitch)
        parts += [said, silence(rng.uniform(0.1, 1.5))]
    whole = np.concatenate(parts)[: round(seconds * RATE_HZ)]
    return np.asarray(whole * peak(rng.uniform(-26, -12) - level(whole) + 3.14))


def music(rng: np.random.Generator, seconds: float) -> Sound:
    """Music on hold: a tune with harmonics in a steady beat, staccato or not: rhythm may be mixed up with a cadence."""
    beat_s, staccato = rng.uniform(0.2, 0.8), rng.uniform(0.3, 1.0)
    whole = np.zeros(round((seconds + 1) * RATE_HZ))
    for number in range(int(seconds / beat_s)):
        if rng.random() < 0.15:
            continue
        time = np.arange(round(beat_s * staccato * RATE_HZ)) / RATE_HZ
        hz = 220 * 2 ** (int(rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16])) / 12)
        note = sum(np.sin(2 * np.pi * hz * n * time) / n**1.5 for n in range(1, 6)) * np.exp(-time * rng.uniform(0, 5))
        begin = round(number * beat_s * RATE_HZ)
        whole[begin : begin + len(note)] += note
    whole = whole[: round(seconds * RATE_HZ)]
    return np.asarray(whole * peak(rng.uniform(-26, -14) - level(whole) + 3.14))


def talk(seed: int, seconds: float = 20.0) -> Sound:
    """Ring-back, speech, sometimes music on hold, speech; the noise of a good or bad line under all."""
    rng = np.random.default_rng(seed)
    ring_back = cadence(RING_BACK_MS, level_dbm0=rng.uniform(-22, -10))[: round(rng.uniform(0.5, 5) * RATE_HZ)]
    held = music(rng, rng.uniform(3, 7)) if rng.random() < 0.5 else silence(0)
    rest_s = seconds - (len(ring_back) + len(held)) / RATE_HZ
    first_s = rng.uniform(0.3, 0.7) * rest_s
    whole = np.concatenate([ring_back, speech(rng, first_s), held, speech(rng, rest_s - first_s)])
    return np.asarray(whole + noise(rng, len(whole) / RATE_HZ, rng.uniform(-70, -38)))
