#include "prbs.h"

#include <errno.h>

#define BITS_TO_BE_IN_STEP 48
#define WINDOW_BITS 1000u
#define MOST_WINDOW_ERRORS 200u

static const struct {
    uint32_t first, second, mask, inverted;
} SEQUENCE[] = {
    [VC_PRBS_11] = {9, 11, 0x7ff, 0},
    [VC_PRBS_15] = {14, 15, 0x7fff, 1},
};

static int is_one(vc_prbs_sequence sequence)
{
    return (unsigned)sequence < sizeof SEQUENCE / sizeof *SEQUENCE;
}

/* The bit that follows from those past. */
static uint32_t next_bit(vc_prbs_sequence sequence, uint32_t past)
{
    return (past >> (SEQUENCE[sequence].first - 1) ^ past >> (SEQUENCE[sequence].second - 1)) & 1;
}

static uint32_t shifted(vc_prbs_sequence sequence, uint32_t past, uint32_t bit)
{
    return (past << 1 | bit) & SEQUENCE[sequence].mask;
}

int vc_prbs_sender_init(vc_prbs_sender *state, vc_prbs_sequence sequence)
{
    if (!is_one(sequence))
        return -EINVAL;
    *state = (vc_prbs_sender){.sequence = sequence, .past = SEQUENCE[sequence].mask};
    return 0;
}

void vc_prbs_send(vc_prbs_sender *state, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t byte = 0;
        for (int k = 0; k < 8; k++) {
            uint32_t bit = next_bit(state->sequence, state->past);
            state->past = shifted(state->sequence, state->past, bit);
            byte = byte << 1 | (bit ^ SEQUENCE[state->sequence].inverted);
        }
        bytes[i] = (uint8_t)byte;
    }
}

int vc_prbs_receiver_init(vc_prbs_receiver *state, vc_prbs_sequence sequence)
{
    if (!is_one(sequence))
        return -EINVAL;
    *state = (vc_prbs_receiver){.sequence = sequence};
    return 0;
}

static void search(vc_prbs_receiver *state, uint32_t bit)
{
    /* Nothing but zeros follows from nothing but zeros; that is a dead line, no sequence. */
    int follows = state->past && bit == next_bit(state->sequence, state->past);
    state->matched = follows ? state->matched + 1 : 0;
    state->past = shifted(state->sequence, state->past, bit);
    if (state->matched < BITS_TO_BE_IN_STEP)
        return;
    state->in_step = 1;
}

static void compare(vc_prbs_receiver *state, uint32_t bit)
{
    uint32_t expected = next_bit(state->sequence, state->past);
    state->past = shifted(state->sequence, state->past, expected);
    state->window_bits++;
    state->window_errors += bit != expected;
    if (state->window_errors > MOST_WINDOW_ERRORS) {
        state->in_step = 0;
        state->matched = 0;
        state->losses++;
        state->window_bits = state->window_errors = state->held_bits = state->held_errors = 0;
    } else if (state->window_bits == WINDOW_BITS) {
        state->bits += state->held_bits;
        state->errors += state->held_errors;
        state->held_bits = state->window_bits;
        state->held_errors = state->window_errors;
        state->window_bits = state->window_errors = 0;
    }
}

void vc_prbs_receive(vc_prbs_receiver *state, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int k = 7; k >= 0; k--) {
            uint32_t bit = ((uint32_t)bytes[i] >> k & 1) ^ SEQUENCE[state->sequence].inverted;
            if (state->in_step)
                compare(state, bit);
            else
                search(state, bit);
        }
    }
}

void vc_prbs_result(const vc_prbs_receiver *state, vc_prbs_count *out)
{
    *out = (vc_prbs_count){
        .bits = state->bits + state->held_bits + state->window_bits,
        .errors = state->errors + state->held_errors + state->window_errors,
        .losses = state->losses,
        .in_step = state->in_step,
    };
}
