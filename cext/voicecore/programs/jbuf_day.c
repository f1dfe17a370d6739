/* jbuf_day PPM: a day of a call whose sender's clock goes so many millionths slower than the line's. JSON on the last line. */
#include <stdio.h>
#include <stdlib.h>

#include "jbuf.h"

#define DAY_TICKS (24 * 3600 * 50)
#define PACKET_US 20000
#define FIRST_HOUR (3600 * 50)

static _Alignas(VC_JBUF_ALIGN) unsigned char block[VC_JBUF_BYTES];
static const uint8_t payload[VC_BLOCK];

/* Arrivals up to `now_us`, with 4 ms of jitter: they are put. */
static void put_until(vc_jbuf *jbuf, double packet_us, uint64_t now_us, uint32_t *packet)
{
    for (;; (*packet)++) {
        uint64_t arrival_us = (uint64_t)((double)*packet * packet_us) + 30000 + *packet * 7919u % 4000;
        if (arrival_us > now_us)
            return;
        (void)vc_jbuf_put_payload(jbuf, (uint16_t)*packet, *packet * VC_BLOCK, payload, sizeof payload, VC_JBUF_ALAW, arrival_us);
    }
}

int main(int count, char **words)
{
    vc_jbuf *jbuf;
    vc_jbuf_stats first = {0}, stats = {0};
    vc_jbuf_step step;
    uint32_t packet = 0, most_ms = 0;
    double packet_us = PACKET_US * (1 + (count > 1 ? atof(words[1]) : 0) * 1e-6);
    if (vc_jbuf_init(block, sizeof block, &jbuf))
        return 1;
    for (int tick = 0; tick < DAY_TICKS; tick++) {
        uint64_t now_us = (uint64_t)tick * PACKET_US;
        put_until(jbuf, packet_us, now_us, &packet);
        (void)vc_jbuf_next(jbuf, now_us, &step);
        vc_jbuf_read_stats(jbuf, &stats);
        most_ms = stats.delay_ms > most_ms ? stats.delay_ms : most_ms;
        if (tick == FIRST_HOUR)
            first = stats;
    }
    printf("{\"packets\": %u, \"kept\": %u, \"late\": %u, \"resets\": %u, \"skipped_ms\": %u, \"concealed_ms\": %u, "
           "\"concealed_in_first_hour_ms\": %u, \"most_delay_ms\": %u, \"delay_ms\": %u}\n",
           packet, stats.kept, stats.late, stats.resets, stats.skipped_ms, stats.concealed_ms, first.concealed_ms, most_ms, stats.delay_ms);
    return 0;
}
