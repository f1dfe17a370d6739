/* Plans for vc_pair: DTMF (ITU-T Q.24) and MF-R2 register signals (Q.441, Q.455). */
#ifndef VC_RECEIVERS_H
#define VC_RECEIVERS_H
#include "pair.h"
#include "signals.h"

/* cffi */
/* Q.24: takes 1.5 % beside the frequencies, refuses 3.5 %; 40 ms on and off; dial tone (450 Hz) may lie under the first. */
int vc_dtmf_plan(vc_pair_plan *plan);
char vc_dtmf_digit(const vc_pair_event *event);

/* Q.455: takes 10 Hz beside the frequencies, -35 … -5 dBm0 each, 7 dB between the two. */
int vc_r2_plan(vc_pair_plan *plan, vc_r2_direction direction);
int vc_r2_signal(const vc_pair_event *event);
/* end cffi */

#endif
