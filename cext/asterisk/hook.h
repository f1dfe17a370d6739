/* The jitter buffer on the read side of a channel: packets go in as they come, every 20 ms of Asterisk's timer a block
   comes out. All of it happens under the channel's lock, in the thread that reads the channel. */
#ifndef SA_HOOK_H
#define SA_HOOK_H
#include <asterisk.h>

#include <asterisk/channel.h>

#include "clock.h"
#include "jbuf.h"

typedef struct sa_jitter sa_jitter;

/* A buffer on the channel, which is locked: a reference for the caller, another is the hook's. NULL: no memory, or no timer;
   the log has it. */
sa_jitter *sa_jitter_attach(struct ast_channel *channel);
/* No buffer any more; what it holds is not heard. The channel is locked. */
void sa_jitter_detach(sa_jitter *jitter, struct ast_channel *channel);
/* Another channel came in this one's place, with its own sound. */
void sa_jitter_leave(sa_jitter *jitter, struct ast_channel *channel);

typedef struct {
    uint32_t late_ticks; /* blocks that were had too late for who hears them: this machine was busy, or nobody read the channel */
    int timer_ppm;       /* by which Asterisk's timer is faster than the system's clock; it is the line's own where there is one */
    int sender_ppm;      /* the same of who is at the other end, by what comes; both are 0 until 10 s are over */
} sa_jitter_clocks;

void sa_jitter_read_stats(const sa_jitter *jitter, vc_jbuf_stats *stats, sa_jitter_clocks *clocks);

#endif
