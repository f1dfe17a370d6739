"""Caller id that was made is read again, and nothing else is. Needs no board."""

import numpy as np
import pytest
from callerid import CallerId, Modem, NoCallerIdError, decoded, fsk, message
from sounds import RATE_HZ, TONE_HZ, noise, silence, tone


@pytest.mark.parametrize("modem", Modem)
def test_a_message_is_read_between_rings_and_noise(modem: Modem) -> None:
    rng = np.random.default_rng(1)
    sent = fsk(message("075588886666", "Zhang San"), modem)
    heard = np.concatenate([silence(0.7), sent, silence(1)])
    heard += noise(rng, len(heard) / RATE_HZ, -40)
    assert decoded(heard, modem) == CallerId("075588886666", "Zhang San")


def test_a_message_that_was_hurt_is_none() -> None:
    sent = fsk(message("13800138000"), Modem.BELL_202)
    hurt = np.concatenate([sent[:3500], sent[3600:]])
    for sound in (hurt, tone(2, TONE_HZ), silence(1), sent[:3000]):
        with pytest.raises(NoCallerIdError):
            decoded(sound, Modem.BELL_202)
