#include "cost.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../voicecore/programs/allocations.h"
#include "g711.h"
#include "jbuf.h"
#include "speech.h"
#include "trace.h"

#define ROUNDS 7
#define LAN 0
#define LOSSY 7
#define PHASE_US 10000
#define TICK_US 20000
#define STREAMS 1000
#define STREAM_TICKS 250

enum way { NOTHING, DECODE, BUFFER, SOUND };

static volatile unsigned sink;

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static vc_jbuf *opened(void *block)
{
    vc_jbuf *jbuf = NULL;
    if (!block || vc_jbuf_init(block, VC_JBUF_BYTES, &jbuf))
        abort();
    return jbuf;
}

static vc_jbuf_packet packet_of(const trace *of, int place)
{
    int n = of->order[place];
    return (vc_jbuf_packet){.payload = speech_packet(n), .bytes = VC_BLOCK, .timestamp = (uint32_t)n * VC_BLOCK, .sequence = (uint16_t)n,
                            .arrival_us = (uint64_t)(of->arrived_ms[n] * 1000)};
}

static void tick(vc_jbuf *jbuf, enum way way, uint64_t now_us)
{
    vc_jbuf_step step;
    int16_t block[VC_BLOCK];
    uint8_t coded[VC_BLOCK] = {0};
    if (way == SOUND) {
        vc_jbuf_get(jbuf, now_us, block, &step);
        sink += (unsigned)block[7];
    } else if (way == BUFFER) {
        const uint8_t *there = vc_jbuf_next(jbuf, now_us, &step);
        if (there)
            memcpy(coded, there, sizeof coded);
        sink += coded[7];
    }
}

static void packet(vc_jbuf *jbuf, enum way way, const vc_jbuf_packet *put)
{
    int16_t block[VC_BLOCK];
    if (way == DECODE) {
        vc_alaw_decode(put->payload, block, VC_BLOCK);
        sink += (unsigned)block[7];
    } else if (way == NOTHING) {
        sink += put->payload[0];
    } else if (vc_jbuf_put(jbuf, put) < 0) {
        abort();
    }
}

/* ns for a tick: the best of some rounds, since others only ever add to it. */
static double measure(const trace *of, const vc_jbuf_packet *packets, enum way way, double *allocs)
{
    void *block = aligned_alloc(VC_JBUF_ALIGN, VC_JBUF_BYTES);
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        vc_jbuf *jbuf = opened(block);
        int next = 0;
        allocations = 0;
        double began = now_ns();
        for (int i = 0; i < of->packets; i++) {
            uint64_t now_us = (uint64_t)i * TICK_US + PHASE_US;
            for (; next < of->arriving && packets[next].arrival_us <= now_us; next++)
                packet(jbuf, way, &packets[next]);
            tick(jbuf, way, now_us);
        }
        double took = (now_ns() - began) / of->packets;
        *allocs = (double)allocations / of->packets;
        best = took < best ? took : best;
    }
    free(block);
    return best;
}

static double measure_streams(const vc_jbuf_packet *packets)
{
    unsigned char *blocks = aligned_alloc(VC_JBUF_ALIGN, (size_t)STREAMS * VC_JBUF_BYTES);
    vc_jbuf *all[STREAMS];
    for (int i = 0; blocks && i < STREAMS; i++)
        all[i] = opened(blocks + (size_t)i * VC_JBUF_BYTES);
    double began = now_ns();
    for (int i = 0; blocks && i < STREAM_TICKS; i++) {
        for (int stream = 0; stream < STREAMS; stream++) {
            packet(all[stream], BUFFER, &packets[i]);
            tick(all[stream], BUFFER, packets[i].arrival_us + PHASE_US);
        }
    }
    free(blocks);
    return (now_ns() - began) / STREAM_TICKS / STREAMS;
}

static vc_jbuf_packet *packets_of(const trace *of)
{
    vc_jbuf_packet *packets = malloc((size_t)of->arriving * sizeof *packets);
    for (int i = 0; packets && i < of->arriving; i++)
        packets[i] = packet_of(of, i);
    return packets;
}

void measure_costs(costs *measured, unsigned long long seed)
{
    trace lan, lossy;
    double allocs;
    if (trace_make(&lan, LAN, seed, 1) || trace_make(&lossy, LOSSY, seed, 1))
        abort();
    vc_jbuf_packet *quiet = packets_of(&lan), *holed = packets_of(&lossy);
    if (!quiet || !holed)
        abort();
    measured->null = measure(&lan, quiet, NOTHING, &allocs);
    measured->decode = measure(&lan, quiet, DECODE, &allocs);
    measured->buffer = measure(&lan, quiet, BUFFER, &allocs);
    measured->decode_plc = measure(&lan, quiet, SOUND, &allocs);
    measured->loss3 = measure(&lossy, holed, SOUND, &measured->allocs_per_tick);
    measured->streams = measure_streams(quiet);
    free(quiet);
    free(holed);
    trace_free(&lan);
    trace_free(&lossy);
}
