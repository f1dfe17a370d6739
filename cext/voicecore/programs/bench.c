/* ns for one 20 ms tick of one channel, with 360 channels' states in turn; CPU time of this thread, median of rounds.
   spandsp's receivers, when the library is there, take the same blocks in the same run. JSON on the last line. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "everything.h"

#define CHANNELS 360
#define TICKS 50 /* a round: 1 s of all channels */
#define ROUNDS 9
#define SIGNALS 16
#define TICK_NS 20e6

static int16_t line[SIGNALS][TICKS][VC_BLOCK];
static uint8_t coded[SIGNALS][TICKS][VC_BLOCK];
static everything maker;
static vc_pair dtmf[CHANNELS], r2[CHANNELS];
static vc_progress busy[CHANNELS];
static volatile int events;

typedef void *(*make_dtmf)(void *, void *, void *);
typedef void *(*make_r2)(void *, int, void *, void *);
typedef int (*take)(void *, const int16_t *, int);
static void *their_dtmf[CHANNELS], *their_r2[CHANNELS];
static take take_dtmf, take_r2;

static void run_g711(int channel, int tick)
{
    int16_t heard[VC_BLOCK];
    uint8_t sent[VC_BLOCK];
    vc_alaw_decode(coded[channel % SIGNALS][tick], heard, VC_BLOCK);
    vc_alaw_encode(heard, sent, VC_BLOCK);
    events += sent[0] == 1;
}

static void run_dtmf(int channel, int tick)
{
    vc_pair_event found[VC_PAIR_EVENTS];
    events += vc_pair_feed(&dtmf[channel], &maker.dtmf_plan, line[channel % SIGNALS][tick], found);
}

static void run_r2(int channel, int tick)
{
    vc_pair_event found[VC_PAIR_EVENTS];
    events += vc_pair_feed(&r2[channel], &maker.r2_plan[0], line[channel % SIGNALS][tick], found);
}

static void run_busy(int channel, int tick)
{
    vc_progress_event found[VC_PROGRESS_EVENTS];
    events += vc_progress_feed(&busy[channel], &maker.cn_plan, line[channel % SIGNALS][tick], found);
}

static void run_busy_and_dtmf(int channel, int tick)
{
    run_busy(channel, tick);
    run_dtmf(channel, tick);
}

static void run_their_dtmf(int channel, int tick)
{
    take_dtmf(their_dtmf[channel], line[channel % SIGNALS][tick], VC_BLOCK);
}

static void run_their_r2(int channel, int tick)
{
    take_r2(their_r2[channel], line[channel % SIGNALS][tick], VC_BLOCK);
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double measure(void (*run)(int, int))
{
    double took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (int tick = 0; tick < TICKS; tick++) {
            for (int channel = 0; channel < CHANNELS; channel++)
                run(channel, tick);
        }
        took[round] = (now_ns() - begin) / TICKS / CHANNELS;
    }
    qsort(took, ROUNDS, sizeof *took, by_size);
    return took[ROUNDS / 2];
}

/* Digits, busy, MF-R2 and noise, each on a quarter of the channels. */
static void make_signals(void)
{
    for (int i = 0; i < SIGNALS; i++) {
        for (int tick = 0; tick < TICKS; tick++) {
            everything_signal(&maker, i % 4 * 250 + tick, line[i][tick]);
            vc_alaw_encode(line[i][tick], coded[i][tick], VC_BLOCK);
        }
    }
    for (int channel = 0; channel < CHANNELS; channel++) {
        vc_pair_init(&dtmf[channel]);
        vc_pair_init(&r2[channel]);
        vc_progress_init(&busy[channel]);
    }
}

/* Object and function pointers are not the same to ISO C; POSIX says that they are. */
static void find(void *library, const char *name, void *function)
{
    *(void **)function = dlsym(library, name);
}

static int load_spandsp(void)
{
    void *library = dlopen("libspandsp.so.2", RTLD_NOW);
    make_dtmf new_dtmf = NULL;
    make_r2 new_r2 = NULL;
    if (!library)
        return 0;
    find(library, "dtmf_rx_init", &new_dtmf);
    find(library, "r2_mf_rx_init", &new_r2);
    find(library, "dtmf_rx", &take_dtmf);
    find(library, "r2_mf_rx", &take_r2);
    if (!new_dtmf || !new_r2 || !take_dtmf || !take_r2)
        return 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
        their_dtmf[channel] = new_dtmf(NULL, NULL, NULL);
        their_r2[channel] = new_r2(NULL, 1, NULL, NULL);
    }
    return 1;
}

int main(void)
{
    if (everything_init(&maker))
        return 1;
    make_signals();
    double both = measure(run_busy_and_dtmf), share = both * CHANNELS / TICK_NS;
    printf("360 channels of busy and DTMF: %.1f %% of a core\n", 100 * share);
    printf("{\"unit\": \"ns per 20 ms tick and channel\", \"channels\": %d", CHANNELS);
    printf(", \"g711_decode_encode\": %.0f, \"dtmf\": %.0f", measure(run_g711), measure(run_dtmf));
    printf(", \"r2\": %.0f, \"busy\": %.0f", measure(run_r2), measure(run_busy));
    printf(", \"busy_and_dtmf\": %.0f, \"share_of_core_360\": %.4f", both, share);
    if (load_spandsp())
        printf(", \"spandsp_dtmf\": %.0f, \"spandsp_r2\": %.0f", measure(run_their_dtmf), measure(run_their_r2));
    printf(", \"state_bytes\": {\"dtmf\": %zu, \"r2\": %zu, \"busy\": %zu}}\n", sizeof(vc_pair), sizeof(vc_pair),
           sizeof(vc_progress));
    return 0;
}
