#include "bank.h"

#include <errno.h>
#include <math.h>
#include <string.h>

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
            bank->cosine[k][n] = (float)(scale * cos(turned));
            bank->sine[k][n] = (float)(-scale * sin(turned));
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

/* Four sums side by side, written so that each compiler keeps them in a vector register and all add up alike. */
typedef float lanes __attribute__((vector_size(16)));

static lanes load(const float *samples)
{
    lanes loaded;
    memcpy(&loaded, samples, sizeof loaded);
    return loaded;
}

static float total(lanes a, lanes b)
{
    lanes sum = a + b;
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void sum_bin(const float *cosine, const float *sine, const float *samples, float *re, float *im)
{
    lanes re_a = {0}, re_b = {0}, im_a = {0}, im_b = {0};
    for (int n = 0; n < VC_BANK_FRAME; n += 8) {
        lanes a = load(samples + n), b = load(samples + n + 4);
        re_a += a * load(cosine + n);
        re_b += b * load(cosine + n + 4);
        im_a += a * load(sine + n);
        im_b += b * load(sine + n + 4);
    }
    *re = total(re_a, re_b);
    *im = total(im_a, im_b);
}

static void analyse(const vc_bank *bank, const float *samples, vc_frame *frame)
{
    for (int k = 0; k < bank->bins; k++)
        sum_bin(bank->cosine[k], bank->sine[k], samples, &frame->re[k], &frame->im[k]);
    lanes power_a = {0}, power_b = {0};
    for (int n = 0; n < VC_BANK_FRAME; n += 8) {
        lanes a = load(samples + n), b = load(samples + n + 4);
        power_a += a * a * load(bank->window + n);
        power_b += b * b * load(bank->window + n + 4);
    }
    frame->power = total(power_a, power_b);
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
