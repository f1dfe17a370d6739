/* How late packets come, and which delay that is worth: the jitter buffer's judgement. No sound, no clock, no thread.

   Lateness is counted in samples of the receiver's ticks against the sender's media: it is right for any pair of clocks
   whose difference changes slowly. A delay is a whole number of ticks, since a packet that waits for the next tick gains
   nothing by coming between two of them. Worth is told by the E-model (ITU-T G.107): see vc_late_judge. */
#ifndef VC_JBUF_LATE_H
#define VC_JBUF_LATE_H
#include "block.h"

#define VC_LATE_BATCH 16   /* packets */
#define VC_LATE_BATCHES 72 /* so many are remembered: 23 s of 20 ms packets */
#define VC_LATE_BINS 192   /* of 2.5 ms */

typedef struct {
    uint8_t seen[VC_LATE_BATCHES * VC_LATE_BATCH]; /* each packet's bin, the oldest is overwritten */
    uint16_t count[VC_LATE_BINS];                  /* of those */
    uint8_t least[VC_LATE_BATCHES], most[VC_LATE_BATCHES];
    int64_t base; /* samples: the lateness where bin 0 begins; its level is 0 */
    uint16_t at, kept; /* packets: where the next is written, how many are remembered */
    uint16_t lost256;  /* losses among the remembered, times 256, fading with their time */
    uint8_t usual;     /* level that half of the packets need */
    /* What is judged; levels are ticks above `base`. */
    uint8_t target, alarm, recent;
} vc_late;

/* `lateness` is that of the first packet; any number will do. */
void vc_late_init(vc_late *late, int64_t lateness);
/* One packet more. `missed`: how many before it did not come (in order), or -1: it was overtaken itself.
   1: judged anew, 0: not. */
int vc_late_add(vc_late *late, int64_t lateness, int missed);

#endif
