#include "level.h"

#include <math.h>

#define SILENCE_DBM0 (-96.0)
/* G.711: the largest value of A-law is +3.14 dBm0 as the peak of a sine. */
#define FULL_SINE_DBM0 3.14
#define FULL_SINE_MEAN_SQUARE (32768.0 * 32768.0 / 2)

double vc_dbm0_of_mean_square(double mean_square)
{
    if (!(mean_square > 0))
        return SILENCE_DBM0;
    double level = 10 * log10(mean_square / FULL_SINE_MEAN_SQUARE) + FULL_SINE_DBM0;
    return level > SILENCE_DBM0 ? level : SILENCE_DBM0;
}

double vc_mean_square_of_dbm0(double level_dbm0)
{
    return FULL_SINE_MEAN_SQUARE * pow(10, (level_dbm0 - FULL_SINE_DBM0) / 10);
}

void vc_level_init(vc_level *state)
{
    *state = (vc_level){0};
}

void vc_level_feed(vc_level *state, const int16_t *block)
{
    int64_t sum = 0;
    int32_t peak = state->peak;
    for (int i = 0; i < VC_BLOCK; i++) {
        int32_t sample = block[i], size = sample < 0 ? -sample : sample;
        sum += sample * sample;
        peak = size > peak ? size : peak;
    }
    state->sum_squares += (double)sum;
    state->samples += VC_BLOCK;
    state->peak = peak;
}

double vc_level_rms_dbm0(const vc_level *state)
{
    return vc_dbm0_of_mean_square(state->samples ? state->sum_squares / (double)state->samples : 0);
}

double vc_level_peak_dbm0(const vc_level *state)
{
    return vc_dbm0_of_mean_square((double)state->peak * state->peak / 2);
}
