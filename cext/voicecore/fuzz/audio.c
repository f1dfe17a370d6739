/* Any audio into everything that hears. The first byte chooses: A-law, u-law, or raw 16-bit samples. */
#include <assert.h>
#include <string.h>

#include "../programs/everything.h"
#include "fuzz.h"
#include "learn.h"

static everything all;
static vc_learn learning;
static vc_progress learned_state;
static vc_progress_plan learned_plan;

static size_t next_block(const uint8_t *data, size_t size, int kind, int16_t *block)
{
    uint8_t part[2 * VC_BLOCK] = {0};
    size_t wanted = kind == 2 ? 2 * VC_BLOCK : VC_BLOCK, taken = size < wanted ? size : wanted;
    memcpy(part, data, taken);
    if (kind == 2)
        memcpy(block, part, sizeof part);
    else if (kind == 1)
        vc_ulaw_decode(part, block, VC_BLOCK);
    else
        vc_alaw_decode(part, block, VC_BLOCK);
    return taken;
}

static void check_learned(void)
{
    vc_learned learned;
    int16_t quiet[VC_BLOCK] = {0};
    vc_progress_event events[VC_PROGRESS_EVENTS];
    if (vc_learn_result(&learning, &learned))
        return;
    /* Its steps may be too short to be listened for; that is refused, not done. */
    if (vc_progress_plan_learned(&learned_plan, &learned, 1))
        return;
    vc_progress_init(&learned_state);
    (void)vc_progress_feed(&learned_state, &learned_plan, quiet, events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int16_t block[VC_BLOCK];
    vc_tone_measure tone;
    vc_prbs_count bits;
    if (!size || everything_init(&all))
        return 0;
    int kind = data[0] % 3;
    vc_learn_init(&learning);
    for (size_t at = 1; at < size;) {
        at += next_block(data + at, size - at, kind, block);
        int events = everything_tick(&all, block);
        assert(events >= 0 && events <= 3 * VC_PAIR_EVENTS + VC_PROGRESS_EVENTS);
        (void)vc_learn_feed(&learning, block);
    }
    check_learned();
    if (!vc_tonemeter_result(&all.tonemeter, &tone))
        assert(tone.hz > 0 && tone.hz < VC_RATE_HZ / 2.0);
    vc_prbs_result(&all.bits_in, &bits);
    assert(bits.errors <= bits.bits);
    assert(vc_level_rms_dbm0(&all.level) <= vc_level_peak_dbm0(&all.level) + 3.1);
    assert(vc_noise_dbm0p(&all.noise) < 20);
    return 0;
}
