/* What a tick plays: the jitter buffer's policy, without sound. */
#ifndef VC_JBUF_PLAN_H
#define VC_JBUF_PLAN_H
#include "jbuf_state.h"

/* How soon the media has to be fitted: the later it may be, the less is heard of it. */
typedef enum {
    VC_PACE_AT_ONCE, /* it runs dry, or is far above a moment after it rose */
    VC_PACE_SOON,    /* it rose a moment ago: back before it is noticed */
    VC_PACE_UP,      /* in half a second what comes will be too late */
    VC_PACE_DOWN,    /* it only costs delay: in a pause of the speech */
} vc_pace;

typedef struct {
    int64_t from; /* media */
    int taken, first, last, noise; /* as in vc_jbuf_step */
    int least, most; /* what may be taken instead, to fit the sound */
    int there;       /* samples of media that are there from `from` on, as far as it matters */
    vc_pace pace;    /* where `taken` is not what sounds */
    int is_lost;     /* what is missing after them will not come: `last` stands for it. Else it holds the media back. */
} vc_jbuf_plan;

void vc_jbuf_make_plan(vc_jbuf *jbuf, uint64_t now_us, vc_jbuf_plan *plan);
/* It is done. */
void vc_jbuf_carry_out(vc_jbuf *jbuf, const vc_jbuf_plan *plan, vc_jbuf_step *step);

#endif
