"""musiconhold.conf: the box's music, and a class for each prompt that a queue plays."""

from appliance_agent.config.model import Desired
from appliance_agent.render.conf import Conf
from appliance_agent.render.door import path, word
from appliance_agent.render.facts import Facts

DEFAULT_CLASS = "default"


def prompt_class(prompt: str) -> str:
    return f"prompt-{word(prompt)}"


def classes(desired: Desired) -> list[str]:
    music = dict.fromkeys(queue.music for queue in desired.queues if queue.music)
    return [DEFAULT_CLASS, *(prompt_class(prompt) for prompt in music)]


def render_moh(desired: Desired, facts: Facts) -> str:
    conf = Conf("Music on hold.").section(
        DEFAULT_CLASS, mode="files", directory=path(facts.paths.root / "usr/share/asterisk/moh"), sort="random"
    )
    for prompt in dict.fromkeys(queue.music for queue in desired.queues if queue.music):
        entry = path(facts.paths.prompts / word(prompt))
        conf.section(prompt_class(prompt), mode="playlist", entry=entry)
    return str(conf)
