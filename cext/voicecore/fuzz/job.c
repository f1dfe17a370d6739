/* Any settings of a job, on a line with any bytes: what is taken runs, what is refused does no harm. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "linejob.h"

static vc_line_plans plans;
static vc_progress_plan progress;
static vc_line line;

static void make_plans(void)
{
    static int made;
    if (!made) {
        int refused = vc_line_plans_init(&plans) | vc_progress_plan_cn(&progress);
        assert(!refused);
        (void)refused;
        made = 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t heard[sizeof(int16_t[VC_BLOCK])] = {0}, sent[sizeof heard];
    int16_t play[VC_BLOCK] = {0}, record[VC_BLOCK];
    vc_line_event events[VC_LINE_EVENTS];
    vc_line_results results = {0};
    vc_job job;
    make_plans();
    if (size < sizeof job)
        return 0;
    memcpy(&job, data, sizeof job);
    job.progress = job.progress ? &progress : NULL;
    if (vc_line_init(&line, &job))
        return 0;
    size_t block = vc_line_bytes(job.coding);
    for (size_t at = sizeof job; at < size; at += block) {
        size_t rest = size - at < block ? size - at : block;
        memcpy(heard, data + at, rest);
        memcpy(play, heard, block < sizeof play ? block : sizeof play);
        int count = vc_line_tick(&line, &plans, heard, sent, play, record, events);
        assert(count >= 0 && count <= VC_LINE_EVENTS);
        for (int i = 0; i < count; i++)
            assert(events[i].kind >= VC_LINE_DIGIT && events[i].kind < VC_LINE_DONE && events[i].tick == line.ticks);
    }
    vc_line_results_of(&line, &results);
    assert(results.bits.errors <= results.bits.bits);
    return 0;
}
