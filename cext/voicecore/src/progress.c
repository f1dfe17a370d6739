#include "progress.h"

#include <math.h>

#include "level.h"

/* An edge lies in a frame: what the frame can be judged by is less (see pair.c). */
#define EDGE_PURITY 0.6f
#define FULL 0.85f
/* Power under which a frame of silence is silent, beside the tone's: 8 dB less. */
#define SILENT 0.16f
/* A run may hold this many frames (10 ms each) that do not belong to it: a click. */
#define MOST_STRANGE 3
/* From one run of sound to the next a tone stays where it is: 3 dB, 6 Hz. */
#define MOST_LOUDER 2.0f
#define MOST_MOVED_HZ 6.0f

void vc_progress_init(vc_progress *state)
{
    *state = (vc_progress){0};
}

static float amplitude(const vc_progress_plan *plan, const vc_frame *frame)
{
    float sum = 0;
    for (int k = 0; k < plan->bank.bins; k++)
        sum += sqrtf(vc_frame_square(frame, k));
    return sum;
}

/* Mean square of the tone's frequencies, corrected for where they lie; 0 when one is out of place. The frame before must
   be the tone's too. `offset_hz` is the first frequency's. */
static float tone_square(const vc_progress *state, const vc_progress_plan *plan, const vc_frame *frame, float *offset_hz)
{
    float sum = 0;
    for (int k = plan->bank.bins - 1; k >= 0; k--) {
        *offset_hz = vc_bank_offset_hz(&plan->bank, &state->before, frame, k);
        if (fabsf(*offset_hz) > plan->most_offset_hz)
            return 0;
        sum += vc_frame_square(frame, k) / vc_bank_loss(*offset_hz);
    }
    return sum;
}

static int is_pure(const vc_progress_plan *plan, float square, const vc_frame *frame)
{
    return square >= plan->least_square && square >= plan->least_purity * frame->power;
}

static vc_progress_event event_of(const vc_progress *state, const vc_progress_plan *plan, int began)
{
    float square = state->last_loudness, offset = state->last_offset_hz;
    if (state->on && state->full) {
        square = state->loudness / (float)state->full;
        offset = state->offset_hz / (float)state->full;
    }
    return (vc_progress_event){
        .id = plan->cadence[state->told - 1].id,
        .began = began,
        .level_dbm0 = (float)vc_dbm0_of_mean_square((double)square),
        .offset_hz = offset,
        .at_sample = state->hops * VC_BANK_HOP,
    };
}

static int tell(vc_progress *state, const vc_progress_plan *plan, int cadence, vc_progress_event *events)
{
    int count = 0;
    if (state->told == cadence)
        return 0;
    if (state->told)
        events[count++] = event_of(state, plan, 0);
    state->told = cadence;
    if (state->told)
        events[count++] = event_of(state, plan, 1);
    return count;
}

/* The newest runs against the cadence, from each of its steps backwards. */
static int fits(const vc_progress *state, const vc_cadence *cadence)
{
    if (cadence->steps < 2 || state->runs < (int)cadence->runs)
        return 0;
    /* Sound is at the even steps. */
    for (int newest = state->newest_on ? 0 : 1; newest < cadence->steps; newest += 2) {
        int same = 1;
        for (int i = 0; same && i < (int)cadence->runs; i++) {
            int step = (newest - i + VC_CADENCE_STEPS * cadence->steps) % cadence->steps;
            same = vc_run_fits(state->run_of[i], (float)cadence->step_ms[step]);
        }
        if (same)
            return 1;
    }
    return 0;
}

/* All is forgotten: what is heard is no tone of the exchange. */
static int forget(vc_progress *state, const vc_progress_plan *plan, vc_progress_event *events)
{
    int count = tell(state, plan, 0, events);
    state->reference = 0;
    state->runs = 0;
    state->last_loudness = 0;
    state->on = 0;
    return count;
}

static void begin_run(vc_progress *state, int on)
{
    state->on = on;
    state->offset_hz = state->loudness = 0;
    state->full = state->strange = 0;
}

