/* A bank of windowed Fourier sums, the eye of all detectors.

   A frame is 20 ms of signal under a Hann window, a new one begins each 10 ms. Three facts make the detectors simple:
   - the sum of a frame at a tone's frequency is its amplitude, and its share of the frame's power says how pure it is;
   - from one frame to the next the sum turns by the tone's frequency: 10 ms tell +-50 Hz apart, to a fraction of 1 Hz;
   - half overlapping Hann windows add up to one, so the amplitudes of all frames of a tone add up to its duration. */
#ifndef VC_BANK_H
#define VC_BANK_H
#include "block.h"

/* cffi */
#define VC_BANK_BINS 16
#define VC_BANK_FRAME 160
#define VC_BANK_HOP 80
#define VC_BANK_HOP_MS 10

/* Read-only once made: one bank serves all channels. */
typedef struct {
    int32_t bins;
    float hz[VC_BANK_BINS];
    float turn_re[VC_BANK_BINS], turn_im[VC_BANK_BINS]; /* undoes what the frequency itself turns in a hop */
    float cosine[VC_BANK_BINS][VC_BANK_FRAME], sine[VC_BANK_BINS][VC_BANK_FRAME]; /* windowed and scaled */
    float window[VC_BANK_FRAME];
} vc_bank;

/* What a frame holds. re^2 + im^2 is the mean square of the sine at that frequency, `power` of everything. */
typedef struct {
    float re[VC_BANK_BINS], im[VC_BANK_BINS];
    float power;
} vc_frame;

/* The last 10 ms of a channel: the first half of its next frame. */
typedef struct {
    float tail[VC_BANK_HOP];
} vc_slide;

/* -EINVAL: 0 or more than 16 frequencies, or one outside 100 … 3900 Hz. */
int vc_bank_init(vc_bank *bank, const double *hz, int bins);
void vc_slide_feed(vc_slide *slide, const vc_bank *bank, const int16_t *block, vc_frame frames[2]);
/* end cffi */

static inline float vc_frame_square(const vc_frame *frame, int bin)
{
    return frame->re[bin] * frame->re[bin] + frame->im[bin] * frame->im[bin];
}

/* By how much a tone lies beside the bin's frequency, in Hz within +-50, from two frames in a row. */
float vc_bank_offset_hz(const vc_bank *bank, const vc_frame *before, const vc_frame *now, int bin);
/* By what factor a tone beside the bin's frequency looks weaker (mean square; 1 at 0 Hz, 0.17 at 50 Hz). */
float vc_bank_loss(float offset_hz);

#endif
