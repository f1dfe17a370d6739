#include "learn.h"

#include <errno.h>
#include <math.h>

#include "level.h"

#define FIRST_HZ 300
#define STEP_HZ 50
/* A second frequency is one when it has at least a twentieth of the first one's power (13 dB), 120 Hz away at least: nearer
   ones are the first's own window. */
#define LEAST_SECOND 0.05
#define LEAST_APART_HZ 120
#define LEAST_PURITY 0.7
#define CONTINUOUS_MS 3000

typedef struct {
    int bins;
    int bin[VC_PROGRESS_TONES];
    double hz[VC_PROGRESS_TONES];
    float loss[VC_PROGRESS_TONES];
} found_tone;

typedef struct {
    int count, first_on;
    float ms[VC_LEARN_MOST_RUNS];
} runs;

void vc_learn_init(vc_learn *state)
{
    double hz[VC_BANK_BINS];
    for (int k = 0; k < VC_BANK_BINS; k++)
        hz[k] = FIRST_HZ + STEP_HZ * k;
    *state = (vc_learn){0};
    (void)vc_bank_init(&state->bank, hz, VC_BANK_BINS); /* these are sound */
}

int vc_learn_feed(vc_learn *state, const int16_t *block)
{
    vc_frame frames[2];
    if (state->hops + 2 > VC_LEARN_MOST_HOPS)
        return -ENOBUFS;
    vc_slide_feed(&state->slide, &state->bank, block, frames);
    for (int i = 0; i < 2; i++) {
        const vc_frame *now = &frames[i], *was = &state->before;
        for (int k = 0; k < VC_BANK_BINS; k++) {
            state->square[state->hops][k] = vc_frame_square(now, k);
            state->turn_re[k] += (double)(now->re[k] * was->re[k] + now->im[k] * was->im[k]);
            state->turn_im[k] += (double)(now->im[k] * was->re[k] - now->re[k] * was->im[k]);
        }
        state->power[state->hops++] = now->power;
        state->before = *now;
    }
    return 0;
}

static double hz_of_bin(const vc_learn *state, int bin)
{
    double c = (double)state->bank.turn_re[bin], s = (double)state->bank.turn_im[bin];
    double re = state->turn_re[bin] * c - state->turn_im[bin] * s, im = state->turn_re[bin] * s + state->turn_im[bin] * c;
    return (double)state->bank.hz[bin] + atan2(im, re) * VC_RATE_HZ / (2 * 3.14159265358979323846 * VC_BANK_HOP);
}

static int strongest_apart(const vc_learn *state, double from_hz, double *sum)
{
    int best = -1;
    *sum = 0;
    for (int k = 0; k < VC_BANK_BINS; k++) {
        double power = 0;
        if (fabs((double)state->bank.hz[k] - from_hz) < LEAST_APART_HZ)
            continue;
        for (int i = 0; i < state->hops; i++)
            power += (double)state->square[i][k];
        if (power > *sum) {
            best = k;
            *sum = power;
        }
    }
    return best;
}

static found_tone find_tone(const vc_learn *state)
{
    found_tone tone = {0};
    double first, second;
    int bin = strongest_apart(state, -1000, &first);
    if (bin < 0)
        return tone;
    tone.bin[0] = bin;
    tone.hz[0] = hz_of_bin(state, bin);
    tone.bins = 1;
    bin = strongest_apart(state, tone.hz[0], &second);
    if (bin >= 0 && second >= LEAST_SECOND * first) {
        tone.bin[1] = bin;
        tone.hz[1] = hz_of_bin(state, bin);
        tone.bins = 2;
    }
    for (int i = 0; i < tone.bins; i++)
        tone.loss[i] = vc_bank_loss((float)tone.hz[i] - state->bank.hz[tone.bin[i]]);
    return tone;
}

static float square_at(const vc_learn *state, const found_tone *tone, int hop)
{
    float sum = 0;
    for (int i = 0; i < tone->bins; i++)
        sum += state->square[hop][tone->bin[i]] / tone->loss[i];
    return sum;
}