/* A run is complete. 0: it does not go with the one before. */
static int keep_run(vc_progress *state)
{
    if (state->on) {
        if (!state->full)
            return 0;
        float offset = state->offset_hz / (float)state->full, loudness = state->loudness / (float)state->full;
        int first = state->last_loudness == 0;
        if (!first && (fabsf(offset - state->last_offset_hz) > MOST_MOVED_HZ ||
                       loudness > state->last_loudness * MOST_LOUDER || state->last_loudness > loudness * MOST_LOUDER))
            return 0;
        state->last_offset_hz = offset;
        state->last_loudness = loudness;
        if (first) { /* its beginning was perhaps not heard */
            state->run_ms[1] = 0;
            return 1;
        }
    }
    for (int i = VC_CADENCE_STEPS - 1; i > 0; i--)
        state->run_of[i] = state->run_of[i - 1];
    state->run_of[0] = state->run_ms[state->on];
    state->run_ms[state->on] = 0;
    state->newest_on = state->on;
    state->runs += state->runs < VC_CADENCE_STEPS;
    return 1;
}

/* The cadence (from 1) that the runs make; 0: none. */
static int cadence_of(const vc_progress *state, const vc_progress_plan *plan)
{
    for (int i = 0; i < plan->cadences; i++) {
        if (fits(state, &plan->cadence[i]))
            return i + 1;
    }
    return 0;
}

static int continuous_of(const vc_progress *state, const vc_progress_plan *plan)
{
    for (int i = 0; i < plan->cadences; i++) {
        const vc_cadence *cadence = &plan->cadence[i];
        if (cadence->steps == 1 && state->on && state->run_ms[1] >= (float)cadence->step_ms[0])
            return i + 1;
    }
    return 0;
}

/* After this much silence the tone is over: no run of what was told, or of any cadence, is that long. */
static float longest_ms(const vc_progress *state, const vc_progress_plan *plan)
{
    uint32_t longest = 0;
    for (int i = 0; i < plan->cadences; i++) {
        const vc_cadence *cadence = &plan->cadence[i];
        if (state->told && i != state->told - 1)
            continue;
        for (int k = 0; k < cadence->steps; k++)
            longest = cadence->step_ms[k] > longest ? cadence->step_ms[k] : longest;
    }
    return (float)longest * 1.2f + 50;
}

/* Counts a frame of the run, and judges it: sound must be pure and in place, silence silent. */
static void judge(vc_progress *state, const vc_progress_plan *plan, const vc_frame *frame, float part, float now)
{
    float offset = 0;
    if (!state->on) {
        state->strange += part == 0 && frame->power > SILENT * state->reference * state->reference;
        return;
    }
    if (part > FULL && amplitude(plan, &state->before) > FULL * state->reference) {
        float square = tone_square(state, plan, frame, &offset);
        if (is_pure(plan, square, frame)) {
            state->offset_hz += offset;
            state->loudness += square;
            state->full++;
            state->reference += (now - state->reference) / 8; /* a line's level may drift */
            return;
        }
        state->strange++;
        return;
    }
    state->strange += now * now < EDGE_PURITY * plan->least_purity * part * frame->power;
}

static int step(vc_progress *state, const vc_progress_plan *plan, const vc_frame *frame, vc_progress_event *events)
{
    float now = amplitude(plan, frame), offset;
    int count = 0;
    if (state->reference == 0) {
        float last = amplitude(plan, &state->before);
        if (last < FULL * now || now < FULL * last || !is_pure(plan, tone_square(state, plan, frame, &offset), frame))
            return 0;
        state->reference = now;
        state->run_ms[0] = state->run_ms[1] = 0;
        begin_run(state, 1);
    }
    state->reference = now > state->reference && now * now < MOST_LOUDER * state->reference * state->reference ? now : state->reference;
    float part = vc_share(now, state->reference);
    int on = part > 0.5f;
    state->run_ms[1] += VC_BANK_HOP_MS * part;
    state->run_ms[0] += VC_BANK_HOP_MS * (1 - part);
    if (on != state->on) {
        if (!keep_run(state))
            return forget(state, plan, events);
        begin_run(state, on);
        count += tell(state, plan, cadence_of(state, plan), events);
    }
    judge(state, plan, frame, part, now);
    if (state->strange > MOST_STRANGE || (!on && state->run_ms[0] > longest_ms(state, plan)))
        return count + forget(state, plan, events + count);
    int continuous = continuous_of(state, plan);
    if (continuous)
        count += tell(state, plan, continuous, events + count);
    return count;
}

int vc_progress_feed(vc_progress *state, const vc_progress_plan *plan, const int16_t *block,
                     vc_progress_event events[VC_PROGRESS_EVENTS])
{
    vc_frame frames[2];
    int count = 0;
    vc_slide_feed(&state->slide, &plan->bank, block, frames);
    for (int i = 0; i < 2; i++) {
        state->hops++;
        count += step(state, plan, &frames[i], events + count);
        state->before = frames[i];
    }
    return count;
}
