/* Any order of putting and getting: what comes out is what went in, in its order, and never more than there is room for. */
#include <assert.h>

#include "fuzz.h"
#include "ring.h"

#define MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_ring ring;
    uint16_t memory[MOST], items[2 * MOST], in = 0, out = 0;
    if (!size)
        return 0;
    size_t room = (size_t)1 << (data[0] % 7);
    vc_ring_init(&ring, memory, sizeof *memory, room);
    for (size_t at = 1; at < size; at++) {
        size_t count = data[at] >> 1, waiting = (uint16_t)(in - out);
        if (data[at] & 1) {
            for (size_t i = 0; i < count; i++)
                items[i] = (uint16_t)(in + i);
            size_t put = vc_ring_put(&ring, items, count);
            assert(put == (count < room - waiting ? count : room - waiting));
            in = (uint16_t)(in + put);
        } else {
            size_t got = vc_ring_get(&ring, items, count);
            assert(got == (count < waiting ? count : waiting));
            for (size_t i = 0; i < got; i++)
                assert(items[i] == (uint16_t)(out + i));
            out = (uint16_t)(out + got);
        }
        assert(vc_ring_waiting(&ring) == (uint16_t)(in - out));
    }
    return 0;
}
