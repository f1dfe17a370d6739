#include "hook.h"

#include <asterisk/astobj2.h>
#include <asterisk/format_cache.h>
#include <asterisk/frame.h>
#include <asterisk/framehook.h>
#include <asterisk/module.h>
#include <asterisk/timing.h>
#include <asterisk/translate.h>

#include "g711.h"

#define SILENT_TICKS 50 /* nothing came for so long: the other end is on hold or gone, and nothing is made up for it */
#define MOST_PASSED 500 /* packets of one digit */

struct sa_jitter {
    vc_jbuf *buffer;
    struct ast_timer *timer;
    sa_clock clock;
    sa_drift sender;
    uint64_t spoken_us; /* of the newest packet, by the sender's clock */
    uint64_t first_us;  /* when the first packet came */
    unsigned silent;    /* ticks since something came */
    int hook;           /* its number on the channel */
    int is_running;     /* a packet came */
    int is_comfort;     /* the sender is silent, and said how that sounds */
    int had_event;      /* a digit, or comfort noise: numbers are missing that were never sound */
    int is_refused;     /* once is said */
    uint16_t sequence;  /* of the newest packet */
    uint32_t timestamp; /* the same */
    uint16_t law;       /* of the newest packet */
    struct ast_format *foreign;         /* what is no G.711 is made A-law before it goes in */
    struct ast_trans_pvt *translator;
    struct ast_frame nothing, sound;
    uint8_t payload[AST_FRIENDLY_OFFSET + VC_BLOCK];
    uint8_t room[VC_JBUF_BYTES + VC_JBUF_ALIGN];
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Digits and comfort noise have numbers, too, which Asterisk does not tell: what is missing since then is theirs. */
static void pass_events(sa_jitter *jitter, uint16_t sequence)
{
    uint16_t missing = (uint16_t)(sequence - jitter->sequence - 1);
    for (uint16_t i = 0; jitter->had_event && missing <= MOST_PASSED && i < missing; i++)
        vc_jbuf_pass(jitter->buffer, ++jitter->sequence);
    jitter->had_event = 0;
}

/* Its clock beside the system's, by packets that are newer than all before. */
static void watch_sender(sa_jitter *jitter, uint32_t timestamp, uint64_t now)
{
    if (!jitter->is_running)
        jitter->first_us = now;
    else if ((int32_t)(timestamp - jitter->timestamp) > 0)
        jitter->spoken_us += (uint64_t)(timestamp - jitter->timestamp) * (1000000 / VC_RATE_HZ);
    jitter->timestamp = timestamp;
    sa_drift_saw(&jitter->sender, jitter->spoken_us, now - jitter->first_us);
}

static int put(sa_jitter *jitter, const struct ast_frame *frame, uint32_t timestamp, uint16_t sequence, int law, uint64_t now)
{
    if (frame->datalen <= 0)
        return -EINVAL;
    pass_events(jitter, sequence);
    int fate = vc_jbuf_put_payload(jitter->buffer, sequence, timestamp, frame->data.ptr, (size_t)frame->datalen, law, now);
    if (fate < 0)
        return fate;
    if (!jitter->is_running || (int16_t)(sequence - jitter->sequence) > 0 || fate == VC_JBUF_STRAY) {
        watch_sender(jitter, timestamp, now);
        jitter->sequence = sequence;
    }
    jitter->is_running = 1;
    jitter->is_comfort = 0;
    jitter->silent = 0;
    jitter->law = (uint16_t)law;
    jitter->sound.stream_num = frame->stream_num;
    return 0;
}

/* Whatever the codec is: a line hears A-law. */
static int put_foreign(sa_jitter *jitter, struct ast_frame *frame, uint32_t timestamp, uint64_t now)
{
    struct ast_format *format = frame->subclass.format;
    if (!jitter->foreign || ast_format_cmp(jitter->foreign, format) != AST_FORMAT_CMP_EQUAL) {
        if (jitter->translator)
            ast_translator_free_path(jitter->translator);
        ao2_replace(jitter->foreign, format);
        jitter->translator = ast_translator_build_path(ast_format_alaw, format);
    }
    struct ast_frame *alaw = jitter->translator ? ast_translate(jitter->translator, frame, 0) : NULL;
    int result = alaw ? put(jitter, alaw, timestamp, (uint16_t)frame->seqno, VC_JBUF_ALAW, now) : -EINVAL;
    if (alaw)
        ast_frfree(alaw);
    return result;
}

/* 0: the buffer has it. */
static int put_packet(sa_jitter *jitter, struct ast_frame *frame, uint64_t now)
{
    uint32_t timestamp = (uint32_t)frame->ts * (VC_RATE_HZ / 1000); /* Asterisk tells it in ms */
    struct ast_format *format = frame->subclass.format;
    int law = ast_format_cmp(format, ast_format_alaw) == AST_FORMAT_CMP_EQUAL   ? VC_JBUF_ALAW
              : ast_format_cmp(format, ast_format_ulaw) == AST_FORMAT_CMP_EQUAL ? VC_JBUF_ULAW
                                                                                 : -1;
    int result = law < 0 ? put_foreign(jitter, frame, timestamp, now)
                         : put(jitter, frame, timestamp, (uint16_t)frame->seqno, law, now);
    if (result && !jitter->is_refused) {
        ast_log(LOG_WARNING, "SA_JITTER: packets of %d samples of %s are not held (10 to 60 ms in steps of 10 ms are); "
                "they are heard as they come\n", frame->samples, ast_format_get_name(format));
        jitter->is_refused = 1;
    }
    return result;
}

static void put_comfort(sa_jitter *jitter, const struct ast_frame *frame)
{
    vc_jbuf_noise(jitter->buffer, ++jitter->sequence, (unsigned)frame->subclass.integer);
    jitter->is_comfort = 1;
    jitter->had_event = 1;
}

/* The next tick's block, or NULL where there is nothing to be heard. */
static struct ast_frame *get(sa_jitter *jitter, uint64_t now)
{
    vc_jbuf_step step;
    if (jitter->silent >= SILENT_TICKS && !jitter->is_comfort)
        return NULL; /* its ticks stand still, too: who comes back is put behind what was there */
    jitter->silent++;
    int16_t block[VC_BLOCK];
    vc_jbuf_get(jitter->buffer, now, block, &step);
    if (!jitter->is_running)
        return NULL;
    (jitter->law == VC_JBUF_ALAW ? vc_alaw_encode : vc_ulaw_encode)(block, jitter->payload + AST_FRIENDLY_OFFSET, VC_BLOCK);
    jitter->sound = (struct ast_frame){
        .frametype = AST_FRAME_VOICE, .subclass.format = jitter->law == VC_JBUF_ALAW ? ast_format_alaw : ast_format_ulaw,
        .datalen = VC_BLOCK, .samples = VC_BLOCK, .offset = AST_FRIENDLY_OFFSET, .src = "SA_JITTER",
        .data.ptr = jitter->payload + AST_FRIENDLY_OFFSET, .stream_num = jitter->sound.stream_num,
    };
    return &jitter->sound;
}

/* What Asterisk's timer asked for and has not had, as far as it is of use. */
static struct ast_frame *get_owed(sa_jitter *jitter, uint64_t now)
{
    sa_owed owed;
    while ((owed = sa_clock_next(&jitter->clock, now)) == SA_LEFT_OUT)
        get(jitter, now);
    return owed == SA_DUE ? get(jitter, now) : NULL;
}

/* Sound with its place in the stream; what comes from elsewhere (files, generators) has none and passes. */
static int is_packet(const struct ast_frame *frame)
{
    return frame->frametype == AST_FRAME_VOICE && ast_test_flag(frame, AST_FRFLAG_HAS_TIMING_INFO) &&
           ast_test_flag(frame, AST_FRFLAG_HAS_SEQUENCE_NUMBER);
}

static struct ast_frame *on_frame(struct ast_channel *channel, struct ast_frame *frame, enum ast_framehook_event event, void *data)
{
    sa_jitter *jitter = data;
    if (event != AST_FRAMEHOOK_EVENT_READ || !frame)
        return frame;
    uint64_t now = now_us();
    if (ast_channel_fdno(channel) == AST_JITTERBUFFER_FD && !ast_timer_ack(jitter->timer, 1))
        sa_clock_tick(&jitter->clock, now);
    if (frame->frametype == AST_FRAME_DTMF_BEGIN || frame->frametype == AST_FRAME_DTMF_END)
        jitter->had_event = 1;
    int is_taken = frame->frametype == AST_FRAME_NULL;
    if (is_packet(frame))
        is_taken = !put_packet(jitter, frame, now);
    else if (frame->frametype == AST_FRAME_CNG && (is_taken = jitter->is_running))
        put_comfort(jitter, frame);
    if (!is_taken)
        return frame;
    struct ast_frame *rest = AST_LIST_NEXT(frame, frame_list), *sound = get_owed(jitter, now);
    if (frame != &ast_null_frame) {
        AST_LIST_NEXT(frame, frame_list) = NULL;
        ast_frfree(frame);
    }
    if (!rest)
        return sound ? sound : &ast_null_frame;
    sound = sound ? sound : &jitter->nothing;
    AST_LIST_NEXT(sound, frame_list) = rest;
    return sound;
}

static int wants(void *data, enum ast_frame_type type)
{
    (void)data;
    return type == AST_FRAME_VOICE || type == AST_FRAME_CNG;
}

/* The channel's body went into another one (Asterisk's masquerade), file descriptors and hooks with it. */
static void on_move(void *data, int hook, struct ast_channel *from, struct ast_channel *to)
{
    (void)from;
    (void)to;
    ((sa_jitter *)data)->hook = hook;
}

static void on_hook_gone(void *data)
{
    ao2_ref(data, -1);
}

static void on_gone(void *data)
{
    sa_jitter *jitter = data;
    if (jitter->timer)
        ast_timer_close(jitter->timer);
    if (jitter->translator)
        ast_translator_free_path(jitter->translator);
    ao2_cleanup(jitter->foreign);
    ast_module_unref(AST_MODULE_SELF);
}

static sa_jitter *make(void)
{
    sa_jitter *jitter = ao2_alloc_options(sizeof *jitter, on_gone, AO2_ALLOC_OPT_LOCK_NOLOCK);
    if (!jitter)
        return NULL;
    ast_module_ref(AST_MODULE_SELF);
    uintptr_t place = ((uintptr_t)jitter->room + VC_JBUF_ALIGN - 1) / VC_JBUF_ALIGN * VC_JBUF_ALIGN;
    vc_jbuf_init((void *)place, VC_JBUF_BYTES, &jitter->buffer);
    jitter->nothing.frametype = AST_FRAME_NULL;
    jitter->timer = ast_timer_open();
    if (jitter->timer && !ast_timer_set_rate(jitter->timer, SA_TICKS_A_SECOND)) {
        sa_drift_init(&jitter->sender);
        sa_clock_init(&jitter->clock, strcmp(ast_timer_get_name(jitter->timer), "timerfd") != 0, now_us());
        return jitter;
    }
    ast_log(LOG_ERROR, "SA_JITTER: no timer for 50 ticks a second: load res_timing_dahdi or res_timing_timerfd\n");
    ao2_ref(jitter, -1);
    return NULL;
}

sa_jitter *sa_jitter_attach(struct ast_channel *channel)
{
    sa_jitter *jitter = make();
    if (!jitter)
        return NULL;
    struct ast_framehook_interface interface = {
        .version = AST_FRAMEHOOK_INTERFACE_VERSION, .event_cb = on_frame, .destroy_cb = on_hook_gone, .consume_cb = wants,
        .chan_fixup_cb = on_move, .data = ao2_bump(jitter),
    };
    jitter->hook = ast_framehook_attach(channel, &interface);
    if (jitter->hook < 0) {
        ao2_ref(jitter, -2);
        return NULL;
    }
    ast_channel_set_fd(channel, AST_JITTERBUFFER_FD, ast_timer_fd(jitter->timer));
    return jitter;
}

void sa_jitter_detach(sa_jitter *jitter, struct ast_channel *channel)
{
    ast_channel_set_fd(channel, AST_JITTERBUFFER_FD, -1);
    sa_jitter_leave(jitter, channel);
}

void sa_jitter_leave(sa_jitter *jitter, struct ast_channel *channel)
{
    ast_framehook_detach(channel, jitter->hook);
}

void sa_jitter_read_stats(const sa_jitter *jitter, vc_jbuf_stats *stats, sa_jitter_clocks *clocks)
{
    vc_jbuf_read_stats(jitter->buffer, stats);
    *clocks = (sa_jitter_clocks){jitter->clock.left_out, sa_drift_ppm(&jitter->clock.drift), sa_drift_ppm(&jitter->sender)};
}
