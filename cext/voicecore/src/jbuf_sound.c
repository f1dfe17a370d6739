/* What sounds in a tick: decoded, made up where nothing came, fitted where the delay has to change. Most ticks are media as
   it is; what the others look back at is then taken from the ring, not kept. */
#include <math.h>
#include <string.h>

#include "g711.h"
#include "jbuf_plan.h"

#define PAST VC_JBUF_HISTORY
#define TEMPLATE (PAST - VC_JBUF_LONGEST)
#define FULL 80   /* samples at full level, then it fades */
#define FADED 480 /* and is gone after so many */
#define MERGE 40  /* samples from what was made up to what came */
#define SPLICE 64
#define ALIKE 0.6f      /* two pieces that may be spliced */
#define VERY_ALIKE 0.9f /* if a small delay is all that is won */
#define VOICED 0.3f     /* less alike than this is no pitch */
#define QUIET (60 * 60) /* mean square of what nobody hears */
#define SMALL 4         /* samples are shifted right by this where many of their products are summed */

/* Samples of one tick: what sounded before it, then it. */
typedef struct {
    int16_t samples[PAST + VC_BLOCK + MERGE];
    int at; /* where the next one goes */
} sound;

static void decode(const vc_jbuf *jbuf, int64_t media, int samples, int16_t *out)
{
    while (samples > 0) {
        uint32_t chunk = vc_jbuf_chunk(media), slot = chunk % VC_JBUF_CHUNKS;
        int from = (int)(media - (int64_t)chunk * VC_JBUF_CHUNK), part = VC_JBUF_CHUNK - from;
        part = part < samples ? part : samples;
        uint32_t mark = atomic_load_explicit(&jbuf->mark[slot], memory_order_acquire);
        const uint8_t *bytes = jbuf->bytes + slot * VC_JBUF_CHUNK + from;
        if ((mark ^ chunk << 2) > 3 || (mark & 3) == VC_CHUNK_SILENT)
            memset(out, 0, (size_t)part * sizeof *out);
        else if ((mark & 3) == VC_CHUNK_ALAW)
            vc_alaw_decode(bytes, out, (size_t)part);
        else
            vc_ulaw_decode(bytes, out, (size_t)part);
        media += part;
        out += part;
        samples -= part;
    }
}

/* `ended`: the media that sounded last. */
static void recall(const vc_jbuf *jbuf, int64_t ended, sound *heard)
{
    int fresh = jbuf->clean < PAST ? jbuf->clean : PAST;
    memcpy(heard->samples, jbuf->history + fresh, (size_t)(PAST - fresh) * sizeof *heard->samples);
    decode(jbuf, ended - fresh, fresh, heard->samples + PAST - fresh);
    heard->at = PAST;
}

static void keep(vc_jbuf *jbuf, const sound *heard)
{
    memcpy(jbuf->history, heard->samples + VC_BLOCK, sizeof jbuf->history);
    jbuf->clean = 0;
}

/* Sum of products of SMALL samples; so many of them fit into 32 bits. */
static int32_t product(const int16_t *one, const int16_t *other, int samples)
{
    int32_t sum = 0;
    for (int i = 0; i < samples; i++)
        sum += one[i] * other[i];
    return sum;
}

static void make_small(int16_t *small, const int16_t *samples, int count)
{
    for (int i = 0; i < count; i++)
        small[i] = (int16_t)(samples[i] >> SMALL);
}

/* How alike two pieces are: 1 the same but for their level, 0 not at all. `energy`: product of the one with itself. */
static float likeness(const int16_t *one, int32_t energy, const int16_t *other, int samples)
{
    float both = (float)product(one, other, samples), theirs = (float)product(other, other, samples);
    return energy > 0 && theirs > 0 ? both / sqrtf((float)energy * theirs) : 0;
}

/* The shift from least to most by which `piece` is most like `around`, looked for in steps and then around the best. */
static int best_shift(const int16_t *piece, const int16_t *around, int samples, int least, int most, float *alike)
{
    int32_t energy = product(piece, piece, samples);
    int found = least, from = least, to = most, step = 3;
    *alike = -2;
    for (int pass = 0; pass < 2; pass++, step = 1) {
        for (int shift = from; shift <= to; shift += step) {
            float here = likeness(piece, energy, around + shift, samples);
            if (here > *alike) {
                *alike = here;
                found = shift;
            }
        }
        from = found - 2 > least ? found - 2 : least;
        to = found + 2 < most ? found + 2 : most;
    }
    return found;
}

