/* A ring between two threads, one that puts and one that gets: no lock, no wait, nothing allocated. */
#ifndef VC_RING_H
#define VC_RING_H
#include <stdatomic.h>
#include <stddef.h>

#define VC_CACHE_LINE 64

typedef struct {
    unsigned char *memory;
    size_t item_bytes, items; /* items: a power of two */
    /* Items ever put and got; each has one writer, and a cache line of its own. */
    _Alignas(VC_CACHE_LINE) atomic_size_t put;
    _Alignas(VC_CACHE_LINE) atomic_size_t got;
} vc_ring;

/* `memory` holds items * item_bytes. */
void vc_ring_init(vc_ring *ring, void *memory, size_t item_bytes, size_t items);
/* Both give how many items went through: fewer than asked where there is no room, or nothing waits. */
size_t vc_ring_put(vc_ring *ring, const void *items, size_t count);
size_t vc_ring_get(vc_ring *ring, void *items, size_t count);
size_t vc_ring_waiting(const vc_ring *ring);
/* The smallest power of two that is not less. */
size_t vc_ring_items(size_t least);

#endif
