#include "jbuf_plan.h"

#include <string.h>

#define SLOWEST 112 /* samples of media in a tick that is stretched, and pressed */
#define FASTEST 208
#define least_of(a, b) ((int)((a) < (b) ? (a) : (b)))
#define DRY (3 * VC_BLOCK)    /* what is left when it pays to stretch */
#define A_MOMENT 25 /* ticks: what rose so lately goes back at once, as one short slip; what was there for longer waits for a pause */

#define ADD(counter, more) \
    atomic_store_explicit(&(counter), atomic_load_explicit(&(counter), memory_order_relaxed) + (more), memory_order_relaxed)

/* What a chunk holds: 1 media, 0 silence, -1 it is missing. */
static int kind_of(const vc_jbuf *jbuf, uint32_t chunk)
{
    uint32_t mark = atomic_load_explicit(&jbuf->mark[chunk % VC_JBUF_CHUNKS], memory_order_acquire);
    return (mark ^ chunk << 2) > 3 ? -1 : (mark & 3) != VC_CHUNK_SILENT;
}

/* Samples of one kind from `media` on, `most` or a few more. */
static int run(const vc_jbuf *jbuf, int64_t media, int most, int *kind)
{
    uint32_t chunk = vc_jbuf_chunk(media);
    int length = VC_JBUF_CHUNK - (int)(media - (int64_t)chunk * VC_JBUF_CHUNK);
    *kind = kind_of(jbuf, chunk++);
    for (; length < most && kind_of(jbuf, chunk) == *kind; chunk++)
        length += VC_JBUF_CHUNK;
    return length;
}

/* Where it begins: at the delay that is worth it, or with the first packet there. */
static void start(vc_jbuf *jbuf, int64_t tick, int64_t newest)
{
    int64_t playing = tick * VC_BLOCK - atomic_load_explicit(&jbuf->target, memory_order_relaxed), earliest = newest;
    int kind;
    for (int64_t back = newest - VC_JBUF_CHUNK; newest - back <= 8 * VC_BLOCK; back -= VC_JBUF_CHUNK) {
        if (run(jbuf, back, 1, &kind) && kind == 1)
            earliest = back;
    }
    playing = playing < newest ? playing : (newest - VC_JBUF_CHUNK) / VC_BLOCK * VC_BLOCK;
    atomic_store_explicit(&jbuf->playing, playing > earliest ? playing : earliest, memory_order_release);
    jbuf->seen = newest;
}

/* Not below what the last half second needed, and not above what it is now. */
static int64_t way_down(const vc_jbuf *jbuf, int64_t delay, int64_t target)
{
    int64_t recent = atomic_load_explicit(&jbuf->recent, memory_order_relaxed);
    recent = recent < delay ? recent : delay;
    return recent > target ? recent : target;
}

/* How much media this tick should take, and what would do as well: a pitch is not shorter than SHORTEST. */
static void set_pace(const vc_jbuf *jbuf, vc_jbuf_plan *plan, int64_t tick, int64_t newest)
{
    int64_t delay = tick * VC_BLOCK - plan->from, target = atomic_load_explicit(&jbuf->target, memory_order_relaxed);
    int64_t above = delay - way_down(jbuf, delay, target), below = target - delay;
    int64_t age = tick * VC_BLOCK - newest + VC_BLOCK; /* of the newest packet */
    plan->taken = plan->least = plan->most = VC_BLOCK;
    if (newest == jbuf->seen && newest - plan->from <= DRY && age >= atomic_load_explicit(&jbuf->alarm, memory_order_relaxed)) {
        plan->taken = SLOWEST;
        plan->pace = VC_PACE_AT_ONCE;
        plan->least = VC_BLOCK - VC_JBUF_LONGEST;
        plan->most = VC_BLOCK - VC_JBUF_SHORTEST;
    } else if (above > 0) {
        plan->taken = VC_BLOCK + least_of(above, FASTEST - VC_BLOCK);
        plan->pace = (uint32_t)tick - jbuf->rose >= A_MOMENT ? VC_PACE_DOWN : above >= VC_BLOCK ? VC_PACE_AT_ONCE : VC_PACE_SOON;
        plan->least = VC_BLOCK + least_of(above, VC_JBUF_SHORTEST);
        plan->most = VC_BLOCK + least_of(above, VC_JBUF_LONGEST);
    } else if (below > 0) {
        plan->pace = VC_PACE_UP;
        plan->taken = VC_BLOCK - least_of(below, VC_BLOCK - SLOWEST);
        plan->least = VC_BLOCK - least_of(below, VC_JBUF_LONGEST);
        plan->most = VC_BLOCK - least_of(below, VC_JBUF_SHORTEST);
    }
}

