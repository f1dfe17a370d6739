#include <stdlib.h>

#include "jbuf.h"
#include "player.h"
#include "speech.h"

#define SAMPLES_A_MS 8.0

static void *ours_open(void)
{
    vc_jbuf *jbuf = NULL;
    void *block = aligned_alloc(VC_JBUF_ALIGN, VC_JBUF_BYTES);
    if (!block || vc_jbuf_init(block, VC_JBUF_BYTES, &jbuf))
        abort();
    return jbuf;
}

static void ours_put(void *self, int packet, double arrived_ms)
{
    vc_jbuf_packet put = {.payload = speech_packet(packet), .bytes = VC_BLOCK, .timestamp = (uint32_t)packet * VC_BLOCK,
                          .sequence = (uint16_t)packet, .arrival_us = (uint64_t)(arrived_ms * 1000)};
    if (vc_jbuf_put(self, &put) < 0)
        abort();
}

static void ours_get(void *self, double now_ms, played *heard)
{
    vc_jbuf_step step;
    int16_t block[VC_BLOCK];
    vc_jbuf_get(self, (uint64_t)(now_ms * 1000), block, &step);
    speech_heard(block, VC_BLOCK);
    heard->concealed_ms = (step.concealed_first + step.noise) / SAMPLES_A_MS;
    heard->media_ms = step.timestamp / SAMPLES_A_MS;
    heard->length_ms = step.taken / SAMPLES_A_MS;
    heard->after_ms = step.concealed_last / SAMPLES_A_MS;
}

const player OURS = {"ours", TICK_MS, ours_open, ours_put, ours_get, free};
