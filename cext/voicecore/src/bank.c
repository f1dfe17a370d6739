#include "bank.h"

#include <errno.h>
#include <math.h>

#define PI 3.14159265358979323846

int vc_bank_init(vc_bank *bank, const double *hz, int bins)
{
    if (bins < 1 || bins > VC_BANK_BINS)
        return -EINVAL;
    for (int k = 0; k < bins; k++) {
        if (!(hz[k] >= 100 && hz[k] <= 3900))
            return -EINVAL;
    }
    *bank = (vc_bank){.bins = bins};
    for (int n = 0; n < VC_BANK_FRAME; n++) {
        double hann = (1 - cos(2 * PI * n / VC_BANK_FRAME)) / 2;
        bank->window[n] = (float)(hann / VC_BANK_HOP);
        for (int k = 0; k < bins; k++) {
            /* Scaled so that a sine's sum is its root mean square. */
            double turned = 2 * PI * hz[k] * n / VC_RATE_HZ, scale = hann * sqrt(2) / VC_BANK_HOP;
            bank->table[k / 8][n][k % 8] = (float)(scale * cos(turned));
            bank->table[k / 8][n][8 + k % 8] = (float)(-scale * sin(turned));
        }
    }
    for (int k = 0; k < bins; k++) {
        double turned = 2 * PI * hz[k] * VC_BANK_HOP / VC_RATE_HZ;
        bank->hz[k] = (float)hz[k];
        bank->turn_re[k] = (float)cos(turned);
        bank->turn_im[k] = (float)-sin(turned);
    }
    return 0;
}

/* 16 sums side by side: the compiler keeps them in vector registers. */
static void sum_group(const float (*restrict table)[16], const float *restrict samples, float *restrict sums)
{
    float acc[16] = {0};
    for (int n = 0; n < VC_BANK_FRAME; n++) {
        for (int k = 0; k < 16; k++)
            acc[k] += samples[n] * table[n][k];
    }
    for (int k = 0; k < 16; k++)
        sums[k] = acc[k];
}

static void analyse(const vc_bank *bank, const float *samples, vc_frame *frame)
{
    for (int group = 0; group * 8 < bank->bins; group++) {
        float sums[16];
        sum_group(bank->table[group], samples, sums);
        for (int k = 0; k < 8; k++) {
            frame->re[group * 8 + k] = sums[k];
            frame->im[group * 8 + k] = sums[8 + k];
        }
    }
    float power[4] = {0};
    for (int n = 0; n < VC_BANK_FRAME; n += 4) {
        for (int k = 0; k < 4; k++)
            power[k] += samples[n + k] * samples[n + k] * bank->window[n + k];
    }
    frame->power = (power[0] + power[1]) + (power[2] + power[3]);
}

void vc_slide_feed(vc_slide *slide, const vc_bank *bank, const int16_t *block, vc_frame frames[2])
{
    float samples[VC_BANK_HOP + VC_BLOCK];
    for (int n = 0; n < VC_BANK_HOP; n++)
        samples[n] = slide->tail[n];
    for (int n = 0; n < VC_BLOCK; n++)
        samples[VC_BANK_HOP + n] = block[n];
    analyse(bank, samples, &frames[0]);
    analyse(bank, samples + VC_BANK_HOP, &frames[1]);
    for (int n = 0; n < VC_BANK_HOP; n++)
        slide->tail[n] = samples[VC_BLOCK + n];
}

float vc_bank_offset_hz(const vc_bank *bank, const vc_frame *before, const vc_frame *now, int bin)
{
    float re = now->re[bin] * before->re[bin] + now->im[bin] * before->im[bin];
    float im = now->im[bin] * before->re[bin] - now->re[bin] * before->im[bin];
    float c = bank->turn_re[bin], s = bank->turn_im[bin];
    float angle = atan2f(re * s + im * c, re * c - im * s);
    return angle * (float)(VC_RATE_HZ / (2 * PI * VC_BANK_HOP));
}

float vc_bank_loss(float offset_hz)
{
    /* Hann's main lobe: sinc(x) / (1 - x^2), x in units of 50 Hz; both ends need their limits. */
    float x = fabsf(offset_hz) * (float)VC_BANK_FRAME / VC_RATE_HZ;
    if (x < 0.01f)
        return 1;
    if (x > 0.99f && x < 1.01f)
        return 0.25f;
    float lobe = sinf((float)PI * x) / ((float)PI * x * (1 - x * x));
    return lobe * lobe;
}
