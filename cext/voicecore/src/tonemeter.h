/* Measures one steady tone, wherever it lies (200 … 3500 Hz): frequency, level, and what else is on the line. It is measured
   from its onset on, whenever that comes; a pause after its first 280 ms makes its level smaller. */
#ifndef VC_TONEMETER_H
#define VC_TONEMETER_H
#include "block.h"

/* cffi */
typedef struct {
    double tail[80];
    double hz;                 /* where it looks, a multiple of 50; 0: the last frame held no tone */
    int32_t held;              /* frames in a row that held it, until they are enough */
    double was_re, was_im;     /* the frame before */
    double turn_re, turn_im;   /* sum of the turns between frames; its length is the tone's power */
    double power;              /* of everything, summed */
    int32_t frames, blocks;
} vc_tonemeter;

typedef struct {
    double hz;
    double level_dbm0;
    double rest_dbm0;   /* noise and distortion beside the tone, not weighted */
    int32_t measured_ms;
} vc_tone_measure;

void vc_tonemeter_init(vc_tonemeter *state);
void vc_tonemeter_feed(vc_tonemeter *state, const int16_t *block);
/* -EAGAIN: less than 300 ms were fed; -ENODATA: no tone stands out of the rest, or for less than 280 ms. */
int vc_tonemeter_result(const vc_tonemeter *state, vc_tone_measure *out);
/* end cffi */

#endif
