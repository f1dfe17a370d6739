#include "tonemeter.h"

#include <errno.h>
#include <math.h>

#include "bank.h"
#include "level.h"

#define PI 3.14159265358979323846
#define FRAME VC_BANK_FRAME
#define HOP VC_BANK_HOP
#define FIRST_HZ 200
#define LAST_HZ 3500
#define STEP_HZ 50
#define LEAST_FRAMES 25

typedef struct {
    double re, im;
} sum;

void vc_tonemeter_init(vc_tonemeter *state)
{
    *state = (vc_tonemeter){0};
}

static double hann(int n)
{
    return (1 - cos(2 * PI * n / FRAME)) / 2;
}

/* The frame's Hann-windowed sum at a frequency, scaled to the root mean square of a sine (see bank.h). */
static sum sum_at(const float *samples, double hz)
{
    double c = cos(2 * PI * hz / VC_RATE_HZ), s = -sin(2 * PI * hz / VC_RATE_HZ), re = sqrt(2) / HOP, im = 0;
    sum found = {0, 0};
    for (int n = 0; n < FRAME; n++) {
        double windowed = (double)samples[n] * hann(n), turned = re * c - im * s;
        found.re += windowed * re;
        found.im += windowed * im;
        im = re * s + im * c;
        re = turned;
    }
    return found;
}

/* Where a tone is strongest, to 50 Hz; the turns between frames tell the rest. */
static double find(const float *samples)
{
    double best_hz = 0, best = -1; /* of silence, too, some place is looked at */
    for (int hz = FIRST_HZ; hz <= LAST_HZ; hz += STEP_HZ) {
        sum found = sum_at(samples, hz);
        double square = found.re * found.re + found.im * found.im;
        if (square > best) {
            best = square;
            best_hz = hz;
        }
    }
    return best_hz;
}

static double offset_hz(const vc_tonemeter *state)
{
    /* A hop turns the tone by its frequency; what the frequency looked at turns is taken off. */
    double nominal = 2 * PI * state->hz * HOP / VC_RATE_HZ, c = cos(nominal), s = -sin(nominal);
    double re = state->turn_re * c - state->turn_im * s, im = state->turn_re * s + state->turn_im * c;
    return atan2(im, re) * VC_RATE_HZ / (2 * PI * HOP);
}

static void frame(vc_tonemeter *state, const float *samples)
{
    if (state->hz <= 0) {
        state->hz = find(samples);
        return;
    }
    sum now = sum_at(samples, state->hz);
    if (state->frames++ > 0) {
        state->turn_re += now.re * state->was_re + now.im * state->was_im;
        state->turn_im += now.im * state->was_re - now.re * state->was_im;
        for (int n = 0; n < FRAME; n++)
            state->power += (double)samples[n] * (double)samples[n] * hann(n) / HOP;
    }
    state->was_re = now.re;
    state->was_im = now.im;
}

void vc_tonemeter_feed(vc_tonemeter *state, const int16_t *block)
{
    float samples[HOP + VC_BLOCK];
    int begun = state->hz > 0;
    for (int n = 0; n < HOP; n++)
        samples[n] = state->tail[n];
    for (int n = 0; n < VC_BLOCK; n++)
        samples[HOP + n] = block[n];
    /* Half of the very first frame would be from before the tone. */
    if (begun)
        frame(state, samples);
    frame(state, samples + HOP);
    for (int n = 0; n < HOP; n++)
        state->tail[n] = samples[VC_BLOCK + n];
}

int vc_tonemeter_result(const vc_tonemeter *state, vc_tone_measure *out)
{
    *out = (vc_tone_measure){0};
    int counted = state->frames - 1;
    if (counted < LEAST_FRAMES)
        return -EAGAIN;
    double offset = offset_hz(state), power = state->power / counted;
    double square = hypot(state->turn_re, state->turn_im) / counted / (double)vc_bank_loss((float)offset);
    if (square < vc_mean_square_of_dbm0(-70) || square < power / 10)
        return -ENODATA;
    *out = (vc_tone_measure){
        .hz = state->hz + offset,
        .level_dbm0 = vc_dbm0_of_mean_square(square),
        .rest_dbm0 = vc_dbm0_of_mean_square(power - square),
        .measured_ms = counted * VC_BANK_HOP_MS,
    };
    return 0;
}
