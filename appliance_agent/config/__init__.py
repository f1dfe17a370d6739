"""Types of the desired state: what an administrator wants the box to do. No I/O; imports nothing of ours."""
