/* Follows a signal of two frequencies from a bank: when it is there, for how long, when it is over. DTMF and MF-R2. */
#ifndef VC_PAIR_H
#define VC_PAIR_H
#include "bank.h"

/* cffi */
/* What is a signal. Read-only, for all channels of a kind. */
typedef struct {
    vc_bank bank;
    int32_t split;         /* DTMF: one of the bins below, one from here on; 0: any two of all (MF-R2) */
    int32_t bins;          /* bins that signals use; a further one is a tone that may lie under them (dial tone) */
    float least_square;    /* of each frequency, mean square */
    float most_low_twist;  /* the lower frequency may be stronger by this factor (mean square) … */
    float most_high_twist; /* … and the upper one */
    float least_purity;    /* share of the frame's power that is the two frequencies' */
    float most_offset;     /* each frequency may be beside its nominal value by this share of it … */
    float most_offset_hz;  /* … and not by more than this */
    float confirm_ms;      /* a signal is told when it has lasted this long … */
    float release_ms;      /* … and is over when it has been away for this long */
} vc_pair_plan;

typedef struct {
    int32_t low, high; /* its bins; low < 0: none */
    int32_t proven; /* two frames in a row had both frequencies in their places */
    int32_t told;
    float best;        /* root mean square of its best frame, both frequencies added */
    float lasted_ms;
    float away_ms;
    float low_square, high_square; /* of the best frame */
} vc_pair_signal;

typedef struct {
    vc_slide slide;
    vc_frame before;
    vc_pair_signal now;
    uint64_t hops;
} vc_pair;

typedef struct {
    int32_t low, high;  /* bins */
    int32_t began;      /* 1: the signal is told; 0: it is over */
    float low_dbm0, high_dbm0;
    float lasted_ms;    /* so far (began), in all (over) */
    uint64_t at_sample; /* end of the frame in which it was seen, samples since the state was made */
} vc_pair_event;

#define VC_PAIR_EVENTS 4 /* the most that one block can give */

void vc_pair_init(vc_pair *state);
/* Returns the number of events. */
int vc_pair_feed(vc_pair *state, const vc_pair_plan *plan, const int16_t *block, vc_pair_event events[VC_PAIR_EVENTS]);
/* end cffi */

#endif
