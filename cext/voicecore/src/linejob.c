#include "linejob.h"

#include <errno.h>
#include <string.h>

#include "g711.h"

#define TICKS_A_SECOND (1000 / VC_BLOCK_MS)
#define SETTLING_TICKS 10 /* as many as the noise meter leaves out */
#define NO_SOUND (VC_HEAR_BITS | VC_HEAR_RECORD)
#define ALL_HEARING (2 * VC_HEAR_RECORD - 1)

int vc_line_plans_init(vc_line_plans *plans)
{
    int refused = vc_dtmf_plan(&plans->dtmf);
    for (int i = 0; i < 2; i++)
        refused = refused ? refused : vc_r2_plan(&plans->r2[i], (vc_r2_direction)i);
    return refused;
}

size_t vc_line_bytes(vc_coding coding)
{
    return coding == VC_CODING_LINEAR ? sizeof(int16_t[VC_BLOCK]) : VC_BLOCK;
}

/* Each setting is one of its kind, and they go together. */
static int is_sound(const vc_job *job)
{
    int bits = job->coding == VC_CODING_BITS;
    if ((unsigned)job->coding > VC_CODING_BITS || (unsigned)job->sending > VC_SEND_PLAY ||
        (unsigned)job->sequence > VC_PRBS_15 || (unsigned)job->r2_direction > VC_R2_BACKWARD || job->hearing > ALL_HEARING)
        return 0;
    if (bits ? (job->hearing & ~(uint32_t)NO_SOUND) != 0 : (job->hearing & VC_HEAR_BITS) != 0)
        return 0;
    if (bits ? job->sending != VC_SEND_BITS && job->sending != VC_SEND_SILENCE : job->sending == VC_SEND_BITS)
        return 0;
    return !(job->hearing & VC_HEAR_PROGRESS) || job->progress;
}

static void decode(vc_coding coding, const uint8_t *in, int16_t *out)
{
    switch (coding) {
    case VC_CODING_ALAW:
        vc_alaw_decode(in, out, VC_BLOCK);
        break;
    case VC_CODING_ULAW:
        vc_ulaw_decode(in, out, VC_BLOCK);
        break;
    case VC_CODING_LINEAR:
        memcpy(out, in, sizeof(int16_t[VC_BLOCK]));
        break;
    case VC_CODING_BITS:
    default:
        for (int i = 0; i < VC_BLOCK; i++)
            out[i] = in[i];
    }
}

static void encode(vc_coding coding, const int16_t *in, uint8_t *out)
{
    switch (coding) {
    case VC_CODING_ALAW:
        vc_alaw_encode(in, out, VC_BLOCK);
        break;
    case VC_CODING_ULAW:
        vc_ulaw_encode(in, out, VC_BLOCK);
        break;
    case VC_CODING_LINEAR:
        memcpy(out, in, sizeof(int16_t[VC_BLOCK]));
        break;
    case VC_CODING_BITS:
    default:
        memset(out, 0xff, VC_BLOCK);
    }
}

/* The level of a noise of two values is what the coding makes of them: up to 0.3 dB beside. */
static double as_coded(vc_coding coding, double amplitude)
{
    int16_t block[VC_BLOCK] = {vc_sample_of(amplitude)};
    uint8_t coded[sizeof block];
    encode(coding, block, coded);
    decode(coding, coded, block);
    return block[0];
}

static int init_sender(vc_line *line)
{
    const vc_job *job = &line->job;
    int refused = 0;
    switch (job->sending) {
    case VC_SEND_TONE:
        return vc_tonegen_init(&line->tonegen, &job->tone);
    case VC_SEND_DIGITS:
        if (!memchr(job->digits, 0, sizeof job->digits))
            return -EINVAL;
        refused = vc_dialgen_init(&line->dialgen, job->digit_on_ms, job->digit_off_ms, job->digit_low_dbm0,
                                  job->digit_high_dbm0);
        return refused ? refused : vc_dialgen_put(&line->dialgen, job->digits);
    case VC_SEND_ECHO_NOISE:
        refused = vc_echo_init(&line->echo, job->echo_level_dbm0);
        line->echo.amplitude = as_coded(job->coding, line->echo.amplitude);
        return refused;
    case VC_SEND_BITS:
        return vc_prbs_sender_init(&line->bits_out, job->sequence);
    case VC_SEND_SILENCE:
    case VC_SEND_PLAY:
    default:
        return 0;
    }
}

int vc_line_init(vc_line *line, const vc_job *job)
{
    if (!is_sound(job))
        return -EINVAL;
    memset(line, 0, sizeof *line);
    line->job = *job;
    vc_level_init(&line->level);
    vc_level_init(&line->second);
    vc_tonemeter_init(&line->tonemeter);
    vc_noise_init(&line->noise);
    vc_pair_init(&line->dtmf);
    vc_pair_init(&line->r2);
    vc_progress_init(&line->progress);
    (void)vc_prbs_receiver_init(&line->bits_in, job->sequence); /* checked above */
    return init_sender(line);
}

void vc_line_silence(vc_coding coding, uint8_t *block)
{
    static const int16_t silence[VC_BLOCK];
    encode(coding, silence, block);
}

