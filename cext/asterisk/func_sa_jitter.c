/* SA_JITTER(): the jitter buffer of cext/voicecore on the read side of a channel, as a dialplan function.

   Set(SA_JITTER()=on), =off; ${SA_JITTER(stats)}: its counters, as key=value,key=value…, empty where no buffer is.
   Under the terms of the GNU General Public License Version 2, as Asterisk is. */
#include "hook.h"

#include <asterisk/astobj2.h>
#include <asterisk/datastore.h>
#include <asterisk/framehook.h>
#include <asterisk/module.h>
#include <asterisk/pbx.h>

static void on_store_gone(void *data)
{
    ao2_cleanup(data);
}

static void on_breakdown(void *data, struct ast_channel *from, struct ast_channel *to);

/* Holds a channel's buffer for those who ask by the channel; a masquerade takes it along. */
static const struct ast_datastore_info store_info = {
    .type = "sa_jitter", .destroy = on_store_gone, .chan_breakdown = on_breakdown,
};

static void forget(struct ast_channel *channel, struct ast_datastore *store)
{
    ast_channel_datastore_remove(channel, store);
    ast_datastore_free(store);
}

/* `from` comes in the place of `to`, whose own sound ends, and so does its buffer. */
static void on_breakdown(void *data, struct ast_channel *from, struct ast_channel *to)
{
    (void)from;
    struct ast_datastore *store = ast_channel_datastore_find(to, &store_info, NULL);
    sa_jitter_leave(data, to);
    if (store && store->data == data)
        forget(to, store);
}

static int turn_on(struct ast_channel *channel)
{
    if (ast_channel_fd_isset(channel, AST_JITTERBUFFER_FD)) {
        ast_log(LOG_ERROR, "SA_JITTER: %s has Asterisk's own jitter buffer; Set(JITTERBUFFER(disabled)=) takes it off\n",
                ast_channel_name(channel));
        return -1;
    }
    struct ast_datastore *store = ast_datastore_alloc(&store_info, NULL);
    sa_jitter *jitter = store ? sa_jitter_attach(channel) : NULL;
    if (jitter) {
        store->data = jitter;
        ast_channel_datastore_add(channel, store);
        return 0;
    }
    if (store)
        ast_datastore_free(store);
    return -1;
}

static int write_jitter(struct ast_channel *channel, const char *function, char *arguments, const char *value)
{
    int is_on = !strcmp(S_OR(value, ""), "on");
    if (!channel || !ast_strlen_zero(arguments) || (!is_on && strcmp(S_OR(value, ""), "off"))) {
        ast_log(LOG_ERROR, "%s(%s)=%s: expected Set(SA_JITTER()=on) or =off, on a channel\n", function, S_OR(arguments, ""),
                S_OR(value, ""));
        return -1;
    }
    SCOPED_CHANNELLOCK(lock, channel);
    struct ast_datastore *store = ast_channel_datastore_find(channel, &store_info, NULL);
    if (is_on)
        return store ? 0 : turn_on(channel);
    if (store) {
        sa_jitter_detach(store->data, channel);
        forget(channel, store);
    }
    return 0;
}

static void tell(const sa_jitter *jitter, char *text, size_t size)
{
    vc_jbuf_stats s;
    sa_jitter_clocks clocks;
    sa_jitter_read_stats(jitter, &s, &clocks);
    snprintf(text, size,
             "kept=%u,late=%u,again=%u,too_far=%u,stray=%u,lost=%u,resets=%u,ticks=%u,concealed_ms=%u,stretched_ticks=%u,"
             "pressed_ticks=%u,skipped_ms=%u,delay_ms=%u,target_ms=%u,late_ticks=%u,clock_ppm=%d,"
             "sender_ppm=%d",
             s.kept, s.late, s.again, s.too_far, s.stray, s.lost, s.resets, s.ticks, s.concealed_ms, s.stretched_ticks,
             s.pressed_ticks, s.skipped_ms, s.delay_ms, s.target_ms, clocks.late_ticks,
             clocks.timer_ppm, clocks.sender_ppm);
}

static int read_jitter(struct ast_channel *channel, const char *function, char *arguments, char *text, size_t size)
{
    *text = '\0';
    if (!channel || strcmp(S_OR(arguments, ""), "stats")) {
        ast_log(LOG_ERROR, "%s(%s): expected ${SA_JITTER(stats)}, on a channel\n", function, S_OR(arguments, ""));
        return -1;
    }
    SCOPED_CHANNELLOCK(lock, channel);
    struct ast_datastore *store = ast_channel_datastore_find(channel, &store_info, NULL);
    if (store)
        tell(store->data, text, size);
    return 0;
}

static struct ast_custom_function sa_jitter_function = {
    .name = "SA_JITTER", .read = read_jitter, .write = write_jitter,
    .synopsis = "SA800's jitter buffer on the read side of a channel",
    .desc = "Set(SA_JITTER()=on) and =off; ${SA_JITTER(stats)} has its counters, and is empty where no buffer is.",
    .syntax = "SA_JITTER([stats])",
};

static int unload_module(void)
{
    return ast_custom_function_unregister(&sa_jitter_function);
}

static int load_module(void)
{
    return ast_custom_function_register(&sa_jitter_function) ? AST_MODULE_LOAD_DECLINE : AST_MODULE_LOAD_SUCCESS;
}

AST_MODULE_INFO_STANDARD_EXTENDED(ASTERISK_GPL_KEY, "SA800's jitter buffer on the read side of a channel");
