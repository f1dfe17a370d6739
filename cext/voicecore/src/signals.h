/* What is sent on Chinese lines: DTMF, MF-R2 register signals, tones of the exchange. */
#ifndef VC_SIGNALS_H
#define VC_SIGNALS_H
#include "tone.h"

/* cffi */
/* ITU-T Q.23: rows 697 770 852 941 Hz, columns 1209 1336 1477 1633 Hz. */
#define VC_DTMF_CODES 16

/* ITU-T Q.441 table 5 (and GB/T 3377): signal 1 … 15 is a pair of six frequencies, each direction has its own six. */
#define VC_R2_SIGNALS 15
typedef enum { VC_R2_FORWARD, VC_R2_BACKWARD } vc_r2_direction;

/* GB/T 3380: tones of a Chinese exchange, all of 450 Hz. And a milliwatt line's 1004 Hz: 1000 Hz would hit the same eight
   codes of G.711 again and again (ITU-T O.6 takes 1020 Hz for that reason). */
typedef enum {
    VC_CN_DIAL,
    VC_CN_RING_BACK,
    VC_CN_BUSY,
    VC_CN_CONGESTION,
    VC_CN_UNOBTAINABLE,
    VC_CN_CALL_WAITING,
    VC_MILLIWATT
} vc_named_tone;

/* Levels are of each frequency. -EINVAL: no such digit (0-9 * # A-D), signal or tone. */
int vc_tone_of_dtmf(char digit, double low_dbm0, double high_dbm0, vc_tone *out);
int vc_tone_of_r2(vc_r2_direction direction, int signal, double level_dbm0, vc_tone *out);
int vc_tone_of_name(vc_named_tone name, double level_dbm0, vc_tone *out);
/* end cffi */

extern const double VC_DTMF_LOW_HZ[4], VC_DTMF_HIGH_HZ[4];
extern const char VC_DTMF_DIGITS[VC_DTMF_CODES + 1]; /* row by row */
extern const double VC_R2_HZ[2][6];
/* Signal (1 … 15) of two frequency numbers, low < high < 6. */
int vc_r2_signal_of(int low, int high);

#endif
