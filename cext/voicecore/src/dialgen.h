/* Sends DTMF digits (ITU-T Q.23, Q.24): a queue of digits, each on for a time and followed by a pause. */
#ifndef VC_DIALGEN_H
#define VC_DIALGEN_H
#include "signals.h"

/* cffi */
#define VC_DIALGEN_ROOM 64

typedef struct {
    double low_dbm0, high_dbm0;
    uint32_t on_samples, off_samples;
    vc_osc osc[2];
    uint32_t left; /* samples of the tone (on) or the pause still to come */
    int32_t on;
    char digits[VC_DIALGEN_ROOM];
    int32_t first, waiting;
} vc_dialgen;

/* -EINVAL: a time outside 20 … 10000 ms or a level that vc_tonegen refuses. */
int vc_dialgen_init(vc_dialgen *state, int on_ms, int off_ms, double low_dbm0, double high_dbm0);
/* Takes all digits of the text or none. -EINVAL: a digit is none; -ENOBUFS: no room. */
int vc_dialgen_put(vc_dialgen *state, const char *digits);
/* 1: this block holds something of a digit or its pause; 0: silence, all is sent. */
int vc_dialgen_read(vc_dialgen *state, int16_t *block);
/* end cffi */

#endif
