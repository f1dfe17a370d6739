/* Tones of the exchange on a line: one tone (of one or two frequencies), several cadences of it, told apart by time.

   A tone is sound only while it is pure and steady; its runs of sound and silence are measured to about 2 ms (see bank.h)
   and compared with the cadences. Speech, music and noise are no pure tone, or no steady one, or in no such time. */
#ifndef VC_PROGRESS_H
#define VC_PROGRESS_H
#include "bank.h"

/* cffi */
#define VC_CADENCES 8
#define VC_CADENCE_STEPS 8
#define VC_PROGRESS_TONES 2

typedef struct {
    int32_t id;
    int32_t steps;                        /* on, off, on, off …: an even number; 1: continuous */
    uint32_t step_ms[VC_CADENCE_STEPS];   /* continuous: told when the tone has lasted this long */
    uint32_t runs;                        /* told after so many complete runs in a row that fit */
} vc_cadence;

/* Read-only once made, for all channels of a kind. */
typedef struct {
    vc_bank bank; /* one bin for each frequency */
    float least_square;
    float least_purity;
    float most_offset_hz;
    int32_t cadences;
    vc_cadence cadence[VC_CADENCES];
} vc_progress_plan;

typedef struct {
    vc_slide slide;
    vc_frame before;
    float reference;          /* root mean square of the tone, its frequencies added; 0: no tone known */
    int32_t on;               /* the run that goes on now is sound */
    float run_ms[2];          /* length so far of silence [0] and of sound [1]; an edge's frame belongs to both */
    float offset_hz;          /* sum over its full frames, first frequency … */
    float loudness;           /* … sum of its mean square … */
    int32_t full;             /* … and their number */
    float last_offset_hz;     /* mean of the last run of sound */
    float last_loudness;      /* 0: there was none */
    int32_t strange;          /* frames of this run that do not belong to it */
    int32_t runs;             /* complete runs known, the newest in run_of[0] */
    int32_t newest_on;
    float run_of[VC_CADENCE_STEPS];
    int32_t told;             /* 1 + number of the cadence that was told last; 0: none */
    uint64_t hops;
} vc_progress;

typedef struct {
    int32_t id;
    int32_t began;      /* 1: the cadence is there; 0: it is over */
    float level_dbm0;   /* of the tone, all frequencies */
    float offset_hz;    /* of the first frequency */
    uint64_t at_sample; /* samples since the state was made */
} vc_progress_event;

#define VC_PROGRESS_EVENTS 4 /* the most that one block can give */

/* -EINVAL: frequencies that vc_bank refuses or more than two, no cadence or too many, steps that are none. */
int vc_progress_plan_init(vc_progress_plan *plan, const double *hz, int tones, const vc_cadence *cadences, int count);
/* Ids are those of vc_named_tone. Busy is told within 3 s, congestion within 5 s, whenever one begins to listen. */
int vc_progress_plan_cn(vc_progress_plan *plan);
void vc_progress_init(vc_progress *state);
int vc_progress_feed(vc_progress *state, const vc_progress_plan *plan, const int16_t *block,
                     vc_progress_event events[VC_PROGRESS_EVENTS]);
/* end cffi */

/* Share of a tone's amplitude in a frame, 0 … 1: the sum over frames is its duration in hops. Line noise makes a little of
   silence and takes a little from sound; what is nearly nothing or nearly all is taken for that. */
float vc_share(float amplitude, float reference);
/* Whether a run fits a step: within 12 %, at least 25 ms. */
int vc_run_fits(float run_ms, float step_ms);

#endif
