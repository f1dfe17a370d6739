#include <errno.h>
#include <math.h>

#include "level.h"
#include "progress.h"
#include "signals.h"

static int cadence_is_sound(const vc_cadence *cadence)
{
    int steps = cadence->steps;
    if (steps < 1 || steps > VC_CADENCE_STEPS || (steps > 1 && steps % 2) || cadence->runs > VC_CADENCE_STEPS)
        return 0;
    for (int i = 0; i < steps; i++) {
        /* Two frames must be full in a run of sound, or its frequency cannot be told. */
        if (cadence->step_ms[i] < 60 || cadence->step_ms[i] > 60000)
            return 0;
    }
    return steps == 1 || cadence->runs >= 2;
}

int vc_progress_plan_init(vc_progress_plan *plan, const double *hz, int tones, const vc_cadence *cadences, int count)
{
    if (tones < 1 || tones > VC_PROGRESS_TONES || count < 1 || count > VC_CADENCES)
        return -EINVAL;
    *plan = (vc_progress_plan){
        .least_square = (float)vc_mean_square_of_dbm0(-38),
        .least_purity = 0.75f,
        .most_offset_hz = 30, /* GB/T 3380 says 25 */
        .cadences = count,
    };
    for (int i = 0; i < count; i++) {
        if (!cadence_is_sound(&cadences[i]))
            return -EINVAL;
        plan->cadence[i] = cadences[i];
    }
    return vc_bank_init(&plan->bank, hz, tones);
}

int vc_progress_plan_cn(vc_progress_plan *plan)
{
    /* The first run heard is never counted: one may have begun to listen in its middle. */
    static const vc_cadence CN[] = {
        {.id = VC_CN_DIAL, .steps = 1, .step_ms = {1500}},
        {.id = VC_CN_RING_BACK, .steps = 2, .step_ms = {1000, 4000}, .runs = 2},
        {.id = VC_CN_BUSY, .steps = 2, .step_ms = {350, 350}, .runs = 5},
        {.id = VC_CN_CONGESTION, .steps = 2, .step_ms = {700, 700}, .runs = 3},
        {.id = VC_CN_UNOBTAINABLE, .steps = 8, .step_ms = {100, 100, 100, 100, 100, 100, 400, 400}, .runs = 8},
        {.id = VC_CN_CALL_WAITING, .steps = 2, .step_ms = {400, 4000}, .runs = 2},
    };
    static const double HZ[] = {450};
    return vc_progress_plan_init(plan, HZ, 1, CN, sizeof CN / sizeof *CN);
}

float vc_share(float amplitude, float reference)
{
    float share = amplitude / reference;
    return share > 0.93f ? 1 : share < 0.1f ? 0 : share;
}

int vc_run_fits(float run_ms, float step_ms)
{
    float most = step_ms * 0.12f;
    return fabsf(run_ms - step_ms) <= (most > 25 ? most : 25);
}
