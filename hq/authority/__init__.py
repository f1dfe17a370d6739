"""Who is who between boxes and headquarters: HQ's own certificate authority."""
