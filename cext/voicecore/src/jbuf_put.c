/* What the network brings: packets find their place by their timestamp. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "jbuf_state.h"

#define FIRST ((int64_t)VC_BLOCK << 20) /* media of the first packet: others may belong before it */
#define LONG_AGO (2 * VC_RATE_HZ)
#define PAUSE (16 * VC_BLOCK)
#define US_A_TICK (VC_BLOCK_MS * 1000)
#define NOISE_LEVEL 8 /* peak: -70 dBm0, until the sender tells */
#define MOST_MISSED 64

#define ADD(counter, more) \
    atomic_store_explicit(&(counter), atomic_load_explicit(&(counter), memory_order_relaxed) + (more), memory_order_relaxed)

int vc_jbuf_init(void *block, size_t bytes, vc_jbuf **out)
{
    if (bytes < sizeof(vc_jbuf) || (uintptr_t)block % VC_JBUF_ALIGN)
        return -EINVAL;
    vc_jbuf *jbuf = block;
    memset(jbuf, 0, sizeof *jbuf);
    atomic_init(&jbuf->noise_level, NOISE_LEVEL);
    *out = jbuf;
    return 0;
}

/* From when it was needed to when it came, on the count of ticks. */
static int64_t lateness_of(const vc_jbuf *jbuf, int64_t media, uint64_t arrival_us)
{
    int64_t ticks = atomic_load_explicit(&jbuf->tick, memory_order_relaxed);
    int32_t since_us = (int32_t)((uint32_t)arrival_us - atomic_load_explicit(&jbuf->now_us, memory_order_relaxed));
    int64_t since = since_us <= 0 ? 1 : since_us < US_A_TICK ? since_us * VC_BLOCK / US_A_TICK + 1 : VC_BLOCK;
    return (ticks - 1) * VC_BLOCK + (since < VC_BLOCK ? since : VC_BLOCK) - (int64_t)((uint64_t)media / VC_BLOCK * VC_BLOCK);
}

static void publish(vc_jbuf *jbuf)
{
    const vc_late *late = &jbuf->lateness;
    atomic_store_explicit(&jbuf->target, late->base + late->target * VC_BLOCK, memory_order_relaxed);
    atomic_store_explicit(&jbuf->alarm, late->base + late->alarm * VC_BLOCK, memory_order_relaxed);
    atomic_store_explicit(&jbuf->usual, late->base + late->usual * VC_BLOCK, memory_order_relaxed);
    atomic_store_explicit(&jbuf->recent, late->base + late->recent * VC_BLOCK, memory_order_relaxed);
}

/* Whether a packet that fits nowhere begins the stream anew: by its sequence number, or since its predecessor did not fit, too. */
static int begins_anew(vc_jbuf *jbuf, const vc_jbuf_packet *packet)
{
    int16_t ahead = (int16_t)(packet->sequence - jbuf->sequence);
    int32_t follows = (int32_t)(packet->timestamp - jbuf->stray_timestamp);
    int is_next = ahead == 1;
    int is_second = (uint16_t)(packet->sequence - jbuf->stray_sequence) == 1 && follows > 0 && follows <= 6 * VC_JBUF_CHUNK;
    jbuf->stray_sequence = packet->sequence;
    jbuf->stray_timestamp = packet->timestamp;
    return is_next || is_second;
}

/* The place of a stream that begins anew: behind what came, after a pause that get cuts to the delay it wants. What is known
   of lateness goes along: this packet is as late as half of the others were. */
static int64_t new_place(vc_jbuf *jbuf, int64_t newest, uint64_t arrival_us)
{
    vc_late *late = &jbuf->lateness;
    int64_t media = (newest + VC_BLOCK - 1) / VC_BLOCK * VC_BLOCK + PAUSE;
    int64_t moved = lateness_of(jbuf, media, arrival_us) - late->base - late->usual * VC_BLOCK;
    late->base += (moved + (moved < 0 ? -VC_BLOCK / 2 : VC_BLOCK / 2)) / VC_BLOCK * VC_BLOCK;
    publish(jbuf);
    return media;
}

