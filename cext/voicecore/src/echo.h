/* Measures the echo of a line: what of a known noise comes back, and when.

   The noise is a maximum-length sequence of 4095 samples (512 ms), sent again and again. What comes back is added up over
   the rounds, so that everything else (room, hum, line noise) averages out; its circular correlation with the sequence is
   the impulse response of the path. */
#ifndef VC_ECHO_H
#define VC_ECHO_H
#include "block.h"

/* cffi */
#define VC_ECHO_LENGTH 4095

typedef struct {
    int8_t sequence[VC_ECHO_LENGTH]; /* +1 and -1 */
    int32_t sum[VC_ECHO_LENGTH];
    double amplitude;
    int32_t place;  /* in the sequence, of the next sample */
    int32_t rounds; /* complete ones; the first only fills the path and is not added up */
} vc_echo;

typedef struct {
    int32_t found;
    double delay_ms;     /* of the strongest return */
    double return_loss_db; /* sent power over returned power within 4 ms before and 20 ms after the strongest; when none was
                              found: the loss at least */
    int32_t rounds;      /* that were added up */
} vc_echo_measure;

#define VC_ECHO_MOST_ROUNDS 60000 /* some hours; int32 sums hold that */

/* -EINVAL: a level outside -40 … 0 dBm0. */
int vc_echo_init(vc_echo *state, double level_dbm0);
/* What was heard so far does not count: the line lost or inserted samples. */
void vc_echo_restart(vc_echo *state);
/* One tick: what was heard while `sent` of this same tick goes out. */
void vc_echo_tick(vc_echo *state, const int16_t *heard, int16_t *sent);
/* Takes some 10 ms: not for the audio path. -EAGAIN: less than two rounds, about 1 s. */
int vc_echo_result(const vc_echo *state, vc_echo_measure *out);
/* end cffi */

#endif
