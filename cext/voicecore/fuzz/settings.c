/* Any settings: what is taken must run, what is refused must be refused without harm. */
#include <assert.h>
#include <string.h>

#include "dialgen.h"
#include "echo.h"
#include "fuzz.h"
#include "learn.h"

#define TICKS 20

static vc_progress_plan plan;
static vc_progress progress;
static vc_echo echo;

static size_t take(void *out, size_t wanted, const uint8_t *data, size_t size)
{
    memset(out, 0, wanted);
    size_t taken = size < wanted ? size : wanted;
    if (taken)
        memcpy(out, data, taken);
    return taken;
}

static void run_tone(const vc_tone *tone)
{
    vc_tonegen state;
    int16_t block[VC_BLOCK];
    if (vc_tonegen_init(&state, tone))
        return;
    for (int tick = 0; tick < TICKS; tick++)
        vc_tonegen_read(&state, block);
}

static void run_learned(const vc_learned *learned)
{
    int16_t block[VC_BLOCK];
    vc_tonegen state;
    vc_progress_event events[VC_PROGRESS_EVENTS];
    vc_tone tone = {.parts = {{450, -10}}, .cadence_ms = {100, 100}};
    if (vc_progress_plan_learned(&plan, learned, 7) || vc_tonegen_init(&state, &tone))
        return;
    vc_progress_init(&progress);
    for (int tick = 0; tick < TICKS; tick++) {
        vc_tonegen_read(&state, block);
        int count = vc_progress_feed(&progress, &plan, block, events);
        assert(count >= 0 && count <= VC_PROGRESS_EVENTS);
    }
}

static void run_dialgen(int32_t on_ms, int32_t off_ms, double level, const char *digits)
{
    vc_dialgen state;
    int16_t block[VC_BLOCK];
    if (vc_dialgen_init(&state, on_ms, off_ms, level, level) || vc_dialgen_put(&state, digits))
        return;
    for (int tick = 0; tick < TICKS; tick++)
        (void)vc_dialgen_read(&state, block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_tone tone, other;
    vc_learned learned;
    struct {
        int32_t on_ms, off_ms, number;
        double level;
        char digits[80];
    } rest;
    size_t at = take(&tone, sizeof tone, data, size);
    at += take(&learned, sizeof learned, data + at, size - at);
    (void)take(&rest, sizeof rest, data + at, size - at);
    rest.digits[sizeof rest.digits - 1] = 0;
    run_tone(&tone);
    run_learned(&learned);
    run_dialgen(rest.on_ms, rest.off_ms, rest.level, rest.digits);
    if (!vc_tone_of_r2(rest.number & 1 ? VC_R2_FORWARD : VC_R2_BACKWARD, rest.number / 2, rest.level, &other))
        run_tone(&other);
    if (!vc_tone_of_dtmf(rest.digits[0], rest.level, rest.level, &other))
        run_tone(&other);
    (void)vc_echo_init(&echo, rest.level);
    return 0;
}
