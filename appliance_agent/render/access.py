"""How the agent and the front reach Asterisk: AMI, ARI, HTTP. All on 127.0.0.1 only."""

from appliance_agent.render.conf import Conf
from appliance_agent.render.door import word
from appliance_agent.render.facts import Facts

USER = "sa800"
AMI_PORT = 5038
HTTP_PORT = 8088
MOST_HTTP_SESSIONS = 1000
"""Each browser phone's WebSocket is one for as long as it is there."""


def render_manager(facts: Facts) -> str:
    conf = Conf("AMI.").section(
        "general", enabled=True, webenabled=False, bindaddr="127.0.0.1", port=AMI_PORT, displayconnects=False
    )
    return str(
        conf.section(
            USER,
            secret=word(facts.ami_secret),
            deny="0.0.0.0/0.0.0.0",
            permit="127.0.0.1/255.255.255.255",
            read="system,call,agent,user,reporting,dialplan",
            write="system,call,agent,user,originate,command,reporting,config",
            writetimeout=1000,
        )
    )


def render_ari(facts: Facts) -> str:
    conf = Conf("ARI.").section("general", enabled=True, pretty=False)
    return str(
        conf.section(USER, type="user", read_only=False, password_format="plain", password=word(facts.ari_secret))
    )


def render_http() -> str:
    return str(
        Conf("HTTP for ARI and for SIP of browsers, behind the front.").section(
            "general", enabled=True, bindaddr="127.0.0.1", bindport=HTTP_PORT, sessionlimit=MOST_HTTP_SESSIONS
        )
    )
