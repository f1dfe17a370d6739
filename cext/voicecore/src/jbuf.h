/* The real-time jitter buffer: G.711 from the network, put as it comes; a block every 20 ms of the line's clock.

   One thread puts, another gets: neither waits for the other, nothing allocates, locks or logs. Times are microseconds of
   one clock, of any origin. How it judges: docs/jitter-buffer.md. */
#ifndef VC_JBUF_H
#define VC_JBUF_H
#include "block.h"

/* cffi */
#define VC_JBUF_BYTES 7680 /* the caller's block */
#define VC_JBUF_ALIGN 64   /* and where it may begin */
#define VC_JBUF_CHUNK 80   /* samples: packets are 1 to 6 of these */

typedef struct vc_jbuf vc_jbuf;

typedef enum { VC_JBUF_ALAW, VC_JBUF_ULAW } vc_jbuf_law;

/* What became of a packet. */
typedef enum {
    VC_JBUF_KEPT,
    VC_JBUF_LATE,    /* its time is over */
    VC_JBUF_AGAIN,   /* was there already */
    VC_JBUF_TOO_FAR, /* more than the buffer holds ahead of what is played: the next get goes there */
    VC_JBUF_STRAY,   /* belongs to no stream, unless its successor follows */
    VC_JBUF_FATES
} vc_jbuf_fate;

typedef struct {
    const uint8_t *payload; /* G.711 */
    uint32_t bytes;         /* 10 to 60 ms */
    uint32_t timestamp;     /* RTP's, 8000 Hz */
    uint16_t sequence;      /* RTP's */
    uint16_t law;           /* vc_jbuf_law */
    uint64_t arrival_us;
} vc_jbuf_packet;

/* What sounds in a tick: `concealed_first`, then `taken` samples of media, then `concealed_last`. Without concealment and with
   160 taken the media as it is; fewer are stretched, more are pressed into what is left of the tick. */
typedef struct {
    uint32_t timestamp; /* of the first sample of media taken */
    uint16_t taken;
    uint16_t concealed_first, concealed_last;
    uint16_t noise; /* samples of silence that the sender chose not to send, before all others */
} vc_jbuf_step;

typedef struct {
    uint32_t kept, late, again, too_far, stray; /* packets by their fate */
    uint32_t lost;                                 /* did not come, so far */
    uint32_t resets;                               /* the sender began anew */
    uint32_t ticks, concealed_ms, stretched_ticks, pressed_ticks, skipped_ms;
    uint32_t delay_ms;  /* from when half of the packets are there until they sound */
    uint32_t target_ms; /* what it should be */
} vc_jbuf_stats;

/* -EINVAL: too small a block, or one that is not aligned. */
int vc_jbuf_init(void *block, size_t bytes, vc_jbuf **out);

/* By the thread that puts: a vc_jbuf_fate, or -EINVAL for a payload that is not 1 to 6 chunks or another law. */
int vc_jbuf_put(vc_jbuf *jbuf, const vc_jbuf_packet *packet);
/* The same, as foreign languages like to call it. */
int vc_jbuf_put_payload(vc_jbuf *jbuf, uint16_t sequence, uint32_t timestamp, const uint8_t *payload, size_t bytes, int law,
                        uint64_t arrival_us);
/* A packet that is no audio (a DTMF event) went by: it is not missing. */
void vc_jbuf_pass(vc_jbuf *jbuf, uint16_t sequence);
/* Comfort noise (RFC 3389) of so many dB below the overload point: what sounds while the sender is silent. */
void vc_jbuf_noise(vc_jbuf *jbuf, uint16_t sequence, unsigned below_overload_db);

/* By the thread that gets, every 20 ms: decoded, concealed and fitted. */
void vc_jbuf_get(vc_jbuf *jbuf, uint64_t now_us, int16_t *block, vc_jbuf_step *step);
/* The same without sound: only what would have been done; and the media's place, where all 160 are to be taken as they are
   (until the next call), else NULL. */
const uint8_t *vc_jbuf_next(vc_jbuf *jbuf, uint64_t now_us, vc_jbuf_step *step);

/* By any thread. */
void vc_jbuf_read_stats(const vc_jbuf *jbuf, vc_jbuf_stats *stats);
/* end cffi */

#endif
