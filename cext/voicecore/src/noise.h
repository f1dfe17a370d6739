/* Noise of a quiet line in dBm0p: weighted as the ear hears it (psophometer, ITU-T O.41). */
#ifndef VC_NOISE_H
#define VC_NOISE_H
#include "block.h"

/* cffi */
#define VC_NOISE_SECTIONS 4

typedef struct {
    double held[VC_NOISE_SECTIONS][2];
    double sum_squares;
    uint64_t samples;
    int32_t settling; /* blocks still left out: the filter has to come to rest */
} vc_noise;

void vc_noise_init(vc_noise *state);
void vc_noise_feed(vc_noise *state, const int16_t *block);
/* -96 while nothing was counted. */
double vc_noise_dbm0p(const vc_noise *state);
/* end cffi */

#endif
