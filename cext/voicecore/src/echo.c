#include "echo.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "level.h"

#define BEFORE 32 /* samples around the strongest that are its echo: a hybrid rings for some ms */
#define AFTER 160
/* An echo is one when its strongest sample has this many times the power of the others' mean: noise alone gives about
   2 ln 4095 = 17 in one of 4095. */
#define LEAST_PEAK 40

int vc_echo_init(vc_echo *state, double level_dbm0)
{
    if (!(level_dbm0 >= -40 && level_dbm0 <= 0))
        return -EINVAL;
    *state = (vc_echo){.amplitude = sqrt(vc_mean_square_of_dbm0(level_dbm0))};
    uint32_t past = 0xfff;
    for (int i = 0; i < VC_ECHO_LENGTH; i++) {
        /* x^12 + x^6 + x^4 + x + 1 is primitive: all states but zero come by. */
        uint32_t bit = (past >> 11 ^ past >> 5 ^ past >> 3 ^ past) & 1;
        past = (past << 1 | bit) & 0xfff;
        state->sequence[i] = bit ? 1 : -1;
    }
    return 0;
}

void vc_echo_restart(vc_echo *state)
{
    memset(state->sum, 0, sizeof state->sum);
    state->place = state->rounds = 0;
}

void vc_echo_tick(vc_echo *state, const int16_t *heard, int16_t *sent)
{
    int16_t loud = (int16_t)lrint(state->amplitude);
    for (int i = 0; i < VC_BLOCK; i++) {
        if (state->rounds && state->rounds < VC_ECHO_MOST_ROUNDS)
            state->sum[state->place] += heard[i];
        sent[i] = (int16_t)(state->sequence[state->place] * loud);
        if (++state->place == VC_ECHO_LENGTH) {
            state->place = 0;
            state->rounds++;
        }
    }
}

/* Mean of what was heard at a place of the sequence: places before the next one have been heard once more. */
static double heard_at(const vc_echo *state, int place)
{
    int added = (state->rounds < VC_ECHO_MOST_ROUNDS ? state->rounds : VC_ECHO_MOST_ROUNDS) - 1;
    if (place < state->place && state->rounds < VC_ECHO_MOST_ROUNDS)
        added++;
    return (double)state->sum[place] / added;
}

/* Impulse response at a lag. Beside its peak the sequence's own correlation is -1 of 4095: 72 dB down, left as it is; to
   take it off would let a direct voltage in (A-law's idle code is one). */
static double correlate(const vc_echo *state, const double *heard, int lag)
{
    double sum = 0;
    for (int n = 0; n + lag < VC_ECHO_LENGTH; n++)
        sum += state->sequence[n] * heard[n + lag];
    for (int n = VC_ECHO_LENGTH - lag; n < VC_ECHO_LENGTH; n++)
        sum += state->sequence[n] * heard[n + lag - VC_ECHO_LENGTH];
    return sum / (rint(state->amplitude) * (VC_ECHO_LENGTH + 1));
}

int vc_echo_result(const vc_echo *state, vc_echo_measure *out)
{
    double heard[VC_ECHO_LENGTH], response[VC_ECHO_LENGTH];
    *out = (vc_echo_measure){0};
    if (state->rounds < 2)
        return -EAGAIN;
    for (int n = 0; n < VC_ECHO_LENGTH; n++)
        heard[n] = heard_at(state, n);
    int strongest = 0;
    for (int lag = 0; lag < VC_ECHO_LENGTH; lag++) {
        response[lag] = correlate(state, heard, lag);
        if (fabs(response[lag]) > fabs(response[strongest]))
            strongest = lag;
    }
    double near = 0, far = 0;
    for (int lag = 0; lag < VC_ECHO_LENGTH; lag++) {
        int from = (lag - strongest + BEFORE + VC_ECHO_LENGTH) % VC_ECHO_LENGTH;
        *(from <= BEFORE + AFTER ? &near : &far) += response[lag] * response[lag];
    }
    /* What the far lags hold is noise; the near ones hold as much of it. */
    double noise = far / (VC_ECHO_LENGTH - (BEFORE + AFTER + 1)), power = near - noise * (BEFORE + AFTER + 1);
    double peak = response[strongest] * response[strongest];
    out->rounds = state->rounds - 1;
    out->found = peak > LEAST_PEAK * noise && power > 0;
    out->delay_ms = out->found ? strongest * 1000.0 / VC_RATE_HZ : 0;
    double returned = out->found ? power : LEAST_PEAK * noise;
    out->return_loss_db = returned > 1e-9 ? -10 * log10(returned) : 90;
    return 0;
}
