#include "engine_slot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dahdi_audio.h"
#include "dahdi_line.h"

/* What DAHDI says to a read or a write while an event waits. */
#define EVENT_WAITS 500
/* Blocks taken in one go: a line that has piled up more lets the others have their turn. */
#define MOST_BLOCKS 8
/* Of DAHDI's buffers, beside those of the lead: one that is being sent, one to be late with reading. */
#define MORE_BUFFERS 2

/* Each ring begins at a cache line. */
static size_t rounded(size_t bytes)
{
    return (bytes + VC_CACHE_LINE - 1) / VC_CACHE_LINE * VC_CACHE_LINE;
}

size_t vc_slot_memory(size_t samples)
{
    return rounded(VC_SLOT_EVENTS * sizeof(vc_line_event)) + 2 * rounded(samples * sizeof(int16_t));
}

void vc_slot_init(vc_slot *slot, void *memory, size_t samples)
{
    unsigned char *at = memory;
    atomic_init(&slot->state, VC_SLOT_FREE);
    atomic_init(&slot->stop, 0);
    vc_ring_init(&slot->events, at, sizeof(vc_line_event), VC_SLOT_EVENTS);
    at += rounded(VC_SLOT_EVENTS * sizeof(vc_line_event));
    vc_ring_init(&slot->play, at, sizeof(int16_t), samples);
    at += rounded(samples * sizeof(int16_t));
    vc_ring_init(&slot->recorded, at, sizeof(int16_t), samples);
}

int vc_slot_prepare(vc_slot *slot, const vc_job *job, int in, int out, int is_dahdi, int lead)
{
    int refused = vc_line_init(&slot->line, job);
    if (!refused && is_dahdi)
        refused = vc_dahdi_set_buffers(in, lead + MORE_BUFFERS, VC_BLOCK);
    if (!refused && is_dahdi && out != in)
        refused = vc_dahdi_set_buffers(out, lead + MORE_BUFFERS, VC_BLOCK);
    if (refused)
        return refused;
    slot->lead = lead;
    slot->slipped = 0;
    slot->in = in;
    slot->out = out;
    slot->is_dahdi = is_dahdi;
    slot->block_bytes = vc_line_bytes(job->coding);
    slot->in_bytes = slot->out_bytes = 0;
    memset(&slot->counts, 0, sizeof slot->counts);
    /* The thread has no part in it now: both ends of the rings are ours. */
    vc_ring_init(&slot->events, slot->events.memory, slot->events.item_bytes, slot->events.items);
    vc_ring_init(&slot->play, slot->play.memory, slot->play.item_bytes, slot->play.items);
    vc_ring_init(&slot->recorded, slot->recorded.memory, slot->recorded.item_bytes, slot->recorded.items);
    atomic_store_explicit(&slot->stop, 0, memory_order_relaxed);
    return 0;
}

static void tell(vc_slot *slot, const vc_line_event *events, int count, int *told)
{
    size_t put = vc_ring_put(&slot->events, events, (size_t)count);
    slot->counts.not_told += (uint64_t)count - put;
    *told |= count > 0;
}

int vc_slot_take_events(vc_slot *slot, int *told)
{
    for (int i = 0; i < VC_SLOT_EVENTS; i++) {
        vc_line_event event = {.kind = VC_LINE_EVENT, .tick = slot->line.ticks};
        int refused = vc_dahdi_get_event(slot->in, &event.what);
        if (refused || event.what == VC_EVENT_NONE)
            return refused;
        slot->counts.underruns += event.what == VC_EVENT_UNDERRUN;
        slot->counts.overruns += event.what == VC_EVENT_OVERRUN;
        if (event.what == VC_EVENT_UNDERRUN || event.what == VC_EVENT_OVERRUN) {
            slot->slipped = 1;
            continue;
        }
        tell(slot, &event, 1, told);
        if (event.what == VC_EVENT_REMOVED)
            return -ENODEV;
    }
    return 0;
}

