#include "dialgen.h"

#include <errno.h>
#include <string.h>

#define PER_MS (VC_RATE_HZ / 1000)

int vc_dialgen_init(vc_dialgen *state, int on_ms, int off_ms, double low_dbm0, double high_dbm0)
{
    vc_tone probe;
    if (on_ms < 20 || on_ms > 10000 || off_ms < 20 || off_ms > 10000)
        return -EINVAL;
    int refused = vc_tone_of_dtmf('1', low_dbm0, high_dbm0, &probe);
    if (refused)
        return refused;
    *state = (vc_dialgen){
        .low_dbm0 = low_dbm0,
        .high_dbm0 = high_dbm0,
        .on_samples = (uint32_t)on_ms * PER_MS,
        .off_samples = (uint32_t)off_ms * PER_MS,
    };
    return 0;
}

int vc_dialgen_put(vc_dialgen *state, const char *digits)
{
    size_t count = strlen(digits);
    if (count > (size_t)(VC_DIALGEN_ROOM - state->waiting))
        return -ENOBUFS;
    if (strspn(digits, VC_DTMF_DIGITS) != count)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        state->digits[(state->first + state->waiting) % VC_DIALGEN_ROOM] = digits[i];
        state->waiting++;
    }
    return 0;
}

/* After a pause or at rest: the next digit begins. 0: there is none. */
static int begin_digit(vc_dialgen *state)
{
    vc_tone tone;
    if (!state->waiting)
        return 0;
    char digit = state->digits[state->first];
    state->first = (state->first + 1) % VC_DIALGEN_ROOM;
    state->waiting--;
    (void)vc_tone_of_dtmf(digit, state->low_dbm0, state->high_dbm0, &tone); /* checked when it was put */
    for (int i = 0; i < 2; i++)
        vc_osc_init(&state->osc[i], tone.parts[i].frequency_hz, tone.parts[i].level_dbm0);
    state->on = 1;
    state->left = state->on_samples;
    return 1;
}

int vc_dialgen_read(vc_dialgen *state, int16_t *block)
{
    double mix[VC_BLOCK] = {0};
    int done = 0;
    while (done < VC_BLOCK) {
        if (!state->left && state->on) {
            state->on = 0;
            state->left = state->off_samples;
        } else if (!state->left && !begin_digit(state)) {
            break;
        }
        int samples = VC_BLOCK - done < (int)state->left ? VC_BLOCK - done : (int)state->left;
        for (int i = 0; state->on && i < 2; i++)
            vc_osc_mix(&state->osc[i], mix + done, samples, 1);
        state->left -= (uint32_t)samples;
        done += samples;
    }
    for (int i = 0; i < VC_BLOCK; i++)
        block[i] = vc_sample_of(mix[i]);
    return done > 0;
}
