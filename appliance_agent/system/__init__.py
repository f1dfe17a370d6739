"""The box's own care: alarms, health."""