/* The sender was silent from the end of the media until here. */
static void mark_silence(vc_jbuf *jbuf, int64_t from, int64_t to)
{
    int64_t most = atomic_load_explicit(&jbuf->playing, memory_order_acquire) + VC_JBUF_AHEAD;
    for (; from < to && from < most; from += VC_JBUF_CHUNK) {
        uint32_t chunk = vc_jbuf_chunk(from);
        atomic_store_explicit(&jbuf->mark[chunk % VC_JBUF_CHUNKS], vc_jbuf_mark(chunk, VC_CHUNK_SILENT), memory_order_release);
    }
}

static int keep(vc_jbuf *jbuf, int64_t media, const vc_jbuf_packet *packet)
{
    int64_t playing = atomic_load_explicit(&jbuf->playing, memory_order_acquire), end = media + packet->bytes;
    if (playing && end <= playing)
        return VC_JBUF_LATE;
    playing = playing ? playing : FIRST;
    if (end > playing + VC_JBUF_AHEAD)
        return VC_JBUF_TOO_FAR;
    int fate = VC_JBUF_AGAIN;
    const uint8_t *from = packet->payload;
    uint32_t chunk = vc_jbuf_chunk(media), last = chunk + packet->bytes / VC_JBUF_CHUNK, next = vc_jbuf_chunk(playing);
    for (; chunk != last; chunk++, from += VC_JBUF_CHUNK) {
        unsigned slot = chunk % VC_JBUF_CHUNKS;
        uint32_t mark = vc_jbuf_mark(chunk, packet->law == VC_JBUF_ALAW ? VC_CHUNK_ALAW : VC_CHUNK_ULAW);
        if ((int32_t)(chunk - next) < 0 || (atomic_load_explicit(&jbuf->mark[slot], memory_order_relaxed) | 3) == (mark | 3))
            continue;
        memcpy(jbuf->bytes + slot * VC_JBUF_CHUNK, from, VC_JBUF_CHUNK);
        atomic_store_explicit(&jbuf->mark[slot], mark, memory_order_release);
        fate = VC_JBUF_KEPT;
    }
    return fate;
}

static void begin(vc_jbuf *jbuf, const vc_jbuf_packet *packet)
{
    int64_t media = FIRST;
    atomic_store_explicit(&jbuf->offset, packet->timestamp - (uint32_t)media, memory_order_relaxed);
    jbuf->sequence = (uint16_t)(packet->sequence - 1);
    vc_late_init(&jbuf->lateness, lateness_of(jbuf, media, packet->arrival_us));
}

static int count(vc_jbuf *jbuf, int fate)
{
    ADD(jbuf->fates[fate], 1);
    return fate;
}

int vc_jbuf_put(vc_jbuf *jbuf, const vc_jbuf_packet *packet)
{
    if (!packet->bytes || packet->bytes % VC_JBUF_CHUNK || packet->bytes > 6 * VC_JBUF_CHUNK || packet->law > VC_JBUF_ULAW)
        return -EINVAL;
    int64_t newest = atomic_load_explicit(&jbuf->newest, memory_order_relaxed);
    if (!newest) {
        begin(jbuf, packet);
        newest = FIRST;
    }
    assert(packet->payload);
    uint32_t offset = atomic_load_explicit(&jbuf->offset, memory_order_relaxed);
    int64_t media = newest + (int32_t)(packet->timestamp - offset - (uint32_t)newest);
    int missed = (int16_t)(packet->sequence - jbuf->sequence) - 1;
    if (media - newest >= VC_JBUF_AHEAD || newest - media > LONG_AGO) {
        if (!begins_anew(jbuf, packet))
            return count(jbuf, VC_JBUF_STRAY);
        media = new_place(jbuf, newest, packet->arrival_us);
        ADD(jbuf->resets, missed != 0);
        missed = 0;
    } else {
        media = (int64_t)vc_jbuf_chunk(media) * VC_JBUF_CHUNK; /* a sender that is beside its own grid comes back to it */
    }
    int is_newer = media + packet->bytes > newest;
    if (is_newer) {
        atomic_store_explicit(&jbuf->offset, packet->timestamp - (uint32_t)media, memory_order_relaxed);
        missed = missed < 0 ? 0 : missed < MOST_MISSED ? missed : MOST_MISSED;
        jbuf->sequence = packet->sequence;
        atomic_store_explicit(&jbuf->is_silent, 0, memory_order_relaxed);
        if (!missed)
            mark_silence(jbuf, newest, media);
    }
    if (!is_newer || missed)
        ADD(jbuf->lost, (uint32_t)(is_newer ? missed : -1));
    if (vc_late_add(&jbuf->lateness, lateness_of(jbuf, media, packet->arrival_us), is_newer ? missed : -1))
        publish(jbuf);
    int fate = keep(jbuf, media, packet);
    if (is_newer)
        atomic_store_explicit(&jbuf->newest, media + packet->bytes, memory_order_release);
    return count(jbuf, fate);
}

