"""queues.conf. Members are added at run time by the agent's seats and kept by Asterisk (persistentmembers)."""

from appliance_agent.config.model import Desired, Queue, Strategy
from appliance_agent.render.conf import Conf
from appliance_agent.render.door import word
from appliance_agent.render.moh import DEFAULT_CLASS, prompt_class

STRATEGIES = {
    Strategy.RING_ALL: "ringall",
    Strategy.ROUND_ROBIN: "rrmemory",
    # Longest since the end of the last call; shared_lastcall counts the calls of all queues.
    Strategy.LONGEST_IDLE: "leastrecent",
}
WRAP_UP_FLOOR_S = 2
"""Gives the agent time to pause a seat after its call: the real wrap-up is a pause, which the seat may end early."""


def render_queues(desired: Desired) -> str:
    conf = Conf("Queues.").section(
        "general",
        persistentmembers=True,
        autofill=True,
        shared_lastcall=True,
        log_membername_as_agent=True,
    )
    for queue in desired.queues:
        _queue(conf, queue)
    return str(conf)


def _queue(conf: Conf, queue: Queue) -> None:
    """`invalid` only: a queue is empty when nobody is logged in. A seat whose page reloads for three seconds, or all
    of them after Asterisk's restart, are `unavailable`: their callers wait."""
    conf.section(
        word(queue.id),
        musicclass=prompt_class(queue.music) if queue.music else DEFAULT_CLASS,
        strategy=STRATEGIES[queue.strategy],
        timeout=queue.ring_s,
        retry=1,
        timeoutpriority="app",
        wrapuptime=min(queue.wrap_up_s, WRAP_UP_FLOOR_S),
        maxlen=queue.max_waiting,
        servicelevel=queue.service_level_s,
        autofill=True,
        autopause=False,
        ringinuse=False,
        setinterfacevar=True,
        joinempty="invalid",
        leavewhenempty="invalid",
        reportholdtime=False,
        memberdelay=0,
        **{"announce-frequency": 0, "announce-holdtime": False, "announce-position": False},
    )
