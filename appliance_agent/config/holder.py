"""The desired state that runs now, for every part that needs to know it."""

from appliance_agent.config.model import Desired


class ConfigHolder:
    """Set by the configuration feature at start and after each apply, before VersionApplied is published."""

    def __init__(self) -> None:
        self.version = 0
        self.desired = Desired()

    def set(self, version: int, desired: Desired) -> None:
        self.version, self.desired = version, desired
