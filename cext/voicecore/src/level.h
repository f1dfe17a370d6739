/* Levels in dBm0 (ITU-T G.711, G.100.1): root mean square and peak of a signal. */
#ifndef VC_LEVEL_H
#define VC_LEVEL_H
#include "block.h"

/* cffi */
/* Mean square of int16 samples <-> dBm0. Silence is -96 dBm0, below anything that 16 bits can hold. */
double vc_dbm0_of_mean_square(double mean_square);
double vc_mean_square_of_dbm0(double level_dbm0);

typedef struct {
    double sum_squares;
    uint64_t samples;
    int32_t peak;
} vc_level;

void vc_level_init(vc_level *state);
void vc_level_feed(vc_level *state, const int16_t *block);
double vc_level_rms_dbm0(const vc_level *state);
/* The level of a sine with the same peak. */
double vc_level_peak_dbm0(const vc_level *state);
/* end cffi */

#endif
