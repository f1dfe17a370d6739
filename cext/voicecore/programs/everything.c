#include "everything.h"

#define TICKS_A_SIGNAL 250

static int init_plans(everything *all)
{
    int refused = vc_dtmf_plan(&all->dtmf_plan);
    for (int i = 0; i < 2; i++)
        refused = refused ? refused : vc_r2_plan(&all->r2_plan[i], (vc_r2_direction)i);
    return refused ? refused : vc_progress_plan_cn(&all->cn_plan);
}

int everything_init(everything *all)
{
    vc_tone tone;
    int refused = init_plans(all);
    all->random = 1;
    all->ticks = 0;
    vc_pair_init(&all->dtmf);
    vc_pair_init(&all->r2[0]);
    vc_pair_init(&all->r2[1]);
    vc_progress_init(&all->cn);
    vc_tonemeter_init(&all->tonemeter);
    vc_noise_init(&all->noise);
    vc_level_init(&all->level);
    refused = refused ? refused : vc_echo_init(&all->echo, -13);
    refused = refused ? refused : vc_prbs_sender_init(&all->bits_out, VC_PRBS_15);
    refused = refused ? refused : vc_prbs_receiver_init(&all->bits_in, VC_PRBS_15);
    refused = refused ? refused : vc_dialgen_init(&all->dialgen, 60, 60, -9, -7);
    refused = refused ? refused : vc_jbuf_init(all->jbuf_block, sizeof all->jbuf_block, &all->jbuf);
    refused = refused ? refused : vc_tone_of_name(VC_CN_BUSY, -10, &tone);
    refused = refused ? refused : vc_tonegen_init(&all->busy, &tone);
    refused = refused ? refused : vc_tone_of_r2(VC_R2_FORWARD, 7, -11.5, &tone);
    return refused ? refused : vc_tonegen_init(&all->forward, &tone);
}

void everything_signal(everything *all, int tick, int16_t *block)
{
    switch (tick / TICKS_A_SIGNAL % 4) {
    case 0:
        if (!all->dialgen.waiting)
            (void)vc_dialgen_put(&all->dialgen, "0123456789*#ABCD"); /* there is room, these are digits */
        (void)vc_dialgen_read(&all->dialgen, block);
        break;
    case 1:
        vc_tonegen_read(&all->busy, block);
        break;
    case 2:
        vc_tonegen_read(&all->forward, block);
        break;
    default:
        for (int i = 0; i < VC_BLOCK; i++) {
            all->random = all->random * 1664525u + 1013904223u;
            block[i] = (int16_t)((int)(all->random >> 19) - 4096);
        }
    }
}

/* A packet comes, or is lost, or is late; a block goes. */
static void everything_jitter(everything *all, const uint8_t *coded, int16_t *sent)
{
    vc_jbuf_step step;
    uint32_t tick = all->ticks++, packet = tick % 50 == 7 ? tick - 3 : tick;
    if (tick % 31)
        (void)vc_jbuf_put_payload(all->jbuf, (uint16_t)packet, packet * VC_BLOCK, coded, VC_BLOCK, VC_JBUF_ALAW, tick * 20000);
    vc_jbuf_get(all->jbuf, tick * 20000, sent, &step);
}

int everything_tick(everything *all, const int16_t *block)
{
    uint8_t coded[VC_BLOCK];
    int16_t heard[VC_BLOCK], sent[VC_BLOCK];
    vc_pair_event pairs[VC_PAIR_EVENTS];
    vc_progress_event tones[VC_PROGRESS_EVENTS];
    vc_alaw_encode(block, coded, VC_BLOCK);
    vc_alaw_decode(coded, heard, VC_BLOCK);
    int events = vc_pair_feed(&all->dtmf, &all->dtmf_plan, heard, pairs);
    for (int i = 0; i < 2; i++)
        events += vc_pair_feed(&all->r2[i], &all->r2_plan[i], heard, pairs);
    events += vc_progress_feed(&all->cn, &all->cn_plan, heard, tones);
    vc_tonemeter_feed(&all->tonemeter, heard);
    vc_noise_feed(&all->noise, heard);
    vc_level_feed(&all->level, heard);
    vc_echo_tick(&all->echo, heard, sent);
    everything_jitter(all, coded, sent);
    vc_prbs_send(&all->bits_out, coded, VC_BLOCK);
    vc_prbs_receive(&all->bits_in, coded, VC_BLOCK);
    return events;
}
