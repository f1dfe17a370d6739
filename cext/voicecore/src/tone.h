/* Tones of one or two frequencies with a cadence, and their generator. */
#ifndef VC_TONE_H
#define VC_TONE_H
#include "osc.h"

/* cffi */
#define VC_TONE_PARTS 2
#define VC_TONE_STEPS 8

typedef struct {
    double frequency_hz; /* 0: this part is not used */
    double level_dbm0;
} vc_tone_part;

typedef struct {
    vc_tone_part parts[VC_TONE_PARTS];
    /* on, off, on, off … in ms, repeated; ends at the first 0; none: continuous */
    uint32_t cadence_ms[VC_TONE_STEPS];
} vc_tone;

typedef struct {
    vc_osc osc[VC_TONE_PARTS];
    int32_t parts;
    int32_t steps;
    uint32_t cadence_samples[VC_TONE_STEPS];
    int32_t step;
    uint32_t left; /* samples of this step still to come */
} vc_tonegen;

/* -EINVAL: no part, a frequency outside 0 … 4000 Hz, a level outside -70 … +3.14 dBm0, a step above 60 s. */
int vc_tonegen_init(vc_tonegen *state, const vc_tone *tone);
void vc_tonegen_read(vc_tonegen *state, int16_t *block);
/* end cffi */

/* The checks of vc_tonegen_init alone. */
int vc_tone_check(const vc_tone *tone);

#endif
