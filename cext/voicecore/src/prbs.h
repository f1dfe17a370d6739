/* Bit error test of a channel with the pseudo-random sequences of ITU-T O.150. Bytes go out first bit first (bit 7). */
#ifndef VC_PRBS_H
#define VC_PRBS_H
#include "block.h"

/* cffi */
/* 2^11-1: stages 9 and 11 (O.150 5.3); 2^15-1: stages 14 and 15, sent inverted (O.150 5.4). */
typedef enum { VC_PRBS_11, VC_PRBS_15 } vc_prbs_sequence;

typedef struct {
    vc_prbs_sequence sequence;
    uint32_t past; /* the last bits, newest lowest, before inversion */
} vc_prbs_sender;

typedef struct {
    vc_prbs_sequence sequence;
    uint32_t past;
    int32_t in_step;        /* 1: own sequence runs beside the line's */
    int32_t matched;        /* out of step: bits in a row that follow from those before */
    uint32_t window_bits, window_errors; /* the window that goes on … */
    uint32_t held_bits, held_errors;     /* … and the one before: a slip may have begun at its end */
    uint64_t bits, errors;               /* of all before those */
    uint32_t losses;        /* how often it fell out of step */
} vc_prbs_receiver;

typedef struct {
    uint64_t bits, errors;
    uint32_t losses;
    int32_t in_step;
} vc_prbs_count;

/* -EINVAL: no such sequence. */
int vc_prbs_sender_init(vc_prbs_sender *state, vc_prbs_sequence sequence);
void vc_prbs_send(vc_prbs_sender *state, uint8_t *bytes, size_t count);
int vc_prbs_receiver_init(vc_prbs_receiver *state, vc_prbs_sequence sequence);
/* Comes into step after 48 right bits in a row. More than 200 wrong bits in a window of 1000 say that the line slipped or
   was gone: that window and the one before are not counted, and the receiver looks for the sequence anew. */
void vc_prbs_receive(vc_prbs_receiver *state, const uint8_t *bytes, size_t count);
/* The bits counted so far, those included that a loss of step would still take back. */
void vc_prbs_result(const vc_prbs_receiver *state, vc_prbs_count *out);
/* end cffi */

#endif