/* What waits goes as far as the line takes it. */
static int flush(vc_slot *slot, int *told)
{
    while (slot->out_bytes) {
        const uint8_t *from = slot->out_block + slot->block_bytes - slot->out_bytes;
        ssize_t sent = write(slot->out, from, slot->out_bytes);
        if (sent > 0) {
            slot->out_bytes -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno == EVENT_WAITS && slot->is_dahdi) {
            int over = vc_slot_take_events(slot, told);
            if (over)
                return over;
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        return sent < 0 && errno != EAGAIN ? -errno : 0;
    }
    return 0;
}

/* Both ways at once: so the first block that is heard begins when the first of silence leaves. */
static int drop_what_waits(const vc_slot *slot)
{
    int refused = vc_dahdi_tell_runs(slot->in, 0); /* the line is about to be idle */
    refused = refused ? refused : vc_dahdi_flush_sound(slot->in);
    return refused || slot->out == slot->in ? refused : vc_dahdi_flush_sound(slot->out);
}

int vc_slot_begin(vc_slot *slot, int *told)
{
    int over = slot->is_dahdi ? drop_what_waits(slot) : 0;
    slot->slipped = 0;
    slot->in_bytes = slot->out_bytes = 0;
    for (int i = 0; i < slot->lead && !over && !slot->out_bytes; i++) {
        vc_line_silence(slot->line.job.coding, slot->out_block);
        slot->out_bytes = slot->block_bytes;
        over = flush(slot, told);
    }
    return over || !slot->is_dahdi ? over : vc_dahdi_tell_runs(slot->in, 1);
}

/* The block that came is complete: hear it, make the next one, send it. */
static int tick(vc_slot *slot, const vc_line_plans *plans, int *told)
{
    int16_t play[VC_BLOCK] = {0}, record[VC_BLOCK];
    uint8_t made[VC_SLOT_BYTES];
    vc_line_event events[VC_LINE_EVENTS];
    const vc_job *job = &slot->line.job;
    if (job->sending == VC_SEND_PLAY)
        slot->counts.not_played += VC_BLOCK - vc_ring_get(&slot->play, play, VC_BLOCK);
    int count = vc_line_tick(&slot->line, plans, slot->in_block, made, play, record, events);
    tell(slot, events, count, told);
    if (job->hearing & VC_HEAR_RECORD) {
        slot->counts.not_recorded += VC_BLOCK - vc_ring_put(&slot->recorded, record, VC_BLOCK);
        *told = 1;
    }
    int over = flush(slot, told);
    if (slot->out_bytes) {
        slot->counts.not_sent++; /* the line has not even taken the block before: this one is left out */
    } else {
        memcpy(slot->out_block, made, slot->block_bytes);
        slot->out_bytes = slot->block_bytes;
        over = over ? over : flush(slot, told);
    }
    return over ? over : job->ticks && slot->line.ticks >= job->ticks;
}

int vc_slot_read(vc_slot *slot, const vc_line_plans *plans, int *told)
{
    for (int blocks = 0; blocks < MOST_BLOCKS;) {
        int slipped = slot->slipped;
        slot->slipped = 0;
        int refused = slipped && vc_line_slipped(&slot->line) ? vc_slot_begin(slot, told) : 0;
        if (refused)
            return refused;
        ssize_t came = read(slot->in, slot->in_block + slot->in_bytes, slot->block_bytes - slot->in_bytes);
        if (came < 0 && errno == EINTR)
            continue;
        if (came < 0 && errno == EVENT_WAITS && slot->is_dahdi) {
            int over = vc_slot_take_events(slot, told);
            if (over)
                return over;
            continue;
        }
        if (came <= 0)
            return came < 0 && errno == EAGAIN ? 0 : came < 0 ? -errno : -EPIPE;
        slot->in_bytes += (size_t)came;
        if (slot->in_bytes < slot->block_bytes)
            continue;
        slot->in_bytes = 0;
        blocks++;
        int over = tick(slot, plans, told);
        if (over)
            return over;
    }
    return 0;
}

void vc_slot_finish(vc_slot *slot, int why)
{
    vc_line_event done = {.kind = VC_LINE_DONE, .what = why < 0 ? why : 0, .tick = slot->line.ticks};
    int told = 0;
    if (slot->is_dahdi && !vc_dahdi_tell_runs(slot->in, 0))
        (void)vc_slot_take_events(slot, &told); /* what comes now is the next one's */
    tell(slot, &done, 1, &told);
    atomic_store_explicit(&slot->state, VC_SLOT_DONE, memory_order_release);
}
