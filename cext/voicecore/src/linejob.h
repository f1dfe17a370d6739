/* What is sent on a line and what is listened for, tick by tick: a job. It knows no thread, file or clock. */
#ifndef VC_LINEJOB_H
#define VC_LINEJOB_H
#include "dialgen.h"
#include "echo.h"
#include "level.h"
#include "noise.h"
#include "prbs.h"
#include "progress.h"
#include "receivers.h"
#include "tonemeter.h"

/* cffi */
/* How a sample is coded on the line. Of bits nobody knows that they are sound. */
typedef enum { VC_CODING_ALAW, VC_CODING_ULAW, VC_CODING_LINEAR, VC_CODING_BITS } vc_coding;

typedef enum {
    VC_SEND_SILENCE,
    VC_SEND_TONE,
    VC_SEND_DIGITS,
    VC_SEND_ECHO_NOISE, /* and measures what of it comes back */
    VC_SEND_BITS,       /* a pseudo-random sequence; with VC_CODING_BITS only */
    VC_SEND_PLAY        /* what the ring holds; silence when it is empty */
} vc_sending;

/* Bits of vc_job.hearing. */
typedef enum {
    VC_HEAR_LEVEL = 1,
    VC_HEAR_TONE = 2,
    VC_HEAR_NOISE = 4,
    VC_HEAR_DTMF = 8,
    VC_HEAR_R2 = 16,
    VC_HEAR_PROGRESS = 32,
    VC_HEAR_BITS = 64,   /* with VC_CODING_BITS only, and nothing else then but VC_HEAR_RECORD */
    VC_HEAR_RECORD = 128 /* each sample goes into the ring; of bits each byte, as a sample 0 … 255 */
} vc_hearing;

typedef struct {
    vc_coding coding;
    vc_sending sending;
    uint32_t hearing;
    uint64_t ticks; /* it ends after so many; 0: it goes on until it is stopped */
    vc_tone tone;
    char digits[VC_DIALGEN_ROOM + 1];
    int32_t digit_on_ms, digit_off_ms;
    double digit_low_dbm0, digit_high_dbm0;
    double echo_level_dbm0;
    vc_prbs_sequence sequence; /* of what is sent and of what is heard */
    vc_r2_direction r2_direction;
    const vc_progress_plan *progress; /* lives longer than the job */
} vc_job;

typedef enum {
    VC_LINE_DIGIT = 1, /* what: the digit's character; began; low_dbm0, high_dbm0; ms: how long it lasted (over) */
    VC_LINE_R2,        /* what: signal 1 … 15; as above */
    VC_LINE_PROGRESS,  /* what: the cadence's id; began; low_dbm0: its level */
    VC_LINE_EVENT,     /* what: DAHDI's number */
    VC_LINE_SECOND,    /* each second; low_dbm0: the level heard in it; what: bit errors so far */
    VC_LINE_DONE       /* the job is over; what: 0, or -errno of the line */
} vc_line_kind;

typedef struct {
    vc_line_kind kind;
    int32_t what, began;
    float low_dbm0, high_dbm0, ms;
    uint64_t tick;
} vc_line_event;

#define VC_LINE_EVENTS 20 /* the most that one tick can give */

typedef struct {
    uint64_t ticks;     /* done */
    uint64_t not_sent;  /* blocks that the line did not take in time */
    uint64_t underruns, overruns; /* how often DAHDI had nothing to send, or no room for what came: each shifts what is
                                     measured against the line's clock */
    uint64_t not_played, not_recorded, not_told; /* samples and events for which a ring had nothing, or no room */
    double level_dbm0, peak_dbm0; /* without the first 200 ms: what is on a line then was sent before the job. A bearer that
                                     is no sound yet sends 0xff, in A-law a direct voltage of -26 dBm0 */
    double noise_dbm0p;
    int32_t has_tone, has_echo, has_bits;
    vc_tone_measure tone;
    vc_echo_measure echo; /* of the engine: its delay begins when what is sent leaves for the line */
    vc_prbs_count bits;
} vc_line_results;
/* end cffi */

/* Plans that all jobs share, read-only. */
typedef struct {
    vc_pair_plan dtmf, r2[2];
} vc_line_plans;

typedef struct {
    vc_job job;
    uint64_t ticks;
    vc_tonegen tonegen;
    vc_dialgen dialgen;
    vc_echo echo;
    vc_prbs_sender bits_out;
    vc_prbs_receiver bits_in;
    vc_level level, second;
    vc_tonemeter tonemeter;
    vc_noise noise;
    vc_pair dtmf, r2;
    vc_progress progress;
} vc_line;

int vc_line_plans_init(vc_line_plans *plans);
/* -EINVAL: settings that do not go together, or that a part refuses. */
int vc_line_init(vc_line *line, const vc_job *job);
/* Bytes of a block in this coding: 160, or 320 for linear. */
size_t vc_line_bytes(vc_coding coding);

/* A block of it: for bits, an idle bearer. */
void vc_line_silence(vc_coding coding, uint8_t *block);

/* The line lost or inserted samples. 1: what is sent and heard has to be brought into step again (echo noise). */
int vc_line_slipped(vc_line *line);
/* One tick: `heard` came, `sent` goes. `play` holds the block to be played, with VC_SEND_PLAY; `record` takes the block as
   samples, with VC_HEAR_RECORD. Gives the number of events. */
int vc_line_tick(vc_line *line, const vc_line_plans *plans, const uint8_t *heard, uint8_t *sent, const int16_t *play,
                 int16_t *record, vc_line_event events[VC_LINE_EVENTS]);
/* What was measured; takes some 10 ms: not for the audio path. Leaves what it does not know alone. */
void vc_line_results_of(const vc_line *line, vc_line_results *out);

#endif
