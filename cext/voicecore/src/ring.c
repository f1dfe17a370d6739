#include "ring.h"

#include <assert.h>
#include <string.h>

void vc_ring_init(vc_ring *ring, void *memory, size_t item_bytes, size_t items)
{
    assert(items && !(items & (items - 1)));
    ring->memory = memory;
    ring->item_bytes = item_bytes;
    ring->items = items;
    atomic_init(&ring->put, 0);
    atomic_init(&ring->got, 0);
}

/* Where item `number` lies, and how many follow it before the memory ends. */
static unsigned char *place(const vc_ring *ring, size_t number, size_t *in_a_row)
{
    size_t at = number & (ring->items - 1);
    *in_a_row = ring->items - at;
    return ring->memory + at * ring->item_bytes;
}

size_t vc_ring_put(vc_ring *ring, const void *items, size_t count)
{
    size_t put = atomic_load_explicit(&ring->put, memory_order_relaxed), in_a_row;
    size_t room = ring->items - (put - atomic_load_explicit(&ring->got, memory_order_acquire));
    count = count < room ? count : room;
    if (!count)
        return 0;
    unsigned char *to = place(ring, put, &in_a_row);
    size_t first = count < in_a_row ? count : in_a_row;
    memcpy(to, items, first * ring->item_bytes);
    memcpy(ring->memory, (const unsigned char *)items + first * ring->item_bytes, (count - first) * ring->item_bytes);
    atomic_store_explicit(&ring->put, put + count, memory_order_release);
    return count;
}

size_t vc_ring_get(vc_ring *ring, void *items, size_t count)
{
    size_t got = atomic_load_explicit(&ring->got, memory_order_relaxed), in_a_row;
    size_t waiting = atomic_load_explicit(&ring->put, memory_order_acquire) - got;
    count = count < waiting ? count : waiting;
    if (!count)
        return 0;
    const unsigned char *from = place(ring, got, &in_a_row);
    size_t first = count < in_a_row ? count : in_a_row;
    memcpy(items, from, first * ring->item_bytes);
    memcpy((unsigned char *)items + first * ring->item_bytes, ring->memory, (count - first) * ring->item_bytes);
    atomic_store_explicit(&ring->got, got + count, memory_order_release);
    return count;
}

size_t vc_ring_waiting(const vc_ring *ring)
{
    return atomic_load_explicit(&ring->put, memory_order_acquire) - atomic_load_explicit(&ring->got, memory_order_acquire);
}

size_t vc_ring_items(size_t least)
{
    size_t items = 1;
    while (items < least)
        items *= 2;
    return items;
}