static void plan_media(vc_jbuf_plan *plan)
{
    if (plan->there >= plan->taken) {
        plan->most = least_of(plan->there, plan->most);
        return;
    }
    /* The end of it: stretched as far as it goes, the rest is made up. */
    plan->taken = plan->most = plan->there;
    plan->least = least_of(plan->there, plan->least);
    plan->last = VC_BLOCK - least_of(VC_BLOCK, plan->there * VC_BLOCK / SLOWEST);
}

/* It came too late: what was made up stands for it, and what follows sounds in its own time, as far as the delay is more than
   is worth it. To play it all the same, and then to press the delay down again, is heard more. */
static void skip_held(vc_jbuf *jbuf, vc_jbuf_plan *plan, int64_t tick, int64_t newest)
{
    int64_t delay = tick * VC_BLOCK - plan->from, left = newest - plan->from - VC_BLOCK;
    int64_t above = delay - atomic_load_explicit(&jbuf->target, memory_order_relaxed);
    int skip = least_of(least_of(above, left), (int64_t)jbuf->held);
    if (skip <= 0)
        return;
    plan->from += skip;
    jbuf->held -= (uint32_t)skip;
}

/* Something later is there: what is missing is lost, or was overtaken. What was already made up for it is not made up again. */
static void plan_lost(vc_jbuf *jbuf, vc_jbuf_plan *plan, int64_t tick, int missing, int64_t newest)
{
    int covered = (int)jbuf->held < missing ? (int)jbuf->held : missing, room = VC_BLOCK - plan->noise;
    jbuf->held -= (uint32_t)covered;
    plan->from += covered;
    missing -= covered;
    if (!missing) /* the first of those that waited was lost: what else was made up stands for the next ones */
        skip_held(jbuf, plan, tick, newest);
    jbuf->held = 0;
    plan->first = missing < room ? missing : room;
    plan->from += plan->first;
    room -= plan->first;
    int kind, length = run(jbuf, plan->from, room, &kind); /* what follows has to be there, too */
    plan->taken = plan->there = kind != 1 ? 0 : least_of(length, room);
    plan->last = room - plan->taken;
    plan->is_lost = plan->from + plan->taken < newest;
}

/* The sender is silent: its silence is as long as the delay wants it. */
static void plan_silence(const vc_jbuf *jbuf, vc_jbuf_plan *plan, int64_t tick, int silent)
{
    int64_t delay = tick * VC_BLOCK - plan->from, target = atomic_load_explicit(&jbuf->target, memory_order_relaxed);
    int64_t cut = delay > target ? delay - target : 0;
    plan->from += cut < silent ? cut : silent;
    silent -= (int)(cut < silent ? cut : silent);
    plan->noise = silent < VC_BLOCK ? silent : VC_BLOCK;
    plan->from += plan->noise;
}

static void plan_from(vc_jbuf *jbuf, vc_jbuf_plan *plan, int64_t tick, int64_t newest)
{
    int kind, length;
    if (jbuf->held && run(jbuf, plan->from, 1, &kind) && kind == 1)
        skip_held(jbuf, plan, tick, newest);
    set_pace(jbuf, plan, tick, newest);
    length = run(jbuf, plan->from, plan->most, &kind);
    for (int i = 0; i < 16 && kind == 0 && !plan->noise; i++) { /* 16 looks: all that the buffer holds */
        plan_silence(jbuf, plan, tick, length);
        plan->taken = plan->least = plan->most = VC_BLOCK - plan->noise;
        length = run(jbuf, plan->from, VC_BLOCK, &kind);
    }
    plan->there = kind == 1 ? length : 0;
    plan->is_lost = plan->from + plan->there < newest;
    if (kind == 1 && !plan->noise) {
        plan_media(plan);
        return;
    }
    if (kind == 1 || !plan->taken) {
        plan->taken = plan->there < plan->taken ? plan->there : plan->taken;
        plan->last = VC_BLOCK - plan->noise - plan->taken;
    } else if (plan->is_lost) {
        plan_lost(jbuf, plan, tick, run(jbuf, plan->from, (int)(newest - plan->from), &kind), newest);
    } else {
        plan->taken = 0;
        *(atomic_load_explicit(&jbuf->is_silent, memory_order_relaxed) ? &plan->noise : &plan->last) += VC_BLOCK - plan->noise;
    }
    plan->least = plan->most = plan->taken;
}

