"""Seeded telephone talk (Mandarin by espeak-ng, pauses, line noise) and music: what no detector may take for a tone."""

import numpy as np

from tests.voicecore.signals import RATE_HZ, Signal, level_dbm0, noise, silence, spoken

VOICES = ("cmn", "cmn+f1", "cmn+f2", "cmn+f3", "cmn+f4", "cmn+m1", "cmn+m2", "cmn+m3", "cmn+m4", "cmn+m7")
SENTENCES = (
    "您好，这里是客户服务中心，请问有什么可以帮您？", "我的订单号码是一三八零零一三八零零零，麻烦您查一下。",
    "请稍等，我马上为您转接到人工坐席，感谢您的耐心等待。", "今天天气很好，我们下午三点在公司门口见面吧。",
    "一二三四五六七八九零。", "啊，嗯，哦，好的好的，没问题。", "发票已经寄出去了，大概两三天就能收到，注意查收。",
    "喂，喂，喂，听得见吗？", "这个月的话费一共是二百五十六块八毛。", "麻烦您把身份证号码报一下，我核对一下。",
    "嘟，嘟，嘟，嘟，怎么老是忙音？", "不，不，不，不，不，不是这样的。",
)  # fmt: skip


def talk(seed: int, seconds: float) -> Signal:
    """One talker: sentences, each in a voice's own speed and pitch, with pauses; noise of the line under all."""
    rng = np.random.default_rng(seed)
    voice, speed, pitch = str(rng.choice(VOICES)), int(rng.integers(120, 240)), int(rng.integers(10, 95))
    parts: list[Signal] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        text = "".join(str(sentence) for sentence in rng.permutation(SENTENCES)[:4])
        parts += [spoken(text, voice, speed, pitch), silence(float(rng.integers(50, 900)))]
    whole = np.concatenate(parts)[: int(seconds * RATE_HZ)]
    return whole * 10 ** (rng.uniform(-10, 4) / 20) + noise(rng, float(rng.uniform(-65, -40)), len(whole) / 8)


def music(rng: np.random.Generator, seconds: float) -> Signal:
    """Notes of a scale with harmonics, in a steady beat, sometimes chords: the most tone-like that is no tone."""
    beat = int(rng.uniform(0.15, 0.8) * RATE_HZ)
    whole = np.zeros(int(seconds * RATE_HZ) + 4 * beat)
    for start in range(0, int(seconds * RATE_HZ), beat):
        if rng.random() < 0.2:
            continue
        length = int(beat * rng.choice([0.5, 0.9, 1.0, 2.0]))
        time = np.arange(length) / RATE_HZ
        for semitone in rng.choice([-5, -3, 0, 0, 0, 2, 4, 7, 9, 12], int(rng.integers(1, 4))):
            base = 440 * 2 ** (int(semitone) / 12)
            for harmonic, weight in enumerate(rng.uniform(0, 1, 5) / np.arange(1, 6), start=1):
                fade = np.exp(-time * rng.uniform(0, 6))
                whole[start : start + length] += weight * fade * np.sin(2 * np.pi * base * harmonic * time)
    whole = whole[: int(seconds * RATE_HZ)]
    return whole * 10 ** ((rng.uniform(-25, -10) - level_dbm0(whole)) / 20)
