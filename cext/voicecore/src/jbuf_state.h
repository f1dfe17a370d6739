/* The inside of a jitter buffer, for jbuf_*.c only.

   Media is counted in samples from the first packet on, by the sender's timestamps; ticks are counted by get. The delay of
   what is played is tick * 160 - media: the origin of both is arbitrary, their difference is not. */
#ifndef VC_JBUF_STATE_H
#define VC_JBUF_STATE_H
#include <stdatomic.h>

#include "jbuf.h"
#include "jbuf_late.h"

#define VC_JBUF_CHUNKS 64
#define VC_JBUF_HISTORY 216 /* samples: what concealment looks back at */
#define VC_JBUF_SHORTEST 40  /* samples of a pitch: 200 Hz */
#define VC_JBUF_LONGEST 120  /* 67 Hz */
#define VC_JBUF_BEHIND (4 * VC_JBUF_CHUNK) /* chunks behind what is played that may still be looked at */
#define VC_JBUF_AHEAD (VC_JBUF_CHUNKS * VC_JBUF_CHUNK - VC_JBUF_BEHIND)

/* A chunk's mark: which one it is, and of what kind. */
enum { VC_CHUNK_ALAW, VC_CHUNK_ULAW, VC_CHUNK_SILENT };

struct vc_jbuf {
    /* Written by put, read by get: a chunk's bytes are there when its mark is. */
    uint8_t bytes[VC_JBUF_CHUNKS * VC_JBUF_CHUNK];
    _Atomic uint32_t mark[VC_JBUF_CHUNKS];
    _Alignas(64) _Atomic int64_t newest; /* the end of the media that came; 0: none came yet */
    _Atomic int64_t target, recent;      /* delays: what is worth it, what the last half second needed */
    _Atomic int64_t usual, alarm;        /* delay that half needs; age of the newest packet that is a bad sign */
    _Atomic uint32_t offset;             /* timestamp - media, of the newest packet */
    _Atomic uint32_t noise_level;         /* peak of comfort noise */
    _Atomic uint32_t is_silent;           /* the sender said so */
    _Atomic uint32_t fates[VC_JBUF_FATES], lost, resets;
    /* put's own. */
    uint16_t sequence, stray_sequence;
    uint32_t stray_timestamp;
    vc_late lateness;

    /* Written by get, read by put. */
    _Alignas(64) _Atomic int64_t tick; /* so many were had */
    _Atomic int64_t playing;           /* the media that the next one begins with; 0: nothing yet */
    _Atomic uint32_t now_us;           /* of the last tick */
    _Atomic uint32_t concealed, stretched, pressed, skipped; /* samples, ticks, ticks, samples */
    /* get's own. */
    int64_t seen;     /* newest, a tick ago */
    int64_t ended;    /* the media that sounded last */
    uint32_t held;    /* samples made up while nothing was there */
    uint32_t rose;    /* the tick when the delay last rose */
    int32_t clean;    /* samples since `history` that were media as it is */
    uint32_t random;
    uint16_t lag;     /* of the concealment under way; 0: none */
    uint16_t hidden;  /* samples of it */
    uint16_t waited;  /* ticks for a moment when a splice is not heard */
    int16_t history[VC_JBUF_HISTORY];
};

_Static_assert(sizeof(struct vc_jbuf) <= VC_JBUF_BYTES, "the caller's block");

/* Chunks are counted from the origin of the media, too. */
static inline uint32_t vc_jbuf_chunk(int64_t media)
{
    return (uint32_t)((uint64_t)media / VC_JBUF_CHUNK);
}

static inline uint32_t vc_jbuf_mark(uint32_t chunk, unsigned kind)
{
    return chunk << 2 | kind;
}

#endif