void vc_jbuf_make_plan(vc_jbuf *jbuf, uint64_t now_us, vc_jbuf_plan *plan)
{
    int64_t newest = atomic_load_explicit(&jbuf->newest, memory_order_acquire);
    int64_t tick = atomic_load_explicit(&jbuf->tick, memory_order_relaxed);
    memset(plan, 0, sizeof *plan);
    if (newest && !atomic_load_explicit(&jbuf->playing, memory_order_relaxed))
        start(jbuf, tick, newest);
    plan->from = atomic_load_explicit(&jbuf->playing, memory_order_relaxed);
    if (newest - plan->from > VC_JBUF_AHEAD) { /* more came than is held: on to where it should be */
        int64_t there = newest - VC_JBUF_AHEAD / 2, wanted = tick * VC_BLOCK - atomic_load_explicit(&jbuf->target, memory_order_relaxed);
        there = wanted > there ? wanted : there;
        ADD(jbuf->skipped, (uint32_t)(there - plan->from));
        plan->from = there / VC_BLOCK * VC_BLOCK;
    }
    if (newest)
        plan_from(jbuf, plan, tick, newest);
    else
        plan->noise = VC_BLOCK;
    jbuf->seen = newest;
    atomic_store_explicit(&jbuf->now_us, (uint32_t)now_us, memory_order_relaxed);
}

void vc_jbuf_carry_out(vc_jbuf *jbuf, const vc_jbuf_plan *plan, vc_jbuf_step *step)
{
    uint32_t offset = atomic_load_explicit(&jbuf->offset, memory_order_relaxed);
    *step = (vc_jbuf_step){.timestamp = (uint32_t)plan->from + offset, .taken = (uint16_t)plan->taken, .noise = (uint16_t)plan->noise,
                           .concealed_first = (uint16_t)plan->first, .concealed_last = (uint16_t)plan->last};
    int sounding = VC_BLOCK - plan->first - plan->last - plan->noise;
    if (plan->first + plan->last)
        ADD(jbuf->concealed, (uint32_t)(plan->first + plan->last));
    if (plan->taken != sounding) {
        ADD(jbuf->stretched, plan->taken < sounding);
        ADD(jbuf->pressed, plan->taken > sounding);
    }
    jbuf->held = plan->is_lost || plan->taken > 0 ? 0 : jbuf->held;
    jbuf->held += plan->is_lost ? 0 : (uint32_t)plan->last;
    if (plan->taken < sounding || jbuf->held)
        jbuf->rose = (uint32_t)atomic_load_explicit(&jbuf->tick, memory_order_relaxed);
    int64_t goes_on = plan->from + plan->taken + (plan->is_lost ? plan->last : 0);
    atomic_store_explicit(&jbuf->playing, goes_on, memory_order_release);
    ADD(jbuf->tick, 1);
}

const uint8_t *vc_jbuf_next(vc_jbuf *jbuf, uint64_t now_us, vc_jbuf_step *step)
{
    vc_jbuf_plan plan;
    vc_jbuf_make_plan(jbuf, now_us, &plan);
    vc_jbuf_carry_out(jbuf, &plan, step);
    unsigned at = (unsigned)((uint64_t)plan.from % sizeof jbuf->bytes);
    int is_whole = plan.taken == VC_BLOCK && at <= sizeof jbuf->bytes - VC_BLOCK && !plan.first && !plan.last;
    return is_whole ? jbuf->bytes + at : NULL;
}
