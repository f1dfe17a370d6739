/* Any packets at any time: each tick is filled, nothing is read that did not come, and counts add up. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "jbuf.h"

#define US_A_TICK 20000

typedef struct {
    const uint8_t *data;
    size_t left;
} bytes;

static unsigned next(bytes *from)
{
    if (!from->left)
        return 0;
    from->left--;
    return *from->data++;
}

static void put_any(vc_jbuf *jbuf, bytes *from, uint32_t *sequence, uint32_t *timestamp, uint64_t now_us)
{
    static const uint8_t payload[481];
    unsigned kind = next(from);
    uint32_t length = kind % 8 ? kind % 8 * VC_JBUF_CHUNK : next(from) * 2;
    *sequence += kind & 0x10 ? next(from) * 257 : 1;
    *timestamp += kind & 0x20 ? (next(from) << 24 | next(from) << 8) : kind & 0x40 ? next(from) : length;
    uint64_t arrival_us = kind & 0x80 ? now_us + next(from) * 100 : now_us;
    int fate = vc_jbuf_put_payload(jbuf, (uint16_t)*sequence, *timestamp, payload, length, (int)(kind >> 3 & 1), arrival_us);
    assert(fate < VC_JBUF_FATES && (fate >= 0) == (length && length % VC_JBUF_CHUNK == 0 && length <= 6 * VC_JBUF_CHUNK));
}

static void get_all(vc_jbuf *jbuf, unsigned ticks, uint64_t *now_us)
{
    int16_t block[VC_BLOCK];
    vc_jbuf_step step;
    for (; ticks; ticks--, *now_us += US_A_TICK) {
        memset(&step, 0xff, sizeof step);
        if (ticks % 5 == 0)
            (void)vc_jbuf_next(jbuf, *now_us, &step);
        else
            vc_jbuf_get(jbuf, *now_us, block, &step);
        unsigned hidden = (unsigned)(step.concealed_first + step.concealed_last + step.noise);
        assert(hidden <= VC_BLOCK && step.taken <= 2 * VC_BLOCK && (step.taken > 0 || hidden == VC_BLOCK));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(VC_JBUF_ALIGN) unsigned char block[VC_JBUF_BYTES];
    bytes from = {data, size};
    vc_jbuf *jbuf;
    vc_jbuf_stats stats;
    uint32_t sequence = next(&from) * 257, timestamp = next(&from) << 24, puts = 0;
    uint64_t now_us = (uint64_t)next(&from) << 26;
    int refused = vc_jbuf_init(block, sizeof block, &jbuf);
    assert(!refused);
    while (from.left) {
        unsigned what = next(&from);
        if (what < 0x80) {
            put_any(jbuf, &from, &sequence, &timestamp, now_us);
            puts++;
        } else if (what < 0xf8) {
            get_all(jbuf, what < 0xf0 ? what % 4 : next(&from) % 40, &now_us);
        } else if (what < 0xfc) {
            vc_jbuf_pass(jbuf, (uint16_t)++sequence);
        } else {
            vc_jbuf_noise(jbuf, (uint16_t)++sequence, next(&from));
        }
    }
    vc_jbuf_read_stats(jbuf, &stats);
    assert(stats.kept + stats.late + stats.again + stats.too_far + stats.stray <= puts);
    return 0;
}