/* Runs of sound and silence; the first and the last are not whole and are left out. */
static runs find_runs(const vc_learn *state, const found_tone *tone, float reference)
{
    runs found = {0};
    float run_ms[2] = {0}; /* of silence, of sound; an edge's frame belongs to both (see progress.c) */
    int on = -1, edges = 0;
    /* Half of the first frame is from before the sample. */
    for (int i = 1; i < state->hops && found.count < VC_LEARN_MOST_RUNS; i++) {
        float part = vc_share(sqrtf(square_at(state, tone, i)), sqrtf(reference));
        int now = part > 0.5f;
        run_ms[1] += VC_BANK_HOP_MS * part;
        run_ms[0] += VC_BANK_HOP_MS * (1 - part);
        if (now == on)
            continue;
        if (edges >= 2)
            found.ms[found.count++] = run_ms[on];
        if (edges == 1)
            found.first_on = now;
        if (edges)
            run_ms[on] = 0;
        edges++;
        on = now;
    }
    return found;
}

/* The shortest round after which the runs come again. 0: none. */
static int find_round(const runs *found, double *spread_ms)
{
    for (int round = 2; round <= VC_CADENCE_STEPS && found->count >= round + 2; round += 2) {
        int same = 1;
        *spread_ms = 0;
        for (int i = 0; same && i + round < found->count; i++) {
            double differ = fabs((double)(found->ms[i] - found->ms[i + round]));
            same = vc_run_fits(found->ms[i], found->ms[i + round]);
            *spread_ms = differ > *spread_ms ? differ : *spread_ms;
        }
        if (same)
            return round;
    }
    return 0;
}

static uint32_t mean_ms(const runs *found, int first, int round)
{
    double sum = 0;
    int count = 0;
    for (int i = first; i < found->count; i += round) {
        sum += (double)found->ms[i];
        count++;
    }
    return (uint32_t)lrint(sum / count);
}

/* Most of the sample's loudest frame, so that one click is not taken for the tone's level. */
static float reference_of(const vc_learn *state, const found_tone *tone)
{
    float most = 0, sum = 0;
    int count = 0;
    for (int i = 0; i < state->hops; i++)
        most = fmaxf(most, square_at(state, tone, i));
    for (int i = 0; i < state->hops; i++) {
        float square = square_at(state, tone, i);
        if (square > most / 2) {
            sum += square;
            count++;
        }
    }
    return count ? sum / (float)count : 0;
}

/* Share of the power of sounding frames that is the tone's. */
static double purity_of(const vc_learn *state, const found_tone *tone, float reference)
{
    double ours = 0, all = 0;
    for (int i = 0; i < state->hops; i++) {
        float square = square_at(state, tone, i);
        if (square < reference / 2)
            continue;
        ours += (double)square;
        all += (double)state->power[i];
    }
    return all > 0 ? ours / all : 0;
}

int vc_learn_result(const vc_learn *state, vc_learned *out)
{
    *out = (vc_learned){0};
    found_tone tone = find_tone(state);
    float reference = tone.bins ? reference_of(state, &tone) : 0;
    if ((double)reference < vc_mean_square_of_dbm0(-45) || purity_of(state, &tone, reference) < LEAST_PURITY)
        return -ENODATA;
    for (int i = 0; i < tone.bins; i++)
        out->hz[i] = tone.hz[i];
    out->level_dbm0 = vc_dbm0_of_mean_square((double)reference);
    runs found = find_runs(state, &tone, reference);
    if (found.count == 0 && state->hops * VC_BANK_HOP_MS >= CONTINUOUS_MS &&
        square_at(state, &tone, state->hops - 1) > reference / 2) {
        out->cadence = (vc_cadence){.steps = 1, .step_ms = {CONTINUOUS_MS}};
        return 0;
    }
    int round = find_round(&found, &out->spread_ms), skip = found.first_on ? 0 : 1;
    if (!round)
        return -ERANGE;
    out->cadence.steps = round;
    for (int i = 0; i < round; i++)
        out->cadence.step_ms[i] = mean_ms(&found, skip + i, round);
    /* About 2.5 s of it, but two whole runs and a whole round at least. */
    uint32_t total_ms = 0, runs_wanted;
    for (int i = 0; i < round; i++)
        total_ms += out->cadence.step_ms[i];
    runs_wanted = total_ms ? 2500u * (uint32_t)round / total_ms : 0;
    runs_wanted = runs_wanted > 6 ? 6 : runs_wanted & ~1u;
    runs_wanted = runs_wanted < 2 ? 2 : runs_wanted;
    out->cadence.runs = runs_wanted < (uint32_t)round ? (uint32_t)round : runs_wanted;
    return 0;
}

int vc_progress_plan_learned(vc_progress_plan *plan, const vc_learned *learned, int id)
{
    vc_cadence cadence = learned->cadence;
    cadence.id = id;
    return vc_progress_plan_init(plan, learned->hz, learned->hz[1] > 0 ? 2 : 1, &cadence, 1);
}
