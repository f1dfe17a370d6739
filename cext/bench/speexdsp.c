/* speexdsp's jitter buffer as a player, for comparison only: Debian's libspeexdsp-dev. */
#include <speex/speex_jitter.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"
#include "speech.h"

#define STEP 160 /* samples */
#define SAMPLES_A_MS 8.0

static void *speex_open(void)
{
    return jitter_buffer_init(STEP);
}

static void speex_put(void *self, int packet, double arrived_ms)
{
    (void)arrived_ms;
    char coded[STEP];
    memcpy(coded, speech_packet(packet), STEP);
    JitterBufferPacket put = {.data = coded, .len = STEP, .timestamp = (spx_uint32_t)packet * STEP, .span = STEP,
                              .sequence = (spx_uint16_t)packet};
    jitter_buffer_put(self, &put);
}

static void speex_get(void *self, double now_ms, played *heard)
{
    (void)now_ms;
    char coded[STEP];
    spx_int32_t offset = 0;
    JitterBufferPacket got = {.data = coded, .len = STEP};
    int what = jitter_buffer_get(self, &got, STEP, &offset);
    if (what == JITTER_BUFFER_OK) {
        heard->media_ms = got.timestamp / SAMPLES_A_MS;
        heard->length_ms = STEP / SAMPLES_A_MS;
    } else {
        heard->concealed_ms = STEP / SAMPLES_A_MS;
    }
    jitter_buffer_tick(self);
}

static void speex_close(void *self)
{
    jitter_buffer_destroy(self);
}

const player SPEEXDSP = {"speexdsp", TICK_MS, speex_open, speex_put, speex_get, speex_close};
