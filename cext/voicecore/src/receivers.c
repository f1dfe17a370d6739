#include "receivers.h"

#include <errno.h>
#include <math.h>

#include "level.h"

static float factor(double db)
{
    return (float)pow(10, db / 10);
}

int vc_dtmf_plan(vc_pair_plan *plan)
{
    double hz[9];
    for (int i = 0; i < 4; i++) {
        hz[i] = VC_DTMF_LOW_HZ[i];
        hz[4 + i] = VC_DTMF_HIGH_HZ[i];
    }
    hz[8] = 450;
    *plan = (vc_pair_plan){
        .split = 4,
        .bins = 8,
        .least_square = (float)vc_mean_square_of_dbm0(-32),
        .most_low_twist = factor(10),
        .most_high_twist = factor(8),
        .least_purity = 0.9f,
        .most_offset = 0.025f, /* half way between what must be taken and what must be refused */
        .most_offset_hz = 45,
        .confirm_ms = 31, /* half way between 23 and 40 */
        .release_ms = 20,
    };
    return vc_bank_init(&plan->bank, hz, 9);
}

char vc_dtmf_digit(const vc_pair_event *event)
{
    return VC_DTMF_DIGITS[event->low * 4 + event->high - 4];
}

int vc_r2_plan(vc_pair_plan *plan, vc_r2_direction direction)
{
    if (direction != VC_R2_FORWARD && direction != VC_R2_BACKWARD)
        return -EINVAL;
    *plan = (vc_pair_plan){
        .bins = 6,
        .least_square = (float)vc_mean_square_of_dbm0(-38.5), /* takes -35, refuses -42 */
        .most_low_twist = factor(9),
        .most_high_twist = factor(9),
        .least_purity = 0.8f,
        .most_offset = 1,
        .most_offset_hz = 20,
        .confirm_ms = 15,
        .release_ms = 10,
    };
    return vc_bank_init(&plan->bank, VC_R2_HZ[direction], 6);
}

/* Bins are frequency numbers; forward they rise and backward they fall, but a lower number is always a lower bin. */
int vc_r2_signal(const vc_pair_event *event)
{
    return vc_r2_signal_of(event->low, event->high);
}
