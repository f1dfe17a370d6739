#include "engine.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine_slot.h"

#define LEAST_RING_MS 40
#define MOST_RING_MS 60000
#define READY_AT_ONCE 64 /* files that one epoll tells of */
#define CALL (-1)        /* in epoll, instead of a slot's number: the driver wants something */

struct vc_engine {
    int channels, lead;
    vc_slot *slots;
    unsigned char *rings;
    vc_line_plans plans;
    int poll, call, news; /* epoll; eventfd to the thread; eventfd to the driver */
    int runs;             /* the thread is there */
    pthread_t thread;
    atomic_int ends;
};

static void ring_bell(int fd)
{
    uint64_t one = 1;
    /* It can only fail when it has rung 2^64 times without being heard: then it is heard anyway. */
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

static void quiet_bell(int fd)
{
    uint64_t count;
    ssize_t taken = read(fd, &count, sizeof count);
    (void)taken;
}

static int watch(vc_engine *engine, int fd, int number, uint32_t what)
{
    struct epoll_event event = {.events = what, .data.fd = number};
    return epoll_ctl(engine->poll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void finish(vc_engine *engine, vc_slot *slot, int why)
{
    (void)epoll_ctl(engine->poll, EPOLL_CTL_DEL, slot->in, NULL); /* it may never have been in */
    vc_slot_finish(slot, why);
}

/* The driver called: slots that are ready begin, those that shall stop end. */
static int answer(vc_engine *engine)
{
    int told = 0;
    quiet_bell(engine->call);
    for (int i = 0; i < engine->channels; i++) {
        vc_slot *slot = &engine->slots[i];
        int state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if (state == VC_SLOT_READY) {
            atomic_store_explicit(&slot->state, state = VC_SLOT_RUNNING, memory_order_relaxed);
            int over = watch(engine, slot->in, i, slot->is_dahdi ? EPOLLIN | EPOLLPRI : EPOLLIN);
            over = over ? over : vc_slot_begin(slot, &told);
            if (over) {
                finish(engine, slot, over);
                told = 1;
                continue;
            }
        }
        if (state == VC_SLOT_RUNNING && atomic_load_explicit(&slot->stop, memory_order_acquire)) {
            finish(engine, slot, 0);
            told = 1;
        }
    }
    return told;
}

static int serve(vc_engine *engine, const struct epoll_event *event)
{
    int told = 0, over = 0;
    if (event->data.fd == CALL)
        return answer(engine);
    vc_slot *slot = &engine->slots[event->data.fd];
    if (atomic_load_explicit(&slot->state, memory_order_relaxed) != VC_SLOT_RUNNING)
        return 0; /* it ended in this very round */
    if (event->events & EPOLLPRI && slot->is_dahdi)
        over = vc_slot_take_events(slot, &told);
    if (!over && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        over = vc_slot_read(slot, &engine->plans, &told);
    if (over) {
        finish(engine, slot, over);
        told = 1;
    }
    return told;
}

static void *run(void *argument)
{
    vc_engine *engine = argument;
    struct epoll_event events[READY_AT_ONCE];
    while (!atomic_load_explicit(&engine->ends, memory_order_acquire)) {
        int told = 0, ready = epoll_wait(engine->poll, events, READY_AT_ONCE, -1);
        assert(ready >= 0 || errno == EINTR);
        for (int i = 0; i < ready; i++)
            told |= serve(engine, &events[i]);
        if (told)
            ring_bell(engine->news);
    }
    return NULL;
}

/* Signals are the driver's: none comes to the thread. */
static int begin_thread(vc_engine *engine)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int refused = pthread_create(&engine->thread, NULL, run, engine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    engine->runs = !refused;
    return -refused;
}

static int open_files(vc_engine *engine)
{
    engine->poll = epoll_create1(EPOLL_CLOEXEC);
    engine->call = engine->poll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    engine->news = engine->call < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return engine->news < 0 ? -errno : watch(engine, engine->call, CALL, EPOLLIN);
}

static int take_memory(vc_engine *engine, size_t samples)
{
    size_t channels = (size_t)engine->channels, each = vc_slot_memory(samples);
    engine->slots = aligned_alloc(VC_CACHE_LINE, channels * sizeof *engine->slots);
    engine->rings = engine->slots ? aligned_alloc(VC_CACHE_LINE, channels * each) : NULL;
    if (!engine->rings)
        return -ENOMEM;
    for (size_t i = 0; i < channels; i++)
        vc_slot_init(&engine->slots[i], engine->rings + i * each, samples);
    return 0;
}

int vc_engine_open(vc_engine **out, int channels, int ring_ms, int lead)
{
    *out = NULL;
    if (channels < 1 || channels > VC_ENGINE_MOST || ring_ms < LEAST_RING_MS || ring_ms > MOST_RING_MS || lead < 1 ||
        lead > VC_ENGINE_MOST_LEAD)
        return -EINVAL;
    vc_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return -ENOMEM;
    engine->channels = channels;
    engine->lead = lead;
    engine->poll = engine->call = engine->news = -1;
    int refused = vc_line_plans_init(&engine->plans);
    refused = refused ? refused : take_memory(engine, vc_ring_items((size_t)ring_ms * VC_RATE_HZ / 1000));
    refused = refused ? refused : open_files(engine);
    refused = refused ? refused : begin_thread(engine);
    if (refused) {
        vc_engine_close(engine);
        return refused;
    }
    *out = engine;
    return 0;
}

void vc_engine_close(vc_engine *engine)
{
    if (!engine)
        return;
    if (engine->runs) {
        atomic_store_explicit(&engine->ends, 1, memory_order_release);
        ring_bell(engine->call);
        pthread_join(engine->thread, NULL);
    }
    int files[] = {engine->poll, engine->call, engine->news};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i] >= 0)
            close(files[i]);
    }
    free(engine->rings);
    free(engine->slots);
    free(engine);
}

int vc_engine_fd(const vc_engine *engine)
{
    return engine->news;
}

static vc_slot *slot_of(const vc_engine *engine, int number)
{
    assert(number >= 0 && number < engine->channels);
    return &engine->slots[number];
}

int vc_engine_start(vc_engine *engine, const vc_job *job, int in, int out, int dahdi)
{
    for (int i = 0; i < engine->channels; i++) {
        vc_slot *slot = &engine->slots[i];
        if (atomic_load_explicit(&slot->state, memory_order_acquire) != VC_SLOT_FREE)
            continue;
        int refused = vc_slot_prepare(slot, job, in, out, dahdi, engine->lead);
        if (refused)
            return refused;
        atomic_store_explicit(&slot->state, VC_SLOT_READY, memory_order_release);
        ring_bell(engine->call);
        return i;
    }
    return -EAGAIN;
}

void vc_engine_stop(vc_engine *engine, int slot)
{
    atomic_store_explicit(&slot_of(engine, slot)->stop, 1, memory_order_release);
    ring_bell(engine->call);
}

int vc_engine_is_done(const vc_engine *engine, int slot)
{
    return atomic_load_explicit(&slot_of(engine, slot)->state, memory_order_acquire) == VC_SLOT_DONE;
}

int vc_engine_events(vc_engine *engine, int slot, vc_line_event *events, int count)
{
    return (int)vc_ring_get(&slot_of(engine, slot)->events, events, (size_t)count);
}

int vc_engine_play(vc_engine *engine, int slot, const int16_t *samples, int count)
{
    return (int)vc_ring_put(&slot_of(engine, slot)->play, samples, (size_t)count);
}

int vc_engine_recorded(vc_engine *engine, int slot, int16_t *samples, int count)
{
    return (int)vc_ring_get(&slot_of(engine, slot)->recorded, samples, (size_t)count);
}

int vc_engine_results(vc_engine *engine, int slot, vc_line_results *out)
{
    if (!vc_engine_is_done(engine, slot))
        return -EBUSY;
    *out = slot_of(engine, slot)->counts;
    vc_line_results_of(&slot_of(engine, slot)->line, out);
    if (out->has_echo && out->echo.found) {
        /* The sequence is heard in a circle: a delay of nearly all of it comes out at its beginning. */
        double delay = out->echo.delay_ms - engine->lead * VC_BLOCK_MS;
        out->echo.delay_ms = delay < 0 ? delay + VC_ECHO_LENGTH * 1000.0 / VC_RATE_HZ : delay;
    }
    return 0;
}

int vc_engine_free(vc_engine *engine, int slot)
{
    if (!vc_engine_is_done(engine, slot))
        return -EBUSY;
    atomic_store_explicit(&slot_of(engine, slot)->state, VC_SLOT_FREE, memory_order_release);
    return 0;
}
