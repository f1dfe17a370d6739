/* Learns a foreign tone from a sample of it: its frequencies (one or two, 300 … 1050 Hz) and its cadence. */
#ifndef VC_LEARN_H
#define VC_LEARN_H
#include "progress.h"

/* cffi */
#define VC_LEARN_MOST_HOPS 3000 /* 30 s */
#define VC_LEARN_MOST_RUNS 64

typedef struct {
    vc_bank bank;
    vc_slide slide;
    vc_frame before;
    int32_t hops;
    float power[VC_LEARN_MOST_HOPS];
    float square[VC_LEARN_MOST_HOPS][VC_BANK_BINS];
    double turn_re[VC_BANK_BINS], turn_im[VC_BANK_BINS]; /* sum over frames: the louder, the more they count */
} vc_learn;

typedef struct {
    double hz[VC_PROGRESS_TONES]; /* 0: there is no second */
    double level_dbm0;            /* while it sounds, all frequencies */
    vc_cadence cadence;           /* id 0 */
    double spread_ms;             /* how much equal runs differ at most */
} vc_learned;

void vc_learn_init(vc_learn *state);
/* -ENOBUFS: 30 s are full. */
int vc_learn_feed(vc_learn *state, const int16_t *block);
/* -ENODATA: no tone, or not pure; -ERANGE: no steady cadence, or less than two rounds of it. A tone that sounds all the
   time for 3 s or more is continuous. */
int vc_learn_result(const vc_learn *state, vc_learned *out);
/* A plan that tells this tone under `id`. */
int vc_progress_plan_learned(vc_progress_plan *plan, const vc_learned *learned, int id);
/* end cffi */

#endif
