#include "osc.h"

#include <math.h>

#include "level.h"

#define TURN (2 * 3.14159265358979323846)

void vc_osc_init(vc_osc *osc, double frequency_hz, double level_dbm0)
{
    double step = TURN * frequency_hz / VC_RATE_HZ;
    *osc = (vc_osc){
        .re = sqrt(2 * vc_mean_square_of_dbm0(level_dbm0)), .turn_re = cos(step), .turn_im = sin(step)};
}

void vc_osc_mix(vc_osc *osc, double *mix, int samples, int audible)
{
    double re = osc->re, im = osc->im, c = osc->turn_re, s = osc->turn_im;
    for (int i = 0; i < samples; i++) {
        if (audible)
            mix[i] += im;
        double turned = re * c - im * s;
        im = re * s + im * c;
        re = turned;
    }
    osc->re = re;
    osc->im = im;
    /* Rounding makes the pointer longer or shorter by about 1e-16 a turn: 1e-7 after a day, far below one bit. */
}

int16_t vc_sample_of(double value)
{
    if (value >= INT16_MAX)
        return INT16_MAX;
    if (value <= INT16_MIN)
        return INT16_MIN;
    return (int16_t)lrint(value);
}