static int is_quiet(const int16_t *small, int count)
{
    return product(small, small, count) <= count * (QUIET >> 2 * SMALL);
}

/* The pitch of what sounded: the lag after which it is most like itself. */
static int find_lag(const sound *heard)
{
    int16_t small[PAST];
    float alike;
    make_small(small, heard->samples + heard->at - PAST, PAST);
    int lag = -best_shift(small + PAST - TEMPLATE, small + PAST - TEMPLATE, TEMPLATE, -VC_JBUF_LONGEST, -VC_JBUF_SHORTEST, &alike);
    return alike > VOICED ? lag : VC_JBUF_LONGEST;
}

/* The level of sample `hidden` of what is made up. */
static float level_of(int hidden)
{
    return hidden <= FULL ? 1 : hidden < FADED ? 1 - (float)(hidden - FULL) / (FADED - FULL) : 0;
}

/* The pitch goes on and fades. What is repeated has faded already: only what it has to fade further is left to do, and that
   is nearly the same for all samples of a tick. */
static void make_up(vc_jbuf *jbuf, sound *heard, int samples)
{
    if (!jbuf->lag) {
        jbuf->lag = (uint16_t)find_lag(heard);
        jbuf->hidden = 0;
    }
    int16_t *out = heard->samples + heard->at;
    for (int i = 0; i < samples;) {
        int piece = samples - i < jbuf->lag ? samples - i : jbuf->lag;
        float was = jbuf->hidden ? level_of(jbuf->hidden - jbuf->lag) : 1, level = level_of(jbuf->hidden);
        int scale = was > 0 ? (int)(256 * level / was) : 0;
        for (int j = 0; j < piece; j++)
            out[i + j] = (int16_t)(out[i + j - jbuf->lag] * scale / 256);
        i += piece;
        jbuf->hidden = (uint16_t)(jbuf->hidden + piece < 2 * FADED ? jbuf->hidden + piece : 2 * FADED);
    }
    heard->at += samples;
}

/* The silence that the sender speaks of. */
static void make_noise(vc_jbuf *jbuf, sound *heard, int samples)
{
    int level = (int)atomic_load_explicit(&jbuf->noise_level, memory_order_relaxed);
    for (int i = 0; i < samples; i++, heard->at++) {
        jbuf->random = jbuf->random * 1664525u + 1013904223u;
        heard->samples[heard->at] = (int16_t)((int)(jbuf->random >> 16) % (2 * level + 1) - level);
    }
    jbuf->lag = 0;
}

/* From `one` to `other`, linearly. */
static void cross(int16_t *out, const int16_t *one, const int16_t *other, int samples)
{
    for (int i = 0; i < samples; i++)
        out[i] = (int16_t)((one[i] * (samples - i) + other[i] * i) / samples);
}

/* How alike two pieces have to be after waiting for so many ticks: less and less, when it was waited long enough. */
static float alike_enough(vc_pace pace, int waited)
{
    switch (pace) {
    case VC_PACE_AT_ONCE:
        return -1;
    case VC_PACE_SOON:
        return ALIKE;
    case VC_PACE_UP:
        return 0.97f - (waited > 10 ? 0.02f * (float)(waited - 10) : 0);
    default: /* for two seconds only what nobody hears */
        return 1.1f - (waited > 100 ? 0.005f * (float)(waited - 100) : 0);
    }
}

