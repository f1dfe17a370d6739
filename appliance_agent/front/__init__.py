"""The one TCP port: panel files, /api to the agent, /ws to Asterisk. A process of its own: it survives the agent."""
