#include "pair.h"

#include <math.h>

#include "level.h"

/* A frame that the signal does not fill holds share c of its amplitude, c^2 of its square and c of its power: of what is
   in the frame a purity of c is all that it can have. Frames at the edges are held to this share of that. */
#define EDGE_PURITY 0.6f
/* Frames this near to the best one are full: only they can tell the frequencies. */
#define FULL 0.85f
/* Before its offset is known, a frequency may have lost this factor to it: 30 Hz beside, 1.8 % of the highest of DTMF. Not
   less than an edge's purity: a frame that begins a signal is counted whole, one that holds less of it comes as its
   `before`. */
#define UNKNOWN_OFFSET EDGE_PURITY

void vc_pair_init(vc_pair *state)
{
    *state = (vc_pair){.now = {.low = -1}};
}

/* Power of the frame without the tone that may lie under signals. */
static float signal_power(const vc_pair_plan *plan, const vc_frame *frame)
{
    float power = frame->power;
    for (int k = plan->bins; k < plan->bank.bins; k++)
        power -= vc_frame_square(frame, k);
    return power;
}

/* The strongest bin of [from, to), but not `but`. */
static int strongest(const float *squares, int from, int to, int but)
{
    int best = -1;
    for (int k = from; k < to; k++) {
        if (k != but && (best < 0 || squares[k] > squares[best]))
            best = k;
    }
    return best;
}

static void choose(const vc_pair_plan *plan, const float *squares, int *low, int *high)
{
    if (plan->split) {
        *low = strongest(squares, 0, plan->split, -1);
        *high = strongest(squares, plan->split, plan->bins, -1);
        return;
    }
    int first = strongest(squares, 0, plan->bins, -1), second = strongest(squares, 0, plan->bins, first);
    *low = first < second ? first : second;
    *high = first < second ? second : first;
}

/* Whether the frame could hold a signal on these bins, whose squares may still hide `hidden` of the truth. */
static int plausible(const vc_pair_plan *plan, float low, float high, float power, float hidden)
{
    return low >= plan->least_square * hidden && high >= plan->least_square * hidden &&
           low * hidden <= high * plan->most_low_twist && high * hidden <= low * plan->most_high_twist &&
           low + high >= plan->least_purity * hidden * power;
}

/* Squares of the bin corrected for its offset; 0 when the frequency is too far from its nominal value. */
static float corrected(const vc_pair_plan *plan, const vc_frame *before, const vc_frame *now, int bin)
{
    float offset = vc_bank_offset_hz(&plan->bank, before, now, bin), most = plan->most_offset * plan->bank.hz[bin];
    most = most < plan->most_offset_hz ? most : plan->most_offset_hz;
    return fabsf(offset) <= most ? vc_frame_square(now, bin) / vc_bank_loss(offset) : 0;
}

static float amplitude(const vc_frame *frame, int low, int high)
{
    return sqrtf(vc_frame_square(frame, low)) + sqrtf(vc_frame_square(frame, high));
}

/* Share of the signal's amplitude in a frame, 0 … 1; 0 when the frame is not mainly the signal's. */
static float share(const vc_pair_plan *plan, const vc_pair_signal *signal, const vc_frame *frame)
{
    float low = vc_frame_square(frame, signal->low), high = vc_frame_square(frame, signal->high);
    float part = (sqrtf(low) + sqrtf(high)) / signal->best;
    part = part < 1 ? part : 1;
    return low + high >= EDGE_PURITY * plan->least_purity * part * signal_power(plan, frame) ? part : 0;
}

static void remember_best(vc_pair_signal *signal, const vc_frame *frame)
{
    float now = amplitude(frame, signal->low, signal->high);
    if (now <= signal->best)
        return;
    /* What was counted before was counted against a weaker best frame. */
    if (signal->best > 0)
        signal->lasted_ms *= signal->best / now;
    signal->best = now;
    signal->low_square = vc_frame_square(frame, signal->low);
    signal->high_square = vc_frame_square(frame, signal->high);
}

static vc_pair_event event_of(const vc_pair *state, int began)
{
    const vc_pair_signal *signal = &state->now;
    return (vc_pair_event){
        .low = signal->low, .high = signal->high, .began = began, .lasted_ms = signal->lasted_ms,
        .low_dbm0 = (float)vc_dbm0_of_mean_square((double)signal->low_square),
        .high_dbm0 = (float)vc_dbm0_of_mean_square((double)signal->high_square),
        .at_sample = state->hops * VC_BANK_HOP,
    };
}

/* Two full frames in a row with both frequencies in their places, and pure. */
static int proven(const vc_pair *state, const vc_pair_plan *plan, const vc_frame *frame)
{
    const vc_pair_signal *signal = &state->now;
    if (amplitude(&state->before, signal->low, signal->high) < FULL * signal->best ||
        amplitude(frame, signal->low, signal->high) < FULL * signal->best)
        return 0;
    float low = corrected(plan, &state->before, frame, signal->low);
    float high = corrected(plan, &state->before, frame, signal->high);
    return low > 0 && high > 0 && plausible(plan, low, high, signal_power(plan, frame), 1);
}

/* Another pair is the strongest. At an edge that may be an error of the frame: what is told stays while it holds half of
   the frame; what is not told was perhaps such an error itself. */
static int give_way(vc_pair *state, const vc_pair_plan *plan, const vc_frame *frame, vc_pair_event *events)
{
    vc_pair_signal *signal = &state->now;
    float part = share(plan, signal, frame);
    int count = 0;
    if (signal->told && part >= 0.5f)
        return 0;
    signal->lasted_ms += VC_BANK_HOP_MS * part;
    if (signal->told)
        events[count++] = event_of(state, 0);
    signal->low = -1;
    return count;
}

static int step(vc_pair *state, const vc_pair_plan *plan, const vc_frame *frame, vc_pair_event *events)
{
    vc_pair_signal *signal = &state->now;
    float squares[VC_BANK_BINS];
    int count = 0, low, high;
    for (int k = 0; k < plan->bins; k++)
        squares[k] = vc_frame_square(frame, k);
    choose(plan, squares, &low, &high);
    int seen = plausible(plan, squares[low], squares[high], signal_power(plan, frame), UNKNOWN_OFFSET);
    if (signal->low >= 0 && seen && (low != signal->low || high != signal->high))
        count += give_way(state, plan, frame, events);
    if (signal->low < 0 && seen) {
        *signal = (vc_pair_signal){.low = low, .high = high};
        remember_best(signal, frame);
        /* Its beginning may lie in the frame before. */
        signal->lasted_ms = VC_BANK_HOP_MS * share(plan, signal, &state->before);
    }
    if (signal->low < 0)
        return count;
    remember_best(signal, frame);
    float part = share(plan, signal, frame);
    signal->lasted_ms += VC_BANK_HOP_MS * part;
    signal->away_ms = part > FULL ? 0 : signal->away_ms + VC_BANK_HOP_MS * (1 - part);
    signal->proven = signal->proven || proven(state, plan, frame);
    if (!signal->told && signal->proven && signal->lasted_ms >= plan->confirm_ms) {
        signal->told = 1;
        events[count++] = event_of(state, 1);
    }
    if (signal->away_ms >= plan->release_ms) {
        if (signal->told)
            events[count++] = event_of(state, 0);
        signal->low = -1;
    }
    return count;
}

int vc_pair_feed(vc_pair *state, const vc_pair_plan *plan, const int16_t *block, vc_pair_event events[VC_PAIR_EVENTS])
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