/* Media of which more or fewer samples sound than there are: a piece of it is heard twice, or not at all. */
static void fit(vc_jbuf *jbuf, vc_jbuf_plan *plan, sound *heard, const int16_t *media)
{
    int16_t small[PAST + VC_BLOCK + VC_JBUF_LONGEST];
    int sounds = VC_BLOCK - plan->last, least = plan->least - VC_BLOCK, most = plan->most - VC_BLOCK, wanted = plan->taken - sounds;
    int known = plan->there < VC_BLOCK ? plan->there : VC_BLOCK, piece = known < SPLICE ? known : SPLICE, from = known - piece;
    float alike = 0;
    make_small(small, media - PAST, PAST + plan->there);
    int is_end = plan->there < VC_BLOCK, is_heard = !is_quiet(small + PAST, plan->there);
    if (is_end) { /* as long as a pitch can make it */
        wanted = plan->there - VC_BLOCK;
        least = wanted > -VC_JBUF_LONGEST ? wanted : -VC_JBUF_LONGEST;
        most = least > -VC_JBUF_SHORTEST ? least : -VC_JBUF_SHORTEST;
    }
    int is_small = !is_end && wanted > -VC_JBUF_SHORTEST && wanted < VC_JBUF_SHORTEST;
    if (is_small) /* what is left of the way to a tick, shorter than a pitch */
        least = most = wanted;
    if (!is_heard && !is_end) /* as far as it goes */
        least = most = wanted > 0 ? most : least;
    int shift = best_shift(small + PAST + from, small + PAST + from, piece, least, most, &alike);
    float enough = alike_enough(plan->pace, jbuf->waited);
    enough = is_small && wanted > 0 && enough > -1 && enough < VERY_ALIKE ? VERY_ALIKE : enough;
    if (plan->there < VC_JBUF_SHORTEST || (is_heard && !is_end && alike < enough))
        shift = 0;
    jbuf->waited = (uint16_t)(is_end ? 0 : jbuf->waited + (!shift && jbuf->waited < UINT16_MAX));
    sounds = VC_BLOCK < plan->there - shift ? VC_BLOCK : plan->there - shift;
    int16_t *out = heard->samples + heard->at;
    memcpy(out, media, (size_t)from * sizeof *out);
    cross(out + from, media + from, media + from + shift, piece);
    memcpy(out + from + piece, media + from + piece + shift, (size_t)(sounds - from - piece) * sizeof *out);
    heard->at += sounds;
    plan->taken = sounds + shift;
    plan->last = VC_BLOCK - sounds;
}

/* What was made up goes on for a moment below what came. */
static void merge(vc_jbuf *jbuf, sound *heard, int16_t *media, int samples)
{
    int16_t *out = heard->samples + heard->at;
    samples = samples < MERGE ? samples : MERGE;
    make_up(jbuf, heard, samples);
    heard->at -= samples;
    cross(media, out, media, samples);
}

static void fill(vc_jbuf *jbuf, vc_jbuf_plan *plan, sound *heard)
{
    int16_t around[PAST + VC_BLOCK + VC_JBUF_LONGEST], *media = around + PAST;
    if (plan->noise)
        make_noise(jbuf, heard, plan->noise);
    if (plan->first)
        make_up(jbuf, heard, plan->first);
    int is_fitted = plan->taken != VC_BLOCK - plan->noise - plan->first - plan->last || plan->least != plan->most;
    int there = is_fitted ? plan->there : plan->taken;
    there = there < VC_BLOCK + VC_JBUF_LONGEST ? there : VC_BLOCK + VC_JBUF_LONGEST;
    plan->there = there;
    decode(jbuf, plan->from, there, media);
    if (jbuf->lag && there)
        merge(jbuf, heard, media, there);
    if (there)
        jbuf->lag = 0;
    if (is_fitted && there) {
        memcpy(around, heard->samples + heard->at - PAST, PAST * sizeof *around);
        fit(jbuf, plan, heard, media);
    } else {
        memcpy(heard->samples + heard->at, media, (size_t)there * sizeof *media);
        heard->at += there;
    }
    if (plan->last)
        make_up(jbuf, heard, plan->last);
}

void vc_jbuf_get(vc_jbuf *jbuf, uint64_t now_us, int16_t *block, vc_jbuf_step *step)
{
    vc_jbuf_plan plan;
    sound heard;
    vc_jbuf_make_plan(jbuf, now_us, &plan);
    if (plan.least == VC_BLOCK && plan.taken == VC_BLOCK && plan.most == VC_BLOCK && !jbuf->lag) {
        decode(jbuf, plan.from, VC_BLOCK, block);
        jbuf->clean = jbuf->clean < PAST ? jbuf->clean + VC_BLOCK : jbuf->clean;
        jbuf->waited = 0;
    } else {
        recall(jbuf, jbuf->ended, &heard);
        fill(jbuf, &plan, &heard);
        memcpy(block, heard.samples + PAST, VC_BLOCK * sizeof *block);
        keep(jbuf, &heard);
    }
    vc_jbuf_carry_out(jbuf, &plan, step);
    jbuf->ended = plan.from + plan.taken;
}