int vc_jbuf_put_payload(vc_jbuf *jbuf, uint16_t sequence, uint32_t timestamp, const uint8_t *payload, size_t bytes, int law,
                        uint64_t arrival_us)
{
    if (bytes > UINT32_MAX || law < VC_JBUF_ALAW || law > VC_JBUF_ULAW)
        return -EINVAL;
    vc_jbuf_packet packet = {payload, (uint32_t)bytes, timestamp, sequence, (uint16_t)law, arrival_us};
    return vc_jbuf_put(jbuf, &packet);
}

void vc_jbuf_noise(vc_jbuf *jbuf, uint16_t sequence, unsigned below_overload_db)
{
    /* Noise of equal chances has a mean square of a third of its peak's square. */
    double peak = 32768 * sqrt(3 * pow(10, -0.1 * (below_overload_db < 127 ? below_overload_db : 127)));
    atomic_store_explicit(&jbuf->noise_level, peak < 32767 ? (uint32_t)peak : 32767, memory_order_relaxed);
    atomic_store_explicit(&jbuf->is_silent, 1, memory_order_relaxed);
    vc_jbuf_pass(jbuf, sequence);
}

void vc_jbuf_pass(vc_jbuf *jbuf, uint16_t sequence)
{
    if (atomic_load_explicit(&jbuf->newest, memory_order_relaxed) && (uint16_t)(sequence - jbuf->sequence) == 1)
        jbuf->sequence = sequence;
}

void vc_jbuf_read_stats(const vc_jbuf *jbuf, vc_jbuf_stats *stats)
{
#define READ(counter) atomic_load_explicit(&jbuf->counter, memory_order_relaxed)
    int64_t usual = READ(usual), delay = READ(tick) * VC_BLOCK - READ(playing) - usual, target = READ(target) - usual;
    *stats = (vc_jbuf_stats){
        .kept = READ(fates[VC_JBUF_KEPT]), .late = READ(fates[VC_JBUF_LATE]), .again = READ(fates[VC_JBUF_AGAIN]),
        .too_far = READ(fates[VC_JBUF_TOO_FAR]), .stray = READ(fates[VC_JBUF_STRAY]), .lost = READ(lost), .resets = READ(resets), .ticks = (uint32_t)READ(tick), .stretched_ticks = READ(stretched),
        .pressed_ticks = READ(pressed),
        .concealed_ms = READ(concealed) / (VC_RATE_HZ / 1000), .skipped_ms = READ(skipped) / (VC_RATE_HZ / 1000),
        .delay_ms = (uint32_t)(READ(playing) && delay > 0 ? delay / (VC_RATE_HZ / 1000) : 0),
        .target_ms = (uint32_t)(READ(playing) && target > 0 ? target / (VC_RATE_HZ / 1000) : 0),
    };
#undef READ
}
