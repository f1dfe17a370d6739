/* All that may run on the audio path, in one state, with a signal that makes each part do something. */
#ifndef EVERYTHING_H
#define EVERYTHING_H
#include "dialgen.h"
#include "echo.h"
#include "g711.h"
#include "jbuf.h"
#include "level.h"
#include "noise.h"
#include "prbs.h"
#include "progress.h"
#include "receivers.h"
#include "tonemeter.h"

typedef struct {
    vc_pair_plan dtmf_plan, r2_plan[2];
    vc_progress_plan cn_plan;
    vc_pair dtmf, r2[2];
    vc_progress cn;
    vc_tonemeter tonemeter;
    vc_noise noise;
    vc_level level;
    vc_echo echo;
    vc_prbs_sender bits_out;
    vc_prbs_receiver bits_in;
    vc_dialgen dialgen;
    vc_tonegen busy, forward;
    uint32_t random, ticks;
    vc_jbuf *jbuf;
    _Alignas(VC_JBUF_ALIGN) unsigned char jbuf_block[VC_JBUF_BYTES];
} everything;

/* 0, or -errno. */
int everything_init(everything *all);
/* Digits, busy, MF-R2, noise: 5 s each, in turn. */
void everything_signal(everything *all, int tick, int16_t *block);
/* One tick of all; the number of events. */
int everything_tick(everything *all, const int16_t *block);

#endif
