#include "signals.h"

#include <errno.h>
#include <string.h>

const double VC_DTMF_LOW_HZ[4] = {697, 770, 852, 941};
const double VC_DTMF_HIGH_HZ[4] = {1209, 1336, 1477, 1633};
const char VC_DTMF_DIGITS[VC_DTMF_CODES + 1] = "123A456B789C*0#D";

const double VC_R2_HZ[2][6] = {
    [VC_R2_FORWARD] = {1380, 1500, 1620, 1740, 1860, 1980},
    [VC_R2_BACKWARD] = {1140, 1020, 900, 780, 660, 540},
};

/* Signals 1 … 15 in the order of Q.441: all pairs below a frequency come before those with it. */
int vc_r2_signal_of(int low, int high)
{
    return high * (high - 1) / 2 + low + 1;
}

int vc_tone_of_dtmf(char digit, double low_dbm0, double high_dbm0, vc_tone *out)
{
    const char *found = digit ? strchr(VC_DTMF_DIGITS, digit) : NULL;
    if (!found)
        return -EINVAL;
    long place = found - VC_DTMF_DIGITS;
    *out = (vc_tone){.parts = {{VC_DTMF_LOW_HZ[place / 4], low_dbm0}, {VC_DTMF_HIGH_HZ[place % 4], high_dbm0}}};
    return vc_tone_check(out);
}

int vc_tone_of_r2(vc_r2_direction direction, int signal, double level_dbm0, vc_tone *out)
{
    if (direction != VC_R2_FORWARD && direction != VC_R2_BACKWARD)
        return -EINVAL;
    const double *hz = VC_R2_HZ[direction];
    for (int high = 1; high < 6; high++) {
        for (int low = 0; low < high; low++) {
            if (vc_r2_signal_of(low, high) != signal)
                continue;
            *out = (vc_tone){.parts = {{hz[low], level_dbm0}, {hz[high], level_dbm0}}};
            return vc_tone_check(out);
        }
    }
    return -EINVAL;
}

int vc_tone_of_name(vc_named_tone name, double level_dbm0, vc_tone *out)
{
    static const vc_tone NAMED[] = {
        [VC_CN_DIAL] = {.parts = {{450, 0}}},
        [VC_CN_RING_BACK] = {.parts = {{450, 0}}, .cadence_ms = {1000, 4000}},
        [VC_CN_BUSY] = {.parts = {{450, 0}}, .cadence_ms = {350, 350}},
        [VC_CN_CONGESTION] = {.parts = {{450, 0}}, .cadence_ms = {700, 700}},
        [VC_CN_UNOBTAINABLE] = {.parts = {{450, 0}}, .cadence_ms = {100, 100, 100, 100, 100, 100, 400, 400}},
        [VC_CN_CALL_WAITING] = {.parts = {{450, 0}}, .cadence_ms = {400, 4000}},
        [VC_MILLIWATT] = {.parts = {{1004, 0}}},
    };
    if ((unsigned)name >= sizeof NAMED / sizeof *NAMED)
        return -EINVAL;
    *out = NAMED[name];
    out->parts[0].level_dbm0 = level_dbm0;
    return vc_tone_check(out);
}
