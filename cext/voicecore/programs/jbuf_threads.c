/* One thread puts, one gets, one looks on; for the sanitizer of threads: nothing but the buffer orders what they do. Some
   packets are overtaken. Each sample tells its place in the stream: what
   sounds is what was sent, in its order. JSON on the last line. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "g711.h"
#include "jbuf.h"

#define PACKETS 20000
#define US 20000

static _Alignas(VC_JBUF_ALIGN) unsigned char block[VC_JBUF_BYTES];
static vc_jbuf *jbuf;
static atomic_int put, got;

static int read_now(const atomic_int *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void send(int n)
{
    uint8_t payload[VC_BLOCK];
    memset(payload, n % 251, sizeof payload);
    if (n % 97)
        (void)vc_jbuf_put_payload(jbuf, (uint16_t)n, (uint32_t)n * VC_BLOCK, payload, sizeof payload, VC_JBUF_ALAW, (uint64_t)n * US);
}

/* The network is a few packets ahead. Of six the first comes after the others. */
static void *sender(void *nothing)
{
    for (int n = 0; n < PACKETS; n++) {
        while (n > read_now(&got) + 8)
            sched_yield();
        if (n % 6)
            send(n);
        if (n % 6 == 5)
            send(n - 5);
        atomic_store_explicit(&put, n + 1, memory_order_relaxed);
        /* The overtaken one is played before a further packet could have told of it. */
        while (n % 6 == 5 && read_now(&got) < n)
            sched_yield();
    }
    return nothing;
}

static void *watcher(void *nothing)
{
    vc_jbuf_stats stats;
    while (read_now(&put) < PACKETS)
        vc_jbuf_read_stats(jbuf, &stats);
    return nothing;
}

/* Blocks that are whole and hold something else than was sent at their place. */
static int wrong(const vc_jbuf_step *step, const uint8_t *there)
{
    int count = 0;
    for (int i = 0; there && i < VC_BLOCK; i++)
        count += there[i] != (step->timestamp + (uint32_t)i) / VC_BLOCK % 251;
    return count;
}

int main(void)
{
    pthread_t one, two;
    vc_jbuf_step step;
    vc_jbuf_stats stats;
    int bad = 0, whole = 0;
    if (vc_jbuf_init(block, sizeof block, &jbuf) || pthread_create(&one, NULL, sender, NULL) || pthread_create(&two, NULL, watcher, NULL))
        return 1;
    for (int tick = 0; read_now(&put) < PACKETS; tick++) {
        int16_t sound[VC_BLOCK];
        const uint8_t *there = NULL;
        while (tick > read_now(&put) && read_now(&put) < PACKETS)
            sched_yield();
        if (tick % 2)
            there = vc_jbuf_next(jbuf, (uint64_t)tick * US, &step);
        else
            vc_jbuf_get(jbuf, (uint64_t)tick * US, sound, &step);
        bad += wrong(&step, there);
        whole += there != NULL;
        atomic_store_explicit(&got, tick, memory_order_relaxed);
    }
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    vc_jbuf_read_stats(jbuf, &stats);
    printf("{\"wrong\": %d, \"whole\": %d, \"kept\": %u, \"late\": %u}\n", bad, whole, stats.kept, stats.late);
    return bad != 0;
}
