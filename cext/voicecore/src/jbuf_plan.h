/* What a tick plays: the jitter buffer's policy, without sound. */
#ifndef VC_JBUF_PLAN_H
#define VC_JBUF_PLAN_H
#include "jbuf_state.h"

typedef struct {
    int64_t from; /* media */
    int taken, first, last, noise; /* as in vc_jbuf_step */
    int least, most; /* what may be taken instead, to fit the sound */
    int there;       /* samples of media that are there from `from` on, as far as it matters */
    int is_urgent;   /* it runs dry, or is far too long */
    int is_lost;     /* what is missing after them will not come: `last` stands for it. Else it holds the media back. */
} vc_jbuf_plan;

void vc_jbuf_make_plan(vc_jbuf *jbuf, uint64_t now_us, vc_jbuf_plan *plan);
/* It is done. */
void vc_jbuf_carry_out(vc_jbuf *jbuf, const vc_jbuf_plan *plan, vc_jbuf_step *step);

#endif
