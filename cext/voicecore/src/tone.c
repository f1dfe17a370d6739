#include "tone.h"

#include <errno.h>
#include <stdbool.h>

#define MOST_STEP_MS 60000u

static bool part_is_sound(const vc_tone_part *part)
{
    return part->frequency_hz > 0 && part->frequency_hz < VC_RATE_HZ / 2.0 && part->level_dbm0 >= -70 &&
           part->level_dbm0 <= 3.14;
}

int vc_tone_check(const vc_tone *tone)
{
    int used = 0;
    for (int i = 0; i < VC_TONE_PARTS; i++) {
        if (tone->parts[i].frequency_hz == 0)
            continue;
        if (!part_is_sound(&tone->parts[i]))
            return -EINVAL;
        used++;
    }
    for (int i = 0; i < VC_TONE_STEPS; i++) {
        if (tone->cadence_ms[i] > MOST_STEP_MS)
            return -EINVAL;
    }
    return used ? 0 : -EINVAL;
}

int vc_tonegen_init(vc_tonegen *state, const vc_tone *tone)
{
    int refused = vc_tone_check(tone);
    if (refused)
        return refused;
    *state = (vc_tonegen){0};
    for (int i = 0; i < VC_TONE_PARTS; i++) {
        const vc_tone_part *part = &tone->parts[i];
        if (part->frequency_hz > 0)
            vc_osc_init(&state->osc[state->parts++], part->frequency_hz, part->level_dbm0);
    }
    while (state->steps < VC_TONE_STEPS && tone->cadence_ms[state->steps]) {
        state->cadence_samples[state->steps] = tone->cadence_ms[state->steps] * (VC_RATE_HZ / 1000);
        state->steps++;
    }
    state->left = state->cadence_samples[0];
    return 0;
}

void vc_tonegen_read(vc_tonegen *state, int16_t *block)
{
    double mix[VC_BLOCK] = {0};
    for (int done = 0; done < VC_BLOCK;) {
        int samples = VC_BLOCK - done;
        if (state->steps && state->left < (uint32_t)samples)
            samples = (int)state->left;
        for (int i = 0; i < state->parts; i++)
            vc_osc_mix(&state->osc[i], mix + done, samples, state->step % 2 == 0);
        done += samples;
        if (state->steps && !(state->left -= (uint32_t)samples)) {
            state->step = (state->step + 1) % state->steps;
            state->left = state->cadence_samples[state->step];
        }
    }
    for (int i = 0; i < VC_BLOCK; i++)
        block[i] = vc_sample_of(mix[i]);
}
