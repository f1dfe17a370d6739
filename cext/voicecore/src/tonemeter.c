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
#define LEAST_BLOCKS 15
#define LEAST_DBM0 (-70)
#define LEAST_SHARE 0.25 /* of a frame's power, for it to hold a tone: noise gives 0.02, at one frequency of all 0.1 */
#define HELD_FRAMES 3    /* the onset lies in two */

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

/* The frame under the Hann window, scaled so that sum_at gives the root mean square of a sine (see bank.h). Its mean square. */
static double shape(const double *samples, double *shaped)
{
    double power = 0;
    for (int n = 0; n < FRAME; n++) {
        shaped[n] = samples[n] * hann(n) * sqrt(2) / HOP;
        power += samples[n] * samples[n] * hann(n) / HOP;
    }
    return power;
}

static sum sum_at(const double *shaped, double hz)
{
    double c = cos(2 * PI * hz / VC_RATE_HZ), s = -sin(2 * PI * hz / VC_RATE_HZ), re = 1, im = 0;
    sum found = {0, 0};
    for (int n = 0; n < FRAME; n++) {
        found.re += shaped[n] * re;
        found.im += shaped[n] * im;
        double turned = re * c - im * s;
        im = re * s + im * c;
        re = turned;
    }
    return found;
}

/* Where the tone of a frame is, to 50 Hz; the turns between frames tell the rest. 0: no tone. */
static double find(const double *shaped, double power)
{
    double best_hz = 0, best = power * LEAST_SHARE;
    if (power < vc_mean_square_of_dbm0(LEAST_DBM0))
        return 0;
    for (int hz = FIRST_HZ; hz <= LAST_HZ; hz += STEP_HZ) {
        sum found = sum_at(shaped, hz);
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

/* The line may be silent first, and a tone's onset is no pure one: frames in a row have to hold the same. */
static void wait_for_tone(vc_tonemeter *state, const double *shaped, double power)
{
    double hz = find(shaped, power);
    int goes_on = hz > 0 && fabs(hz - state->hz) <= STEP_HZ;
    state->held = goes_on ? state->held + 1 : hz > 0;
    state->hz = hz;
    state->frames = 0;
    state->turn_re = state->turn_im = state->power = 0;
}

static void frame(vc_tonemeter *state, const double *samples)
{
    double shaped[FRAME], power = shape(samples, shaped);
    sum now = sum_at(shaped, state->hz);
    /* What ends before it could be measured was a digit, a click or talk. */
    int is_over = state->frames <= LEAST_FRAMES && now.re * now.re + now.im * now.im <= power * LEAST_SHARE;
    if (state->held < HELD_FRAMES || is_over) {
        wait_for_tone(state, shaped, power);
        return;
    }
    if (state->frames++ > 0) {
        state->turn_re += now.re * state->was_re + now.im * state->was_im;
        state->turn_im += now.im * state->was_re - now.re * state->was_im;
        state->power += power;
    }
    state->was_re = now.re;
    state->was_im = now.im;
}

void vc_tonemeter_feed(vc_tonemeter *state, const int16_t *block)
{
    double samples[HOP + VC_BLOCK];
    for (int n = 0; n < HOP; n++)
        samples[n] = state->tail[n];
    for (int n = 0; n < VC_BLOCK; n++)
        samples[HOP + n] = block[n];
    frame(state, samples);
    frame(state, samples + HOP);
    for (int n = 0; n < HOP; n++)
        state->tail[n] = samples[VC_BLOCK + n];
    state->blocks++;
}

int vc_tonemeter_result(const vc_tonemeter *state, vc_tone_measure *out)
{
    *out = (vc_tone_measure){0};
    int counted = state->frames - 1;
    if (state->blocks < LEAST_BLOCKS)
        return -EAGAIN;
    if (counted < LEAST_FRAMES)
        return -ENODATA;
    double offset = offset_hz(state), power = state->power / counted;
    double square = hypot(state->turn_re, state->turn_im) / counted / (double)vc_bank_loss((float)offset);
    if (square < vc_mean_square_of_dbm0(LEAST_DBM0) || square < power / 10)
        return -ENODATA;
    *out = (vc_tone_measure){
        .hz = state->hz + offset,
        .level_dbm0 = vc_dbm0_of_mean_square(square),
        .rest_dbm0 = vc_dbm0_of_mean_square(power - square),
        .measured_ms = counted * VC_BANK_HOP_MS,
    };
    return 0;
}
