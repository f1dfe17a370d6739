#include "dahdi_audio.h"

#include <dahdi/user.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "dahdi_device.h"
#include "g711.h"
#include "osc.h"

#define MOST_GAIN_DB 30.0

int vc_dahdi_set_buffers(int fd, int count, int samples)
{
    struct dahdi_bufferinfo info = {
        .txbufpolicy = DAHDI_POLICY_IMMEDIATE,
        .rxbufpolicy = DAHDI_POLICY_IMMEDIATE,
        .numbufs = count,
        .bufsize = samples,
    };
    if (count < 2 || count > DAHDI_MAX_NUM_BUFS)
        return -EINVAL;
    return vc_dahdi_ask(fd, DAHDI_SET_BUFINFO, &info);
}

int vc_dahdi_get_buffers(int fd, int *count, int *samples)
{
    struct dahdi_bufferinfo info;
    memset(&info, 0, sizeof info);
    int refused = vc_dahdi_ask(fd, DAHDI_GET_BUFINFO, &info);
    *count = info.numbufs;
    *samples = info.bufsize;
    return refused;
}

int vc_dahdi_flush(int fd)
{
    int what = DAHDI_FLUSH_ALL;
    return vc_dahdi_ask(fd, DAHDI_FLUSH, &what);
}

int vc_dahdi_flush_sound(int fd)
{
    int what = DAHDI_FLUSH_READ | DAHDI_FLUSH_WRITE;
    return vc_dahdi_ask(fd, DAHDI_FLUSH, &what);
}

int vc_dahdi_tell_runs(int fd, int on)
{
    return vc_dahdi_ask(fd, DAHDI_BUFFER_EVENTS, &on);
}

int vc_dahdi_set_law(int fd, vc_dahdi_law law)
{
    int wanted = (int)law;
    return vc_dahdi_ask(fd, DAHDI_SETLAW, &wanted);
}

int vc_dahdi_set_linear(int fd, int on)
{
    return vc_dahdi_ask(fd, DAHDI_SETLINEAR, &on);
}

int vc_dahdi_set_audio(int fd, int on)
{
    return vc_dahdi_ask(fd, DAHDI_AUDIOMODE, &on);
}

void vc_dahdi_gain_table(vc_dahdi_law law, double db, uint8_t *table)
{
    double factor = pow(10, db / 20);
    for (int code = 0; code < 256; code++) {
        uint8_t in = (uint8_t)code;
        int16_t sample;
        table[code] = in; /* 0 dB: each code stays what it is, also the two zeros of u-law */
        if (db == 0)
            continue;
        if (law == VC_LAW_ALAW) {
            vc_alaw_decode(&in, &sample, 1);
            sample = vc_sample_of(factor * sample);
            vc_alaw_encode(&sample, &table[code], 1);
        } else {
            vc_ulaw_decode(&in, &sample, 1);
            sample = vc_sample_of(factor * sample);
            vc_ulaw_encode(&sample, &table[code], 1);
        }
    }
}

int vc_dahdi_set_gains(int fd, vc_dahdi_law law, double heard_db, double sent_db)
{
    struct dahdi_gains gains;
    if (!(fabs(heard_db) <= MOST_GAIN_DB) || !(fabs(sent_db) <= MOST_GAIN_DB) || law == VC_LAW_DEFAULT)
        return -EINVAL;
    memset(&gains, 0, sizeof gains);
    vc_dahdi_gain_table(law, heard_db, gains.rxgain);
    vc_dahdi_gain_table(law, sent_db, gains.txgain);
    return vc_dahdi_ask(fd, DAHDI_SETGAINS, &gains);
}

int vc_dahdi_set_echo_canceller(int fd, int taps)
{
    if (taps && (taps < 32 || taps > 1024 || taps & (taps - 1)))
        return -EINVAL;
    return vc_dahdi_ask(fd, DAHDI_ECHOCANCEL, &taps);
}

int vc_dahdi_loop_channel(int fd, int on)
{
    return vc_dahdi_ask(fd, DAHDI_LOOPBACK, &on);
}
