/* Traces of arrivals: twelve families of networks, as they are told in docs/jitter-buffer.md. */
#ifndef TRACE_H
#define TRACE_H
#include <stdint.h>

#define FAMILIES 12
#define TRACE_PACKETS 45000 /* 15 min of 20 ms */
#define PACKET_MS 20.0
#define BASE_MS 30.0 /* the least one-way delay */

typedef struct {
    const char *name;
    int packets;
    double *sent_ms;    /* by the receiver's clock: the sender's own may drift */
    double *arrived_ms; /* INFINITY: lost on the way */
    int *order;         /* the packets that arrive, in their order of arrival */
    int arriving;
} trace;

extern const char *const FAMILY_NAMES[FAMILIES];

/* Each of the family's parameters times `scale` (1: as they are told). 0, or -ENOMEM. */
int trace_make(trace *made, int family, uint64_t seed, double scale);
/* Lines of `sent_ms arrived_ms` in the order of sending, arrived_ms "lost" for a lost one. 0, or -errno. */
int trace_read(trace *read, const char *path);
void trace_free(trace *made);

#endif
