/* A sine oscillator: a pointer that turns. It keeps its phase, so tones go on without a click over blocks and pauses. */
#ifndef VC_OSC_H
#define VC_OSC_H
#include "block.h"

/* cffi */
typedef struct {
    double re, im;
    double turn_re, turn_im;
} vc_osc;
/* end cffi */

/* Begins at phase 0, that is with sample 0. */
void vc_osc_init(vc_osc *osc, double frequency_hz, double level_dbm0);
/* Adds `samples` samples to `mix`; `audible` false lets the phase run on in silence. */
void vc_osc_mix(vc_osc *osc, double *mix, int samples, int audible);

/* Rounded to int16 and cut at its ends. */
int16_t vc_sample_of(double value);

#endif