static void send(vc_line *line, const int16_t *heard, uint8_t *sent, const int16_t *play)
{
    int16_t block[VC_BLOCK] = {0};
    switch (line->job.sending) {
    case VC_SEND_TONE:
        vc_tonegen_read(&line->tonegen, block);
        break;
    case VC_SEND_DIGITS:
        (void)vc_dialgen_read(&line->dialgen, block); /* silence when all is sent */
        break;
    case VC_SEND_ECHO_NOISE:
        vc_echo_tick(&line->echo, heard, block);
        break;
    case VC_SEND_BITS:
        vc_prbs_send(&line->bits_out, sent, VC_BLOCK);
        return;
    case VC_SEND_PLAY:
        memcpy(block, play, sizeof block);
        break;
    case VC_SEND_SILENCE:
    default:
        break;
    }
    encode(line->job.coding, block, sent);
}

static int tell_pairs(const vc_line *line, vc_line_kind kind, const vc_pair_event *pairs, int count, vc_line_event *events)
{
    for (int i = 0; i < count; i++) {
        int what = kind == VC_LINE_DIGIT ? vc_dtmf_digit(&pairs[i]) : vc_r2_signal(&pairs[i]);
        events[i] = (vc_line_event){.kind = kind, .what = what, .began = pairs[i].began, .low_dbm0 = pairs[i].low_dbm0,
                                    .high_dbm0 = pairs[i].high_dbm0, .ms = pairs[i].lasted_ms, .tick = line->ticks};
    }
    return count;
}

static int tell_tones(const vc_line *line, const vc_progress_event *tones, int count, vc_line_event *events)
{
    for (int i = 0; i < count; i++)
        events[i] = (vc_line_event){.kind = VC_LINE_PROGRESS, .what = tones[i].id, .began = tones[i].began,
                                    .low_dbm0 = tones[i].level_dbm0, .tick = line->ticks};
    return count;
}

static int hear(vc_line *line, const vc_line_plans *plans, const int16_t *block, vc_line_event *events)
{
    vc_pair_event pairs[VC_PAIR_EVENTS];
    vc_progress_event tones[VC_PROGRESS_EVENTS];
    uint32_t hearing = line->job.hearing;
    int count = 0;
    if (hearing & VC_HEAR_LEVEL && line->ticks > SETTLING_TICKS)
        vc_level_feed(&line->level, block);
    if (hearing & VC_HEAR_TONE)
        vc_tonemeter_feed(&line->tonemeter, block);
    if (hearing & VC_HEAR_NOISE)
        vc_noise_feed(&line->noise, block);
    if (hearing & VC_HEAR_DTMF) {
        int found = vc_pair_feed(&line->dtmf, &plans->dtmf, block, pairs);
        count += tell_pairs(line, VC_LINE_DIGIT, pairs, found, events);
    }
    if (hearing & VC_HEAR_R2) {
        int found = vc_pair_feed(&line->r2, &plans->r2[line->job.r2_direction], block, pairs);
        count += tell_pairs(line, VC_LINE_R2, pairs, found, events + count);
    }
    if (hearing & VC_HEAR_PROGRESS) {
        int found = vc_progress_feed(&line->progress, line->job.progress, block, tones);
        count += tell_tones(line, tones, found, events + count);
    }
    vc_level_feed(&line->second, block);
    return count;
}

static vc_line_event second_of(vc_line *line)
{
    vc_prbs_count bits;
    vc_prbs_result(&line->bits_in, &bits);
    vc_line_event event = {
        .kind = VC_LINE_SECOND,
        .what = bits.errors < INT32_MAX ? (int32_t)bits.errors : INT32_MAX,
        .low_dbm0 = line->job.coding == VC_CODING_BITS ? 0 : (float)vc_level_rms_dbm0(&line->second),
        .tick = line->ticks,
    };
    vc_level_init(&line->second);
    return event;
}

int vc_line_tick(vc_line *line, const vc_line_plans *plans, const uint8_t *heard, uint8_t *sent, const int16_t *play,
                 int16_t *record, vc_line_event events[VC_LINE_EVENTS])
{
    int16_t block[VC_BLOCK];
    int count = 0;
    decode(line->job.coding, heard, block);
    line->ticks++;
    if (line->job.coding != VC_CODING_BITS)
        count = hear(line, plans, block, events);
    else if (line->job.hearing & VC_HEAR_BITS)
        vc_prbs_receive(&line->bits_in, heard, VC_BLOCK);
    send(line, block, sent, play);
    if (line->job.hearing & VC_HEAR_RECORD)
        memcpy(record, block, sizeof block);
    if (line->ticks % TICKS_A_SECOND == 0)
        events[count++] = second_of(line);
    return count;
}

int vc_line_slipped(vc_line *line)
{
    if (line->job.sending != VC_SEND_ECHO_NOISE)
        return 0;
    vc_echo_restart(&line->echo);
    return 1;
}

void vc_line_results_of(const vc_line *line, vc_line_results *out)
{
    out->ticks = line->ticks;
    out->level_dbm0 = vc_level_rms_dbm0(&line->level);
    out->peak_dbm0 = vc_level_peak_dbm0(&line->level);
    out->noise_dbm0p = vc_noise_dbm0p(&line->noise);
    out->has_tone = line->job.hearing & VC_HEAR_TONE && !vc_tonemeter_result(&line->tonemeter, &out->tone);
    out->has_echo = line->job.sending == VC_SEND_ECHO_NOISE && !vc_echo_result(&line->echo, &out->echo);
    out->has_bits = (line->job.hearing & VC_HEAR_BITS) != 0;
    vc_prbs_result(&line->bits_in, &out->bits);
}
