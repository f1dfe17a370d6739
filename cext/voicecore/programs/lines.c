#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CODED_BYTES VC_BLOCK
#define PATIENCE_MS 60000

static void close_files(lines *all)
{
    for (int i = 0; i < LINES; i++) {
        if (all->own[i] >= 0)
            close(all->own[i]);
        if (all->far[i] >= 0)
            close(all->far[i]);
        all->own[i] = all->far[i] = -1;
    }
}

int lines_open(lines *all)
{
    memset(all, 0, sizeof *all);
    memset(all->own, -1, sizeof all->own);
    memset(all->far, -1, sizeof all->far);
    for (int i = 0; i < LINES; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
            int refused = -errno;
            close_files(all);
            return refused;
        }
        all->own[i] = pair[0];
        all->far[i] = pair[1];
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
    }
    int refused = vc_engine_open(&all->engine, LINES, 100, 2);
    if (refused)
        close_files(all);
    return refused;
}

void lines_close(lines *all)
{
    vc_engine_close(all->engine);
    all->engine = NULL;
    close_files(all);
}

static vc_job job_of(int kind)
{
    vc_job job = {.coding = VC_CODING_ALAW, .hearing = VC_HEAR_BITS - 1, .digit_on_ms = 60, .digit_off_ms = 60,
                  .digit_low_dbm0 = -9, .digit_high_dbm0 = -7, .echo_level_dbm0 = -13};
    static vc_progress_plan plan; /* read-only for all jobs */
    (void)vc_progress_plan_cn(&plan);
    job.progress = &plan;
    switch (kind % 4) {
    case 0:
        job.sending = VC_SEND_DIGITS;
        strcpy(job.digits, "0123456789*#ABCD");
        break;
    case 1:
        job.sending = VC_SEND_ECHO_NOISE;
        break;
    case 2:
        job.coding = VC_CODING_BITS;
        job.sending = VC_SEND_BITS;
        job.hearing = VC_HEAR_BITS;
        break;
    default:
        job.sending = VC_SEND_PLAY;
        job.hearing |= VC_HEAR_RECORD;
    }
    return job;
}

int lines_start(lines *all)
{
    for (int i = 0; i < LINES; i++) {
        vc_job job = job_of(i);
        all->slot[i] = vc_engine_start(all->engine, &job, all->own[i], all->own[i], 0);
        if (all->slot[i] < 0)
            return all->slot[i];
    }
    return 0;
}

static void take_news(lines *all, int line)
{
    vc_line_event events[16];
    int16_t samples[VC_BLOCK];
    int count;
    while ((count = vc_engine_events(all->engine, all->slot[line], events, 16)) > 0)
        all->events += count;
    while ((count = vc_engine_recorded(all->engine, all->slot[line], samples, VC_BLOCK)) > 0)
        all->recorded += count;
}

static int wait_for(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = poll(&wait, 1, PATIENCE_MS);
    return ready > 0 ? 0 : ready < 0 ? -errno : -ETIMEDOUT;
}

int lines_tick(lines *all)
{
    int16_t tone[VC_BLOCK];
    for (int i = 0; i < VC_BLOCK; i++)
        tone[i] = (int16_t)(i % 8 * 1000 - 3500);
    for (int i = 0; i < LINES; i++) {
        uint8_t block[CODED_BYTES];
        size_t have = 0;
        (void)vc_engine_play(all->engine, all->slot[i], tone, VC_BLOCK);
        while (have < sizeof block) {
            int late = wait_for(all->far[i]);
            if (late)
                return late;
            ssize_t came = read(all->far[i], block + have, sizeof block - have);
            if (came <= 0)
                return came < 0 ? -errno : -EPIPE;
            have += (size_t)came;
        }
        if (write(all->far[i], block, sizeof block) != (ssize_t)sizeof block)
            return -EIO;
        all->blocks++;
        take_news(all, i);
    }
    return 0;
}

int lines_stop(lines *all)
{
    for (int i = 0; i < LINES; i++)
        vc_engine_stop(all->engine, all->slot[i]);
    for (int i = 0; i < LINES; i++) {
        vc_line_results results;
        while (!vc_engine_is_done(all->engine, all->slot[i])) {
            int late = wait_for(vc_engine_fd(all->engine));
            uint64_t count;
            if (late)
                return late;
            if (read(vc_engine_fd(all->engine), &count, sizeof count) < 0 && errno != EAGAIN)
                return -errno;
        }
        take_news(all, i);
        int refused = vc_engine_results(all->engine, all->slot[i], &results);
        refused = refused ? refused : vc_engine_free(all->engine, all->slot[i]);
        if (refused)
            return refused;
    }
    return 0;
}
